"""Which column of a file is what: guessed from usual names, or as a person says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from tasks.data_ingestion.files.file_format import FIELDS
from trading.errors import DataError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

USUAL: dict[str, tuple[tuple[str, ...], ...]] = {
    "ts": (("ts", "timestamp", "datetime"), ("date", "day"), ("time", "t", "indexlevel0")),
    "symbol": (("symbol", "ticker", "sym"), ("name",)),
    "open": (("open",), ("o",)),
    "high": (("high",), ("h",)),
    "low": (("low",), ("l",)),
    "close": (("close", "closelast"), ("c",)),
    "volume": (("volume", "vol"), ("v",)),
}
"""Usual names of each field, without case and punctuation; a later group counts when no earlier one is there."""

TICKER = re.compile(r"^[A-Z][A-Z0-9]{0,5}([.-][A-Z0-9]{1,4})?$")
SUFFIX = re.compile(r"[_ -](1?min|1?minute|5min|15min|30min|1?hour|1?h|hourly|1?day|1?d|daily)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Columns:
    """Where each field is found.

    Attributes
    ----------
    positions
        Field to position, from 0; `clock` is a time of day beside a date in `ts`. Without `symbol` the file has one.
    names
        Field to the name in the file, for the report.
    symbol
        The symbol of a file without such a column.
    """

    positions: Mapping[str, int]
    names: Mapping[str, str]
    symbol: str | None = None


def find(header: Sequence[str], *, path: str, chosen: Mapping[str, str], symbol: str | None) -> Columns:
    """Return where the fields of a bar are in a file with these column names.

    Raises
    ------
    DataError
        A field has no column, or two.
    UnknownNameError
        A chosen column is not in the file.
    """
    plain = [_plain(name) for name in header]
    found: dict[str, int] = {}
    for field in FIELDS:
        if field == "symbol" and symbol is not None:
            continue
        position = _chosen(field, header, chosen, path) if field in chosen else _guessed(field, header, plain, path)
        if position is not None:
            found[field] = position
    if "ts" not in chosen and "ts" in found and plain[found["ts"]] == "date" and plain.count("time") == 1:
        found["clock"] = plain.index("time")
    missing = [field for field in FIELDS if field not in found and field != "symbol"]
    if missing:
        example = f"{missing[0] if missing[0] != 'ts' else 'date'}=COLUMN"
        raise DataError(f"{path}: no column for {_listed(missing)}; it has {_shown(header)}; give --map {example}")
    names = {field: header[position] for field, position in found.items()}
    return Columns(found, names, symbol if "symbol" not in found and symbol else _from_path(found, path))


def _chosen(field: str, header: Sequence[str], chosen: Mapping[str, str], path: str) -> int:
    wanted = chosen[field]
    exact = [position for position, name in enumerate(header) if name == wanted]
    alike = exact or [position for position, name in enumerate(header) if _plain(name) == _plain(wanted)]
    if not alike:
        raise UnknownNameError(f"column of {path}", wanted, header)
    return alike[0]


def _guessed(field: str, header: Sequence[str], plain: Sequence[str], path: str) -> int | None:
    for group in USUAL[field]:
        alike = [position for position, name in enumerate(plain) if name in group]
        if len(alike) > 1:
            several = " and ".join(repr(header[position]) for position in alike)
            name = "date" if field == "ts" else field
            raise DataError(f"{path}: {several} both may be the {name}; choose with --map {name}=COLUMN")
        if alike:
            return alike[0]
    return None


def _from_path(found: Mapping[str, int], path: str) -> str | None:
    """Return the symbol that a folder (symbol=IBM) or a file's name (IBM.csv, IBM_1Day.parquet) says."""
    if "symbol" in found:
        return None
    place = PurePosixPath(path.replace("\\", "/"))
    for part in place.parts:
        if part.lower().startswith("symbol="):
            return part.split("=", 1)[1]
    stem = place.name
    for ending in (".gz", ".bz2", ".xz", ".zip", ".zst", ".csv", ".txt", ".tsv", ".parquet", ".pq"):
        stem = stem.removesuffix(ending)
    stem = SUFFIX.sub("", stem)
    if not TICKER.match(stem):
        raise DataError(f"{path}: no column for symbol, and {stem!r} is not one; give --symbol, or --map symbol=COLUMN")
    return stem


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _listed(fields: Sequence[str]) -> str:
    return ", ".join("date" if field == "ts" else field for field in fields)


def _shown(header: Sequence[str]) -> str:
    shown = ", ".join(name[:40] or "(no name)" for name in header[:20])
    return f"{shown}, ..." if len(header) > 20 else shown  # noqa: PLR2004 - what fits a line
