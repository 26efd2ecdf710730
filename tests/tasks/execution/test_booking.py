"""Spin-offs and renames of held shares: from the stored actions into the books, confirmed by the broker's lines."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import insert, text

from db.models.execution import Account, Fill, Order
from db.repositories import entries, ingestion
from tasks.execution import activities
from tasks.execution.activities import match_activities
from tasks.execution.booking import book
from trading.broker import BrokerActivity

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

D = Decimal
EX = date(2013, 1, 2)
AFTER = date(2013, 2, 1)
POSITIONS = (
    "SELECT strategy, symbol, quantity, round(average_cost * quantity, 2), fifo_realised_pnl "
    "FROM execution.positions ORDER BY symbol, strategy"
)
ENTRIES = "SELECT key, kind, strategy, symbol, quantity, activity_id FROM execution.book_entries ORDER BY key, strategy"


def trade(connection: Connection, symbol: str, shares: str, price: str, at: datetime, *, strategy: str = "s") -> None:
    """Write a fill and its order."""
    quantity = abs(D(shares))
    names = {"account": "A1", "strategy": strategy, "symbol": symbol, "quantity": quantity}
    names["side"] = "buy" if D(shares) > 0 else "sell"
    name = f"{strategy} {symbol} {shares} {at}"
    terms = {"client_order_id": name, "type": "market", "time_in_force": "day", "status": "filled"}
    order = insert(Order).values(**names, **terms, intended_at=at).returning(Order.id)
    key = connection.execute(order).scalar_one()
    connection.execute(insert(Fill).values(**names, order_id=key, execution_id=name, price=D(price), filled_at=at))


def act(connection: Connection, symbol: str, kind: str, **terms: Any) -> None:
    run = ingestion.begin(connection, source="csv", timeframe="1Day", symbols=[symbol], flow_run_id=None)
    empty = dict.fromkeys(("ratio", "cash", "new_symbol", "shares"))
    row = {**empty, "symbol": symbol, "kind": kind, "ex_date": EX, "source": "broker", "ingestion_run_id": run, **terms}
    ingestion.record_actions(connection, [row])


def at(day: int, month: int = 12, year: int = 2012) -> datetime:
    return datetime(year, month, day, 15, tzinfo=UTC)


def rows(connection: Connection, statement: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in connection.execute(text(statement))]


@pytest.fixture
def account(engine: Engine) -> str:
    with engine.begin() as connection:
        known = {"account": "A1", "kind": "simulator", "opening_equity": 1, "opening_cash": 1}
        connection.execute(insert(Account).values(**known, first_seen_at=at(3), last_seen_at=at(3)))
        trade(connection, "ABT", "10", "60", at(3))
        trade(connection, "ABT", "5", "66", at(4), strategy="t")
        book(connection, "A1", ["ABT"], until=at(5).date())
    return "A1"


def line(identity: str, kind: str, symbol: str, *, shares: str = "0", amount: str = "0") -> BrokerActivity:
    return BrokerActivity(identity, kind, symbol, EX, D(amount), D(shares), None)


def test_a_spin_off_is_booked_once_and_its_value_when_that_becomes_known(engine: Engine, account: str) -> None:
    with engine.begin() as connection:
        act(connection, "ABT", "spin_off", shares=D("0.5"), new_symbol="ABBV")
        first = book(connection, account, (), until=AFTER)
        again = book(connection, account, (), until=AFTER)
        unvalued = rows(connection, POSITIONS)
        act(connection, "ABT", "spin_off", shares=D("0.5"), new_symbol="ABBV", ratio=D("0.16"))
        book(connection, account, (), until=AFTER)
        valued = rows(connection, POSITIONS)

    assert {row["key"] for row in first} == {"spin_off:ABT:2013-01-02", "spin_off:ABT:2013-01-02>ABBV"}
    assert again == []
    assert [row[1:4] for row in unvalued] == [
        ("ABBV", D(5), D(0)), ("ABBV", D("2.5"), D(0)), ("ABT", D(10), D(600)), ("ABT", D(5), D(330)),
    ]  # fmt: skip
    # 16 % of 600 and of 330
    assert [row[1:4] for row in valued] == [
        ("ABBV", D(5), D(96)), ("ABBV", D("2.5"), D("52.8")), ("ABT", D(10), D(504)), ("ABT", D(5), D("277.2")),
    ]  # fmt: skip


def test_a_fill_that_is_told_of_late_changes_what_came_from_it(engine: Engine, account: str) -> None:
    with engine.begin() as connection:
        act(connection, "ABT", "spin_off", shares=D(1), new_symbol="ABBV", ratio=D("0.5"))
        book(connection, account, (), until=AFTER)
        trade(connection, "ABBV", "-10", "40", at(3, 1, 2013))
        book(connection, account, ["ABBV"], until=AFTER)
        trade(connection, "ABT", "2", "80", at(5))  # before the ex-date
        book(connection, account, ["ABT"], until=AFTER)
        found = rows(connection, POSITIONS)

    # 10 at 30 and 2 at 40 came; first in first out 10 * (40 - 30) was won; the average cost is kept to six decimals
    assert [row for row in found if row[:2] == ("s", "ABBV")] == [("s", "ABBV", D(2), D("63.33"), D(100))]
    assert [row[:4] for row in found if row[:2] == ("s", "ABT")] == [("s", "ABT", D(12), D(380))]


def test_a_renamed_position_goes_on_under_its_new_name_with_what_happens_to_that(engine: Engine, account: str) -> None:
    with engine.begin() as connection:
        act(connection, "ABT", "rename", new_symbol="NEW")
        act(connection, "NEW", "split", ratio=D(2), ex_date=date(2013, 1, 9))
        book(connection, account, (), until=AFTER)
        found = rows(connection, POSITIONS)
        quantity = rows(connection, "SELECT symbol, sum(quantity), sum(cost) FROM execution.lots GROUP BY 1")

    assert [row[:4] for row in found] == [
        ("s", "ABT", D(0), D(0)), ("t", "ABT", D(0), D(0)), ("s", "NEW", D(20), D(600)), ("t", "NEW", D(10), D(330)),
    ]  # fmt: skip
    assert quantity == [("NEW", D(30), D(930))]


def test_the_brokers_lines_confirm_them_and_pay_for_the_fraction(
    engine: Engine, account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activities, "database", lambda: engine)
    with engine.begin() as connection:
        act(connection, "ABT", "spin_off", shares=D("0.5"), new_symbol="ABBV", ratio=D("0.16"))
    lines = [line("spin", "SPIN", "ABBV", shares="7"), line("cash", "CIL", "ABBV", shares="0.5", amount="16.5")]

    told = match_activities(account, lines, until=AFTER)
    again = match_activities(account, lines, until=AFTER)

    assert [one["subject"] for one in told] == ["CIL ABBV 2013-01-02"]  # cash is the broker's to say
    assert again == []
    with engine.begin() as connection:
        assert entries.unconfirmed(connection, account) == []
        booked = {row[0]: row for row in rows(connection, ENTRIES)}
        held = rows(connection, "SELECT sum(quantity) FROM execution.positions WHERE symbol = 'ABBV'")
    assert booked["spin_off:ABT:2013-01-02>ABBV"][-1] == "spin"
    assert booked["cash_in_lieu:ABBV:2013-01-02"][-1] == "cash"
    assert held == [(D(7),)]


def test_a_line_of_an_exchange_that_no_action_explains_is_left_to_a_person(
    engine: Engine, account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activities, "database", lambda: engine)

    assert match_activities(account, [line("spin", "SPIN", "ABBV", shares="7")], until=AFTER) == []
    with engine.begin() as connection:
        assert rows(connection, ENTRIES) == []
