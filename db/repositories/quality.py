"""What the quality rules found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete

from db.models.data_ingestion import QualityIssue
from db.statements import upsert

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

KEYS = ["symbol", "timeframe", "ts", "rule"]


def replace(
    connection: Connection,
    issues: Iterable[Mapping[str, Any]],
    *,
    symbols: Sequence[str],
    timeframe: str,
    start: datetime,
    end: datetime,
) -> None:
    """Write the issues of a checked range; those found there before and not any more are gone.

    What one rule says several times of one bar becomes one issue with all of it.
    """
    merged: dict[tuple[Any, ...], dict[str, Any]] = {}
    for issue in issues:
        said = merged.setdefault(tuple(issue[key] for key in KEYS), {**issue})
        if said["detail"] != issue["detail"]:
            worse = "quarantined" in (said["verdict"], issue["verdict"])
            said |= {
                "detail": f"{said['detail']}; {issue['detail']}",
                "verdict": "quarantined" if worse else said["verdict"],
            }
    found = list(merged.values())
    stale = delete(QualityIssue).where(
        QualityIssue.symbol.in_(symbols),
        QualityIssue.timeframe == timeframe,
        QualityIssue.ts.between(start, end),
    )
    connection.execute(stale)
    upsert(connection, QualityIssue, found, keys=KEYS)
