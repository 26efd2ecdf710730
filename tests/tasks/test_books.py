from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import TYPE_CHECKING

from tasks.execution.following import follow_orders
from tasks.execution.positions import apply_fills
from tasks.execution.reconciliation import adopt_orders, compare_books
from tasks.execution.simulation import step_after_close
from tasks.execution.submission import submit_orders
from tasks.resources import broker
from trading.order_terms import order_terms

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


def test_books_that_agree_with_the_broker_reconcile_clean_again_and_again(inside: Stack, decided: date) -> None:
    trade(decided)
    apply_fills.fn()

    first = compare_books.fn(adopt_orders.fn(session=None))
    again = compare_books.fn(adopt_orders.fn(session=None))

    assert first.figures["verdict"] == again.figures["verdict"] == "clean"
    account = broker().account().number
    assert inside.scalar("SELECT count(*) FROM execution.reconciliation_runs WHERE account = :a", a=account) == 1


def test_an_order_somebody_else_placed_is_adopted_with_its_fills(inside: Stack, decided: date) -> None:
    broker().submit(order_terms(symbol="IBM", side="buy", quantity=3), client_order_id="by hand")
    trade(decided)

    adopted = adopt_orders.fn(session=None)
    follow_orders.fn()
    apply_fills.fn()
    report = compare_books.fn(adopted)

    assert [entry["subject"] for entry in adopted] == ["by hand"]
    assert report.figures["verdict"] == "corrected"
    strategy, quantity = inside.rows(
        "SELECT strategy, quantity FROM execution.positions WHERE account = :account AND symbol = 'IBM'",
        account=broker().account().number,
    )[0]
    assert (strategy, quantity) == ("external", Decimal(3))


def test_a_position_nobody_can_explain_halts_trading(inside: Stack, decided: date) -> None:
    trade(decided)
    apply_fills.fn()
    account = broker().account().number
    with inside.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE execution.positions SET quantity = quantity + 7 WHERE (account, strategy, symbol) = "
            "(SELECT account, strategy, symbol FROM execution.positions WHERE account = %s LIMIT 1)",
            (account,),
        )

    report = compare_books.fn(adopt_orders.fn(session=None))

    assert report.figures["verdict"] == "broken"
    state, reason = inside.rows(
        "SELECT state, reason FROM risk_management.trading_states WHERE account = :account", account=account
    )[0]
    assert state == "HALTED"
    assert "reconciliation found a difference in position" in str(reason)


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
