"""Which company a ticker meant when: from what the broker tells, and from files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from prefect import task

from db.repositories import life_facts
from db.repositories.lives import DAY, Ending, change, rename
from tasks.data_ingestion.universe import refresh_assets
from tasks.policies import REPEATABLE
from tasks.resources import database
from trading.errors import DataError, TradingError
from trading.report import Report

if TYPE_CHECKING:
    from sqlalchemy import Connection

SAME = {"ticker": "symbol", "first_day": "listed", "last_day": "delisted", "new_symbol": "renamed_to"}
"""Usual names of columns that are read as another."""


@task(**REPEATABLE)
def derive_lives() -> Report:
    """Read the broker's list of assets anew, and write the lives that it and the stored renames tell of."""
    refresh_assets()
    with database().begin() as connection:
        found = life_facts.derive(connection)
    notes = [*found.written, *(f"Not written: {sentence}" for sentence in found.refused)]
    return Report("Lives of symbols", {"written": len(found.written), "refused": len(found.refused)}, (), notes)


@task(**REPEATABLE)
def import_lives(path: str) -> Report:
    """Write the lives of a CSV file, all of them or none.

    Parameters
    ----------
    path
        A file with the column symbol, and listed, delisted (dates), name and renamed_to as far as they are known;
        a row with `renamed_to` says that the symbol's last day was `delisted` and the company bore the new one after.

    Raises
    ------
    DataError
        The file cannot be read, lacks the column, or a row contradicts another or what is recorded; it is named.
    """
    rows = read_lives(path)
    with database().begin() as connection:
        for row in rows:
            try:
                _write(connection, row)
            except TradingError as error:
                raise DataError(f"{path}: {row.symbol}: {error}; nothing was stored") from None
    return Report("Lives imported", {"path": path, "lives": len(rows)})


@dataclass(frozen=True, slots=True)
class LifeRow:
    """A row of a file of lives."""

    symbol: str
    listed: date | None
    delisted: date | None
    name: str | None
    renamed_to: str | None


def read_lives(path: str) -> list[LifeRow]:
    """Return the rows of a CSV file of lives, the earliest first.

    Raises
    ------
    DataError
        It cannot be read, lacks a column or symbol, has a date that is none, or a rename without its day.
    """
    import pandas as pd

    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; give the path of a CSV file") from None
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: not readable as csv: {str(error).splitlines()[0]}") from None
    frame = frame.rename(columns=_known_name)
    if "symbol" not in frame:
        raise DataError(f"{path}: no column for symbol; it has {', '.join(map(str, frame.columns))}")
    rows = [_row(dict(row), f"{path}: row {number}") for number, row in enumerate(frame.to_dict("records"), start=1)]
    return sorted(rows, key=lambda row: (row.listed or row.delisted or date.min, row.symbol))


def _known_name(name: Any) -> str:
    plain = str(name).strip().lower().replace(" ", "_")
    return SAME.get(plain, plain)


def _row(raw: dict[Any, Any], where: str) -> LifeRow:
    def of(name: str) -> str | None:
        return str(raw.get(name, "")).strip() or None

    def day(name: str) -> date | None:
        word = of(name)
        try:
            return date.fromisoformat(word) if word else None
        except ValueError:
            raise DataError(f"{where}: {name} {word!r} is not a date such as 2012-05-18") from None

    symbol, renamed_to = of("symbol"), of("renamed_to")
    if symbol is None:
        raise DataError(f"{where}: no symbol")
    if renamed_to and day("delisted") is None:
        raise DataError(f"{where}: renamed_to needs delisted, the last day under the old name")
    return LifeRow(symbol.upper(), day("listed"), day("delisted"), of("name"), renamed_to and renamed_to.upper())


def _write(connection: Connection, row: LifeRow) -> None:
    if row.renamed_to and row.delisted:
        rename(connection, row.symbol, row.renamed_to, first_day=row.delisted + DAY)
    reason: Ending = "renamed" if row.renamed_to else "delisted"
    change(connection, row.symbol, listed=row.listed, delisted=row.delisted, reason=reason, name=row.name)
