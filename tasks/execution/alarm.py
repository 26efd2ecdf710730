"""Trading stops and a person is told, in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from db.repositories import messages, risk
from tasks.resources import channels, flow_run_id

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection


def halt_and_tell(connection: Connection, account: str, *, key: str, reason: str, by: str, at: datetime) -> bool:
    """Halt an account's trading and put a critical message into the outbox, once per `key`.

    Returns
    -------
    Whether this was news: the first time for `key`, or trading was not halted before.
    """
    run = flow_run_id()
    changed = risk.set_trading_state(
        connection, account=account, state="HALTED", reason=reason, by=by, at=at, flow_run_id=run
    )
    message = {
        "kind": "risk",
        "key": f"halt:{account}:{key}",
        "severity": "critical",
        "subject": "Trading is halted: a person is needed",
        "body": f"{reason} (by {by}, account {account})",
        "at": at,
        "flow_run_id": run,
    }
    return bool(messages.post(connection, [message], channels=channels().names())) or changed
