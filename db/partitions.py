"""The yearly partitions of the bars table, made as bars arrive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

CREATING = 7_216_001
"""Advisory lock held while a partition is created: two creators at once would collide."""


def ensure_years(connection: Connection, years: Iterable[int]) -> None:
    """Create the partitions of `years` (UTC) that do not exist yet."""
    present = set(
        connection.scalars(
            text("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'data_ingestion.bars'::regclass")
        )
    )
    missing = [year for year in sorted(set(years)) if f"data_ingestion.bars_{year}" not in present]
    if missing:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": CREATING})
    for year in missing:
        connection.execute(
            text(
                f"CREATE TABLE IF NOT EXISTS data_ingestion.bars_{year:04d} PARTITION OF data_ingestion.bars "
                f"FOR VALUES FROM ('{year:04d}-01-01 00:00+00') TO ('{year + 1:04d}-01-01 00:00+00')"
            )
        )
