"""The day in one message: profit, trades, risk, data, system."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prefect import task

from db.repositories import messages, orders, positions, risk
from tasks.books import open_books
from tasks.policies import REPEATABLE
from tasks.resources import broker, channels, database, flow_run_id
from trading.calendar import close_at, is_session, session_of
from trading.errors import InvalidValueError
from trading.report import Report

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy import Connection


@task(**REPEATABLE)
def post_summary(*, session: date | None) -> Report:
    """Put the summary of a session (default: the last one that opened) into the outbox, once per session.

    Raises
    ------
    InvalidValueError
        The exchange was closed that day, or the session has not happened yet.
    """
    gateway = broker()
    clock = gateway.clock()
    day = session or clock.last_opened
    if not is_session(day) or day > clock.last_opened:
        raise InvalidValueError("session", str(day), f"a day the exchange was open, up to {clock.last_opened}")
    with database().begin() as connection:
        account = open_books(connection, gateway, clock).number
        figures, lines = _day(connection, account, day)
        message = {
            "key": f"summary:{account}:{day}",
            "kind": "summary",
            "severity": "info",
            "subject": f"{day}: equity {figures['equity']:,.2f} ({figures['day']:+.2%})",
            "body": "\n".join(lines),
            "at": close_at(day),
            "flow_run_id": flow_run_id(),
        }
        new = messages.post(connection, [message], channels=channels().names())
    return Report(f"Summary of {day}", {"new message": bool(new), **figures}, notes=lines)


def _day(connection: Connection, account: str, day: date) -> tuple[dict[str, Any], list[str]]:
    curve = positions.equity(connection, account)
    until = curve[[session <= day for session in curve.index]]
    equity = float(until.iloc[-1]) if len(until) else 0.0
    before = float(until.iloc[-2]) if len(until) > 1 else equity
    fills = [row for row in orders.fills(connection, account) if session_of(row.filled_at) == day]
    held = [row for row in positions.of_account(connection, account) if row.quantity]
    state = risk.trading_state(connection, account)
    sick = [name for name, row in messages.health(connection).items() if not row.healthy]
    figures = {
        "equity": equity,
        "day": equity / before - 1 if before else 0.0,
        "fills": len(fills),
        "positions": len(held),
        "trading state": state,
        "unhealthy components": len(sick),
    }
    lines = [
        f"Account {account}: equity {equity:,.2f} USD, {equity - before:+,.2f} on the day.",
        f"Fills: {len(fills)}" + (": " + "; ".join(_fill(row) for row in fills) if fills else "."),
        "Positions: " + ("; ".join(_position(row) for row in held) or "none") + ".",
        f"Trading state: {state}.",
        "Components: " + (f"unhealthy: {', '.join(sick)}." if sick else "all well."),
    ]
    return figures, lines


def _fill(row: Any) -> str:
    return f"{row.side} {row.quantity.normalize():f} {row.symbol} at {row.price:,.2f} ({row.strategy})"


def _position(row: Any) -> str:
    gain = f", {row.unrealised_pnl:+,.2f}" if row.unrealised_pnl is not None else ""
    return f"{row.quantity.normalize():f} {row.symbol} ({row.strategy}{gain})"
