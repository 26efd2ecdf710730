"""What the quality rules say of stored bars, as far as no person has decided otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from sqlalchemy import text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection

GOOD = """
UPDATE data_ingestion.bars SET quality = 'good'
WHERE timeframe = :timeframe AND symbol = ANY(:symbols) AND ts BETWEEN :start AND :end AND quality <> 'good'
"""
JUDGE = """
UPDATE data_ingestion.bars AS bar SET quality = :verdict
FROM (SELECT * FROM unnest(CAST(:symbols AS text[]), CAST(:times AS timestamptz[]))) AS judged (symbol, ts)
WHERE bar.symbol = judged.symbol AND bar.timeframe = :timeframe AND bar.ts = judged.ts
  AND bar.ts BETWEEN :first AND :last AND bar.quality <> :verdict
  AND NOT EXISTS (
    SELECT FROM data_ingestion.quality_decisions AS decided
    WHERE decided.symbol = bar.symbol AND decided.timeframe = bar.timeframe AND decided.ts = bar.ts
      AND (decided.new_open, decided.new_high, decided.new_low, decided.new_close, decided.new_volume)
          IS NOT DISTINCT FROM (bar.open, bar.high, bar.low, bar.close, bar.volume))
"""


def judge(
    connection: Connection,
    *,
    timeframe: str,
    symbols: Sequence[str],
    start: datetime,
    end: datetime,
    verdicts: dict[str, list[tuple[str, datetime]]],
) -> int:
    """Mark a checked range good, then the bars of `verdicts` (suspect, quarantined); return rows changed.

    A bar that a person released or corrected stays good for as long as it has the figures decided on.
    """
    checked = {"timeframe": timeframe, "symbols": list(symbols), "start": start, "end": end}
    changed = connection.execute(text(GOOD), checked).rowcount
    for verdict, bars in verdicts.items():
        if not bars:
            continue
        times = [ts for _, ts in bars]
        values = {
            "verdict": verdict,
            "timeframe": timeframe,
            "symbols": [symbol for symbol, _ in bars],
            "times": times,
            "first": min(times),
            "last": max(times),
        }
        changed += connection.execute(text(JUDGE), values).rowcount
    return changed


def first_unchecked(connection: Connection, symbols: Sequence[str], *, timeframe: str) -> datetime | None:
    """Return the oldest bar (UTC) of `symbols` that no rule has looked at, or None."""
    statement = text(
        "SELECT min(ts) FROM data_ingestion.bars "
        "WHERE timeframe = :timeframe AND symbol = ANY(:symbols) AND quality = 'unchecked'"
    )
    return cast("datetime | None", connection.scalar(statement, {"timeframe": timeframe, "symbols": list(symbols)}))
