"""Broken limits and state changes become messages, once each."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from prefect import task

from db.repositories import messages, risk
from tasks.policies import REPEATABLE
from tasks.resources import broker, channels, database, flow_run_id
from trading.report import Report

RECENT = timedelta(days=7)
SEVERITY = {"ACTIVE": "info", "REDUCING": "warning", "HALTED": "critical"}


@task(**REPEATABLE)
def post_risk_alerts(*, since: datetime | None) -> Report:
    """Put breaches and trading-state changes since a broker time (default: a week) into the outbox."""
    begin = since or broker().clock().now - RECENT
    with database().begin() as connection:
        breaches = risk.unalerted_breaches(connection, since=begin)
        rows = [_breach(row) for row in breaches]
        rows += [_change(row) for row in risk.state_changes(connection, since=begin)]
        shared = {"kind": "risk", "flow_run_id": flow_run_id()}
        new = messages.post(connection, [{**shared, **row} for row in rows], channels=channels().names())
        risk.mark_alerted(connection, [row.id for row in breaches])
    shown = [{"severity": row["severity"], "subject": row["subject"], "at": row["at"]} for row in rows]
    return Report("Risk alerts", {"since": begin, "new alerts": new}, shown)


def _breach(row: Any) -> dict[str, Any]:
    return {
        "key": f"breach:{row.account}:{row.session}:{row.limit_name}",
        "severity": "warning",
        "subject": f"Limit {row.limit_name} broken",
        "body": f"{row.sentence} (account {row.account}, session {row.session})",
        "at": row.at,
    }


def _change(row: Any) -> dict[str, Any]:
    return {
        "key": f"state:{row.account}:{row.changed_at.isoformat()}:{row.new}",
        "severity": SEVERITY[row.new],
        "subject": f"Trading {row.old} -> {row.new}",
        "body": f"{row.reason} (by {row.changed_by}, account {row.account})",
        "at": row.changed_at,
    }
