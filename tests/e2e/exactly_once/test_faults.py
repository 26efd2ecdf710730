"""Bad answers, lost answers, races and a cut stream: one order per intent, and the books say what the broker says."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from blocks import alpaca as credentials_block
from deployments.drill.answers import answered_badly
from deployments.drill.bad_answers import ANSWERS
from deployments.drill.decisions import SYMBOLS, plant
from tasks.execution import following, manual
from tasks.execution.following import follow_orders, record_updates
from tasks.execution.manual import OrderRefusedError, cancel_order, place_order, replace_order
from tasks.execution.positions import apply_fills
from tasks.execution.stream import TradeStream, Watch
from tasks.execution.submission import submit_orders
from tasks.resources import broker, credentials
from trading.errors import TradingError
from trading.order_policy import StalePolicy
from trading.order_terms import OrderTermsError, order_terms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from deployments.drill.ground import Ground
    from deployments.drill.places import Places
    from deployments.drill.simulated import Simulator


@pytest.fixture
def volumes_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the limit that needs bars pass without: a test of orders is none of data."""
    monkeypatch.setattr(manual, "average_volumes", lambda *_: dict.fromkeys(SYMBOLS, 1e7))


WAITING = {"pending_new", "accepted", "new"}


def rows(engine: Engine, statement: str, **values: object) -> list[Any]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(statement), values)]


@pytest.fixture
def arm(simulator: Simulator) -> Iterator[Any]:
    """Return what arms faults; they are gone afterwards."""
    yield simulator.arm
    simulator.disarm()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a call wait for one second instead of fifteen."""
    monkeypatch.setattr(credentials_block, "READ_SECONDS", 1.0)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("name", ANSWERS)
def test_a_call_that_ends_badly_makes_one_order_or_none_and_the_books_know_which(ground: Ground, name: str) -> None:
    verdict = answered_badly(ground, name)

    assert verdict.ok, verdict
    assert verdict.intended == 3
    if ANSWERS[name].get("when") == "before":
        assert verdict.at_broker == 1
        assert "2 rejected (the broker never had it; its session is over)" in verdict.state
    else:
        assert verdict.at_broker == 3
        assert "2 unknown at first, the look-up found them; 3 filled" in verdict.state


def test_an_order_that_stays_unanswered_halts_trading_and_tells_a_person_once(
    places: Places, engine: Engine, arm: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = plant(engine, 1)
    arm({"kind": "error", "status": 500, "when": "before", "method": "POST", "path": "/v2/orders", "count": 1})
    submit_orders.fn(as_of=None)
    follow_orders.fn()
    early = rows(engine, "SELECT state FROM risk_management.trading_states WHERE account = :a", a=account)

    monkeypatch.setattr(following, "UNKNOWN_DEADLINE", timedelta(0))
    follow_orders.fn()
    follow_orders.fn()

    assert early == [("ACTIVE",)], places
    state = rows(engine, "SELECT state FROM risk_management.trading_states WHERE account = :a", a=account)
    assert state == [("HALTED",)]
    told = rows(engine, "SELECT severity, body FROM notification.messages WHERE body LIKE :a", a=f"%{account}%")
    assert [severity for severity, _ in told] == ["critical"]
    assert "sent without an answer and is not found at the broker" in told[0][1]
    (order,) = rows(engine, "SELECT id FROM execution.orders WHERE account = :a", a=account)
    assert cancel_order(order[0]).status == "rejected"  # a person says that it never arrived


def test_a_refusal_is_proof_and_closes_the_order_with_the_brokers_words(
    places: Places, engine: Engine, simulator: Simulator
) -> None:
    account = plant(engine, 1, quantity=(900_000,))

    submit_orders.fn(as_of=None)

    ((status, problem),) = rows(engine, "SELECT status, problem FROM execution.orders WHERE account = :a", a=account)
    assert (status, simulator.orders()) == ("rejected", []), places
    assert "insufficient buying power" in problem


def test_a_persons_orders_are_placed_cancelled_replaced_and_refused_in_one_line(
    places: Places, engine: Engine, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = plant(engine, 0)
    simulator.control("clock", {"advance": "open"})

    terms = order_terms(symbol="IBM", side="buy", quantity=5, type="limit", limit_price="150.00", time_in_force="gtc")
    with pytest.raises(OrderRefusedError, match="average volume is unknown"):
        place_order(terms, by="ann")
    monkeypatch.setattr(manual, "average_volumes", lambda *_: {"IBM": 1e7})
    placed = place_order(terms, by="ann")
    follow_orders.fn()
    replaced = replace_order(placed.id, {"limit_price": Decimal("151.25")}, by="ann")
    follow_orders.fn()
    cancelled = cancel_order(replaced.id)

    assert (placed.strategy, placed.placed_by, placed.risk_decision_id) == ("manual", "ann", None), places
    assert replaced.replaces_id == placed.id
    statuses = rows(engine, "SELECT id, status FROM execution.orders WHERE account = :a ORDER BY id", a=account)
    assert statuses == [(placed.id, "replaced"), (replaced.id, "canceled")]
    assert cancelled.status == "canceled"
    with pytest.raises(OrderTermsError, match="there is nothing to replace"):
        replace_order(replaced.id, {"limit_price": placed.limit_price}, by="ann")
    with pytest.raises(TradingError, match="knows no such symbol"):
        place_order(order_terms(symbol="NOSUCH", side="buy", quantity=1), by="ann")
    with pytest.raises(OrderTermsError, match="IBM"):
        place_order(order_terms(symbol="IBM", side="sell", quantity="1.5"), by="ann")
    with pytest.raises(TradingError, match="unknown order '999999'"):
        cancel_order(999999)
    _set_state(engine, account, "HALTED")
    with pytest.raises(OrderRefusedError, match="trading is HALTED"):
        place_order(terms, by="ann")
    _set_state(engine, account, "REDUCING")
    with pytest.raises(OrderRefusedError, match="only orders that reduce"):
        place_order(terms, by="ann")


def _set_state(engine: Engine, account: str, state: str) -> None:
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE risk_management.trading_states SET state = :s WHERE account = :a"), {"s": state, "a": account}
        )


@pytest.mark.usefixtures("volumes_known")
def test_the_exits_of_a_bracket_are_orders_under_their_entry_and_one_ends_the_other(
    places: Places, engine: Engine, simulator: Simulator
) -> None:
    account = plant(engine, 0)
    terms = order_terms(
        symbol="IBM", side="buy", quantity=5, type="limit", limit_price="250.00", time_in_force="gtc",
        order_class="bracket", take_profit_price="300.00", stop_loss_price="150.00",
    )  # fmt: skip

    entry = place_order(terms, by="ann")
    before = rows(
        engine, "SELECT parent_id, side, status FROM execution.orders WHERE account = :a ORDER BY id", a=account
    )
    simulator.control("clock", {"advance": "session"})
    follow_orders.fn()
    apply_fills.fn()

    assert [(parent, side) for parent, side, _ in before] == [(None, "buy"), (entry.id, "sell"), (entry.id, "sell")]
    statuses = rows(engine, "SELECT status FROM execution.orders WHERE account = :a ORDER BY id", a=account)
    assert statuses[0] == ("filled",), places
    assert len(simulator.orders()) == 3


def test_a_cancel_that_comes_too_late_finds_the_fill(places: Places, engine: Engine, simulator: Simulator) -> None:
    account = plant(engine, 1)
    submit_orders.fn(as_of=None)
    ((order,),) = rows(engine, "SELECT id FROM execution.orders WHERE account = :a", a=account)
    simulator.control("clock", {"advance": "session"})

    after = cancel_order(order)
    follow_orders.fn()

    assert (after.status, after.filled_quantity) == ("filled", 3), places
    assert rows(engine, "SELECT count(*) FROM execution.fills WHERE account = :a", a=account) == [(1,)]


@pytest.mark.usefixtures("volumes_known")
def test_a_late_fill_of_a_cancelled_order_is_counted_once(
    places: Places, engine: Engine, simulator: Simulator, arm: Any
) -> None:
    account = plant(engine, 1)
    submit_orders.fn(as_of=None)
    arm({"kind": "late_fill", "seconds": 0, "fraction": 1, "count": 1})
    simulator.control("clock", {"advance": "open"})
    waiting = place_order(order_terms(symbol="MSFT", side="buy", quantity=2, type="limit", limit_price=1), by="ann")

    cancel_order(waiting.id)
    time.sleep(0.5)
    for _ in range(3):
        follow_orders.fn()

    ((status, filled),) = rows(
        engine, "SELECT status, filled_quantity FROM execution.orders WHERE id = :i", i=waiting.id
    )
    fills = rows(engine, "SELECT sum(quantity) FROM execution.fills WHERE order_id = :i", i=waiting.id)
    assert (status, filled, fills) == ("filled", 2, [(2,)]), (places, account)


def test_the_stream_tells_of_fills_and_a_cut_one_loses_nothing(
    places: Places, engine: Engine, simulator: Simulator, arm: Any
) -> None:
    account = plant(engine, 4)
    arm(
        {"kind": "stream_duplicate", "count": 3},
        {"kind": "stream_reorder", "count": 2},
    )
    with TradeStream(credentials()) as stream:
        watch = Watch(stream)
        assert watch.must_look(stream.news(20))  # connected: everything is asked for
        follow_orders.fn()
        submit_orders.fn(as_of=None)
        simulator.control("clock", {"advance": "open"})
        end = time.monotonic() + 20
        told = 0
        while _filled(engine, account) < 2 and time.monotonic() < end:
            if (news := stream.news(1)).orders:
                told += len(news.orders)
                record_updates.fn(news.orders)
        assert told, places
        stream.reconnect()  # as when the line is cut
        threading.Event().wait(0.2)
        while _filled(engine, account) < 4 and time.monotonic() < end:
            news = stream.news(1)
            if news.ask_again:
                follow_orders.fn()
            elif news.orders:
                record_updates.fn(news.orders)

    assert _filled(engine, account) == 4
    assert rows(engine, "SELECT count(*), sum(quantity) FROM execution.fills WHERE account = :a", a=account) == [
        (4, 12)
    ]


def _filled(engine: Engine, account: str) -> int:
    counted = "SELECT count(*) FROM execution.orders WHERE account = :a AND status = 'filled'"
    ((number,),) = rows(engine, counted, a=account)
    return int(number)


@pytest.mark.usefixtures("volumes_known")
def test_an_order_that_waits_too_long_gets_another_limit_and_is_closed_out_before_the_close(
    places: Places, engine: Engine, simulator: Simulator
) -> None:
    account = plant(engine, 0)
    simulator.control("clock", {"advance": "open"})
    first = place_order(
        order_terms(symbol="IBM", side="buy", quantity=5, type="limit", limit_price="150.00", time_in_force="gtc"),
        by="ann",
    )
    now = broker().clock().now

    simulator.control("clock", {"to": (now + timedelta(minutes=20)).isoformat()})
    repriced = follow_orders.fn(StalePolicy(after_minutes=10, action="reprice", reprice_bps=100))
    simulator.control("clock", {"to": (now + timedelta(minutes=387)).isoformat()})
    closed = follow_orders.fn(StalePolicy(remainder="market"))
    simulator.control("clock", {"advance": "close"})
    follow_orders.fn()

    assert "limit 151.50" in repriced.notes[0], places
    assert "5 at the market" in closed.notes[0]
    found = rows(
        engine,
        "SELECT type, status, limit_price, replaces_id FROM execution.orders WHERE account = :a ORDER BY id",
        a=account,
    )
    assert [tuple(row) for row in found] == [
        ("limit", "replaced", 150, None), ("limit", "canceled", 151.5, first.id), ("market", "filled", None, None)
    ]  # fmt: skip
