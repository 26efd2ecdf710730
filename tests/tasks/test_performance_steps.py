from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from tasks.analytics.performance import measure_performance
from tasks.execution.positions import apply_fills
from tasks.resources import broker, database

if TYPE_CHECKING:
    from datetime import date

    from tests.stack import Stack

EARLIER = """
INSERT INTO execution.equity_snapshots (account, session, at, equity, cash, buying_power, long_value, short_value)
SELECT account, session - 3, at, 1000, cash, buying_power, long_value, short_value
FROM execution.equity_snapshots WHERE account = :account
"""
NOW = "UPDATE execution.equity_snapshots SET equity = -5 WHERE account = :account AND equity <> 1000"


def test_equity_below_zero_ends_with_what_is_defined_the_reason_and_a_critical_message(
    inside: Stack, before_open: date
) -> None:
    apply_fills.fn()
    account = broker().account().number
    with database().begin() as connection:
        for statement in (EARLIER, NOW):
            connection.execute(text(statement), {"account": account})

    report = measure_performance.fn(scope="all", start=None, end=None, benchmark="universe")
    measure_performance.fn(scope="all", start=None, end=None, benchmark="universe")

    reason = "equity was -5.00 USD on 2012-11-30: there are no returns from zero or below"
    assert report.notes == [f"portfolio: {reason}."], f"before {before_open}"
    stored = inside.scalar("SELECT metrics FROM analytics.performance WHERE account = :account", account=account)
    assert (stored["undefined"], stored["final_equity"], stored["sharpe"]) == (reason, -5.0, None)
    assert stored["total_return"] == pytest.approx(-1.005)
    told = "SELECT severity, body FROM notification.messages WHERE key LIKE :key"
    assert inside.rows(told, key=f"performance:{account}:%") == [("critical", f"{reason} (account {account})")]
