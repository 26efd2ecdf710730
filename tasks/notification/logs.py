"""Logs of flow runs, of components and of people's actions, gathered into one searchable table."""

from __future__ import annotations

import hashlib
import logging
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from prefect import get_client, task

from db.repositories import logs
from tasks.notification.log_lines import pattern_of, read_file
from tasks.policies import REPEATABLE
from tasks.resources import database
from trading.config import settings
from trading.report import Report

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Row

PAGE = 200
LEVELS = {10: "DEBUG", 20: "INFO", 30: "WARNING", 40: "ERROR", 50: "CRITICAL"}


@task(**REPEATABLE)
async def collect_logs(*, hours: int) -> Report:
    """Gather what was logged in the last hours, count recurring trouble, and forget what is too old."""
    now = datetime.now(UTC)
    since = now - timedelta(hours=hours)
    entries = await _prefect_logs(since)
    folder = settings().home / "logs"
    for path in sorted(folder.glob("*.log*")):
        entries += read_file(path, since=since)
    with database().begin() as connection:
        entries += [_audit(row) for row in logs.audit_since(connection, since)]
        new = logs.record(connection, entries)
        forgotten = logs.forget(connection, before=now - timedelta(days=settings().logging.retention_days))
        patterns = _patterns(logs.troubled(connection))
        logs.replace_patterns(connection, patterns)
        counts = logs.counts(connection, since=since)
    rows = [
        {"service": row["service"], "level": row["level"], "times": row["occurrences"], "pattern": row["pattern"]}
        for row in sorted(patterns, key=lambda row: -row["occurrences"])[:20]
    ]
    return Report(f"Logs of the last {hours} h", {"new lines": new, "forgotten": forgotten, **counts}, rows)


async def _prefect_logs(since: datetime) -> list[dict[str, Any]]:
    from prefect.client.schemas.filters import LogFilter, LogFilterTimestamp
    from prefect.client.schemas.sorting import LogSort

    entries: list[dict[str, Any]] = []
    newer = LogFilter(timestamp=LogFilterTimestamp(after_=since))
    async with get_client() as client:
        while True:
            page = await client.read_logs(newer, limit=PAGE, offset=len(entries), sort=LogSort.TIMESTAMP_ASC)
            entries += [
                {
                    "key": f"prefect:{entry.id}",
                    "at": entry.timestamp,
                    "service": "prefect",
                    "level": LEVELS.get(entry.level, logging.getLevelName(entry.level)),
                    "logger": entry.name,
                    "message": entry.message,
                    "flow_run_id": entry.flow_run_id,
                }
                for entry in page
            ]
            if len(page) < PAGE:
                return entries


def _audit(row: Row[Any]) -> dict[str, Any]:
    return {
        "key": f"audit:{row.id}",
        "at": row.at,
        "service": "audit",
        "level": "INFO",
        "logger": row.actor,
        "message": f"{row.action} {row.subject}",
        "flow_run_id": None,
    }


def _patterns(rows: Sequence[Row[Any]]) -> list[dict[str, Any]]:
    groups: dict[tuple[str, str, str], list[datetime]] = defaultdict(list)
    for row in rows:
        groups[row.service, row.level, pattern_of(row.message)].append(row.at)
    return [
        {
            "fingerprint": hashlib.sha256("\n".join(key).encode()).hexdigest(),
            "service": key[0],
            "level": key[1],
            "pattern": key[2],
            "occurrences": len(times),
            "first_seen_at": min(times),
            "last_seen_at": max(times),
        }
        for key, times in groups.items()
    ]
