from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from blocks.catalogue import alpaca
from db.repositories import orders, positions, risk
from tasks.books import open_books
from tasks.broker import Broker
from tasks.execution.flattening import stand_down
from tasks.execution.following import follow_orders
from tasks.execution.halting import Reach, cancel_open_orders, halt
from tasks.execution.positions import apply_fills
from tasks.execution.simulation import step_after_close, step_before_open
from tasks.execution.submission import submit_orders
from tasks.resources import broker, database, locks
from tests.ports import free_port
from trading.calendar import bar_timestamp, session_after
from trading.errors import UnavailableError

if TYPE_CHECKING:
    from tests.stack import Stack

SYMBOLS = ("AAPL", "FB", "GOOG", "IBM", "MSFT")


def reach() -> Reach:
    return Reach(database(), locks(), broker())


def intend(count: int, *, side: str = "buy", strategy: str = "sma_crossover", quantity: int = 1) -> str:
    """Write intents of one share each, as if they had been decided; return the account."""
    gateway, clock = broker(), broker().clock()
    with database().begin() as connection:
        account = open_books(connection, gateway, clock).number
        rows = [
            {
                "account": account,
                "client_order_id": f"{account}-{side}-{quantity}-{number}",
                "strategy": strategy,
                "symbol": SYMBOLS[number % len(SYMBOLS)],
                "side": side,
                "type": "market",
                "time_in_force": "day",
                "quantity": Decimal(quantity),
                "bar_ts": bar_timestamp(clock.last_completed),
                "status": "intent",
                "intended_at": clock.now,
                "recorded_at": datetime.now(UTC) - timedelta(hours=1),  # no other run has them under way
            }
            for number in range(count)
        ]
        orders.intend(connection, rows)
    return account


def held(account: str) -> dict[str, Decimal]:
    with database().connect() as connection:
        return {row.symbol: row.quantity for row in positions.of_account(connection, account) if row.quantity}


def still_open() -> list[str]:
    listed = broker().orders(since=broker().clock().now.replace(year=2000))
    return [order.client_order_id for order in listed if order.status in {"accepted", "new", "pending_new"}]


def set_state(account: str, state: str) -> None:
    with database().begin() as connection:
        at = broker().clock().now
        risk.set_trading_state(connection, account=account, state=state, reason="a drill", by="test", at=at)


@pytest.fixture
def before(fresh_account: Stack) -> date:
    session = session_after(date(2012, 11, 30))
    step_before_open.fn(session)
    assert fresh_account.settings.simulated
    return session


def statuses(account: str) -> dict[str, int]:
    with database().connect() as connection:
        found: dict[str, int] = {}
        for row in orders.of_account(connection, account):
            found[row.status] = found.get(row.status, 0) + 1
    return found


def test_a_halt_stops_a_submitter_at_work_within_two_seconds_and_leaves_no_order_open(
    before: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = intend(150)
    posted: list[float] = []
    sent = threading.Event()
    submit = type(broker()).submit

    def noted(*arguments: Any, **options: Any) -> Any:
        time.sleep(0.1)  # eight at a time, all of them take two seconds: the halt finds most still to be sent
        answer = submit(*arguments, **options)
        posted.append(time.monotonic())
        sent.set()
        return answer

    monkeypatch.setattr(type(broker()), "submit", noted)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(submit_orders.fn, as_of=None)
        assert sent.wait(30)
        began = time.monotonic()
        done = halt(reach(), reason="stop now", by="ada")
        running.result(60)
    follow_orders.fn()

    assert posted[-1] - began < 2.0, f"for session {before}"
    assert done.changed
    assert len(done.cancelled) == len(posted)
    assert still_open() == []
    found = statuses(account)
    assert set(found) == {"canceled"}
    with database().connect() as connection:
        withdrawn = [row for row in orders.of_account(connection, account) if row.problem]
    assert 0 < len(withdrawn) < 150
    assert withdrawn[-1].problem == "trading is HALTED (stop now): only reductions pass"


def test_a_halt_is_one_change_with_who_and_why_however_often_it_is_asked_for(inside: Stack, before: date) -> None:
    account = intend(1)
    with ThreadPoolExecutor(5) as pool:
        done = list(pool.map(lambda _: halt(reach(), reason="everybody", by="ada"), range(5)))

    assert [one.changed for one in done].count(True) == 1, f"for session {before}"
    assert len({one.since for one in done}) == 1
    query = "SELECT old, new, reason, changed_by FROM risk_management.trading_state_changes WHERE account = :a"
    assert inside.rows(query, a=account) == [("ACTIVE", "HALTED", "everybody", "ada")]
    audited = "SELECT actor, detail->>'reason' FROM logging.audit_events WHERE subject = :a AND action = 'risk.state'"
    assert inside.rows(audited, a=account) == [("ada", "everybody")]


def bought(session: date, count: int = 5, quantity: int = 10) -> str:
    account = intend(count, quantity=quantity)
    submit_orders.fn(as_of=None)
    step_after_close.fn(session)
    follow_orders.fn()
    apply_fills.fn()
    step_before_open.fn(session_after(session))
    return account


@pytest.mark.parametrize("state", ["REDUCING", "HALTED"])
def test_while_trading_is_not_active_reductions_pass_and_nothing_else(before: date, state: str) -> None:
    account = bought(before, count=1)
    set_state(account, state)
    intend(1, side="buy", quantity=3)
    intend(1, side="sell", quantity=7)
    intend(1, side="sell", quantity=4)  # with the seven before it more than is held

    submit_orders.fn(as_of=None)

    with database().connect() as connection:
        rows = {(row.side, int(row.quantity)): row for row in orders.of_account(connection, account)}
    assert rows["sell", 7].status in {"accepted", "pending_new"}
    assert rows["buy", 3].status == rows["sell", 4].status == "canceled"
    assert rows["buy", 3].problem == f"trading is {state} (a drill): only reductions pass"


def test_everything_is_closed_once_under_the_strategies_names_however_often_it_is_asked_for(before: date) -> None:
    account = bought(before)
    assert len(held(account)) == 5
    first = stand_down.fn(reason="going away", by="ada", flatten=True, wait_seconds=1)
    again = stand_down.fn(reason="going away", by="ada", flatten=True, wait_seconds=1)

    assert first.figures["closing orders"] == 5
    assert first.notes[0].startswith("5 closing order(s) wait for 2012-12-04")
    # the second halt cancelled the first one's orders, and closed the positions with others
    assert again.figures["closing orders"] == 10
    assert len(still_open()) == 5
    step_after_close.fn(session_after(before))
    follow_orders.fn()
    apply_fills.fn()
    assert held(account) == {}
    assert broker().positions() == []
    with database().connect() as connection:
        closing = [row for row in orders.of_account(connection, account) if row.side == "sell"]
        reasons = orders.exit_reasons(connection, account)
        assert risk.trading_state(connection, account) == "HALTED"
    assert {row.strategy for row in closing} == {"sma_crossover"}
    assert {reasons[row.id] for row in closing} == {"flatten"}
    assert [row.status for row in closing].count("filled") == 5


def test_a_broker_that_does_not_answer_leaves_trading_halted_and_says_what_may_be_open(
    inside: Stack, before: date
) -> None:
    account = intend(1)
    nobody = alpaca(inside.settings).model_copy(update={"trading_url": f"http://127.0.0.1:{free_port()}"})
    deaf = Reach(database(), locks(), Broker(nobody.trading_client()))

    with pytest.raises(UnavailableError, match="trading is HALTED, but open orders may be left"):
        halt(deaf, reason="no line", by="ada")

    with database().connect() as connection:
        assert risk.trading_state(connection, account) == "HALTED", f"for session {before}"
    submit_orders.fn(as_of=None)
    assert still_open() == []
    assert cancel_open_orders(reach(), account) == set()
