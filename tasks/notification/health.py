"""Every component's health, and a message when it changes."""

from __future__ import annotations

import asyncio
import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from prefect import task

from blocks.health import examine as examine_components
from db.health import examine as examine_database
from db.repositories import messages
from tasks.policies import REPEATABLE
from tasks.resources import channels, database, flow_run_id
from trading.config import settings
from trading.health import Check
from trading.report import Report

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Row

LOW_DISK = 2 * 1024**3
"""Free bytes of the state directory's disk below which its check fails."""


@task(**REPEATABLE)
async def check_health() -> Report:
    """Examine every component, write down its state, and post a message for each change."""
    chosen = settings()
    components, stored = await asyncio.gather(examine_components(chosen), asyncio.to_thread(examine_database, chosen))
    checks = [*components, *stored, _disk()]
    now = datetime.now(UTC)
    with database().begin() as connection:
        before = messages.health(connection)
        rows = [_row(check, before.get(check.name), now) for check in checks]
        changed = [row for row in rows if _changed(row, before.get(row["component"]))]
        new = messages.post(connection, [_message(row) for row in changed], channels=channels().names())
        messages.record_health(connection, rows)
    sick = [check.name for check in checks if not check.ok]
    shown = [{"component": check.name, "healthy": check.ok, "detail": check.detail} for check in checks]
    return Report("System health", {"components": len(checks), "unhealthy": len(sick), "new messages": new}, shown)


def _disk() -> Check:
    free = shutil.disk_usage(settings().home).free
    detail = f"{free / 1024**3:,.1f} GiB free at {settings().home}"
    return Check("disk", free >= LOW_DISK, 0.0, detail if free >= LOW_DISK else f"{detail}; make room")


def _row(check: Check, before: Row[Any] | None, now: datetime) -> dict[str, Any]:
    since = before.since if before is not None and before.healthy == check.ok else now
    return {
        "component": check.name,
        "healthy": check.ok,
        "latency_ms": check.latency * 1000,
        "detail": check.detail,
        "since": since,
        "checked_at": now,
        "flow_run_id": flow_run_id(),
    }


def _changed(row: Mapping[str, Any], before: Row[Any] | None) -> bool:
    """Whether a component got better or worse; one that is well when first seen is no news."""
    return not row["healthy"] if before is None else before.healthy != row["healthy"]


def _message(row: Mapping[str, Any]) -> dict[str, Any]:
    word = "is well again" if row["healthy"] else "is unhealthy"
    return {
        "key": f"health:{row['component']}:{row['since'].isoformat()}",
        "kind": "health",
        "severity": "info" if row["healthy"] else "critical",
        "subject": f"{row['component']} {word}",
        "body": row["detail"],
        "at": row["checked_at"],
        "flow_run_id": flow_run_id(),
    }
