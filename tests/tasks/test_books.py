from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import TYPE_CHECKING

from tasks.execution.following import follow_orders
from tasks.execution.positions import apply_fills
from tasks.execution.simulation import step_after_close
from tasks.execution.submission import submit_orders
from tasks.resources import broker

if TYPE_CHECKING:
    from datetime import date

    from tests.stack import Stack


def held(stack: Stack) -> dict[str, Decimal]:
    rows = stack.rows(
        "SELECT symbol, sum(quantity) FROM execution.positions WHERE account = :account GROUP BY symbol",
        account=broker().account().number,
    )
    return {str(symbol): Decimal(quantity) for symbol, quantity in rows if quantity}


def trade(session: date) -> None:
    submit_orders.fn(as_of=None)
    step_after_close.fn(session)
    follow_orders.fn()


def test_fills_enter_positions_once_however_often_and_at_once_they_are_applied(inside: Stack, decided: date) -> None:
    trade(decided)
    with ThreadPoolExecutor(10) as pool:
        list(pool.map(lambda _: apply_fills.fn(), range(10)))
    follow_orders.fn()
    apply_fills.fn()

    assert held(inside) == {position.symbol: position.quantity for position in broker().positions()}
    assert inside.scalar("SELECT count(*) FROM execution.fills WHERE applied_at IS NULL") == 0


def test_the_equity_of_a_session_is_the_brokers_own_figure(inside: Stack, decided: date) -> None:
    trade(decided)
    apply_fills.fn()

    account = broker().account()
    written = inside.scalar(
        "SELECT equity FROM execution.equity_snapshots WHERE account = :account AND session = :session",
        account=account.number,
        session=decided,
    )
    assert written == account.equity
