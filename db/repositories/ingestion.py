"""Ingestion runs and the corporate actions they bring."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
from sqlalchemy import delete, func, insert, select, update

from db.models.data_ingestion import CorporateAction, IngestionRun
from db.statements import upsert

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from uuid import UUID

    from sqlalchemy import Connection


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
    """Write corporate actions; one already known is overwritten."""
    return upsert(connection, CorporateAction, actions, keys=["symbol", "kind", "ex_date"])


def splits(connection: Connection, symbols: Sequence[str]) -> pd.DataFrame:
    """Return splits as columns symbol, ex_date (date), ratio (new shares per old)."""
    statement = select(CorporateAction.symbol, CorporateAction.ex_date, CorporateAction.ratio).where(
        CorporateAction.kind == "split", CorporateAction.symbol.in_(symbols)
    )
    frame = pd.DataFrame(connection.execute(statement).all(), columns=["symbol", "ex_date", "ratio"])
    return frame.astype({"ratio": "float64"})
