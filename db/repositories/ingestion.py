"""Ingestion runs and the corporate actions they bring."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sqlalchemy import case, delete, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql

from db.models.data_ingestion import CorporateAction, IngestionRun
from db.repositories.spells import names, spells
from db.statements import upsert

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date
    from decimal import Decimal
    from uuid import UUID

    from sqlalchemy import Connection

    from db.repositories.spells import Spell

KEYS = ["symbol", "kind", "ex_date"]
WORTHS = ("ratio", "cash", "share")


def begin(
    connection: Connection, *, source: str, timeframe: str, symbols: Sequence[str], flow_run_id: UUID | None
) -> int:
    """Open an ingestion run and return its id."""
    statement = insert(IngestionRun).values(
        source=source, timeframe=timeframe, symbols=list(symbols), flow_run_id=flow_run_id, status="running"
    )
    return connection.execute(statement.returning(IngestionRun.id)).scalar_one()


def finish(connection: Connection, run: int, *, status: str, **figures: Any) -> None:
    """Close an ingestion run with its counts and range."""
    connection.execute(
        update(IngestionRun).where(IngestionRun.id == run).values(status=status, finished_at=func.now(), **figures)
    )


def discard(connection: Connection, run: int) -> None:
    """Forget an ingestion run that had nothing to do."""
    connection.execute(delete(IngestionRun).where(IngestionRun.id == run))


def record_actions(connection: Connection, actions: Iterable[Mapping[str, Any]]) -> int:
    """Write corporate actions; one already known is overwritten.

    Each row has symbol, kind, ex_date, ratio, cash, source and ingestion_run_id, and may have new_symbol and shares,
    all rows or none. A value that a person gave a spin-off is not overwritten by the broker's, nor by none.
    """
    rows = list(actions)
    told = [row for row in rows if row["kind"] == "spin_off" and row["source"] == "broker"]
    others = [row for row in rows if row["kind"] != "spin_off" or row["source"] != "broker"]
    return upsert(connection, CorporateAction, others, keys=KEYS) + _record_told(connection, told)


def _record_told(connection: Connection, spin_offs: Sequence[Mapping[str, Any]]) -> int:
    for row in spin_offs:
        fresh = postgresql.insert(CorporateAction).values(**row)
        by_broker = CorporateAction.source == "broker"
        ratio = case(
            (by_broker, func.coalesce(fresh.excluded.ratio, CorporateAction.ratio)), else_=CorporateAction.ratio
        )
        known = {"ratio": ratio, "shares": fresh.excluded.shares, "new_symbol": fresh.excluded.new_symbol}
        connection.execute(fresh.on_conflict_do_update(index_elements=KEYS, set_=known))
    return len(spin_offs)


def unvalued_spin_offs(connection: Connection, symbols: Sequence[str]) -> dict[tuple[str, date], str | None]:
    """Return the spin-offs of symbols whose value nobody knows: symbol and ex-date -> the new company's symbol."""
    table = CorporateAction.__table__.c
    statement = select(table.symbol, table.ex_date, table.new_symbol).where(
        CorporateAction.kind == "spin_off", CorporateAction.ratio.is_(None), CorporateAction.symbol.in_(list(symbols))
    )
    return {(row.symbol, row.ex_date): row.new_symbol for row in connection.execute(statement)}


def symbols_with_splits(connection: Connection) -> set[str]:
    """Return the symbols that splits are recorded of."""
    return set(connection.scalars(select(CorporateAction.symbol).where(CorporateAction.kind == "split").distinct()))


def known_actions(connection: Connection, symbols: Sequence[str], *, day: date) -> pd.DataFrame:
    """Return what is known on `day` of what the assets did that `symbols` meant then; see `actions`."""
    return actions(connection, spells(connection, symbols, day), until=day)


def actions(connection: Connection, found: Mapping[str, Sequence[Spell]], *, until: date) -> pd.DataFrame:
    """Return what the assets did up to `until` (included), under the symbols they are asked for by.

    Returns
    -------
    Columns symbol, kind (split, dividend, spin_off), ex_date (date), ratio (new shares per old), cash (USD per
    share), share (of the value that left with a spin-off), by symbol and date; an action that was recorded
    under another name of the asset, or another asset's under its name, is told apart by the spells. One recorded
    under two names of the asset counts once, as it is under the name that the asset bore. A spin-off whose value
    nobody knows is not in it.
    """
    table = CorporateAction.__table__.c
    statement = select(table.symbol, table.kind, table.ex_date, table.ratio, table.cash).where(
        CorporateAction.symbol.in_(names(found)),
        CorporateAction.kind != "rename",
        CorporateAction.ex_date <= until,
        or_(CorporateAction.kind != "spin_off", CorporateAction.ratio.is_not(None)),
    )
    stored: dict[str, list[Any]] = defaultdict(list)
    for row in connection.execute(statement.order_by(CorporateAction.ex_date, CorporateAction.kind)):
        stored[row.symbol].append(row)
    held = {
        (symbol, row.kind, row.ex_date): _worth(row)
        for symbol, pieces in found.items()
        for spell in sorted(pieces, key=lambda spell: spell.borne)
        for row in stored[spell.symbol]
        if spell.holds(row.ex_date)
    }
    rows = [
        (*key, *worth) for key, worth in sorted(held.items(), key=lambda item: (item[0][0], item[0][2], item[0][1]))
    ]
    symbols, kinds, days, *worths = zip(*rows, strict=True) if rows else ((),) * 6
    numbers = {name: np.array(worth, dtype=np.float64) for name, worth in zip(WORTHS, worths, strict=True)}
    return pd.DataFrame({"symbol": symbols, "kind": kinds, "ex_date": days, **numbers})


def _worth(row: Any) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
    """Return the ratio of a split, the cash of a dividend and the share of a spin-off, two of them None."""
    spun_off = row.kind == "spin_off"
    return (None if spun_off else row.ratio, row.cash, row.ratio if spun_off else None)
