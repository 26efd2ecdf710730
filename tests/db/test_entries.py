from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import insert

from db.models import execution
from db.repositories import entries, ingestion
from tests.db.conftest import begin
from trading.calendar import bar_timestamp

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

D = Decimal
BOUGHT = datetime(2005, 2, 7, 21, 0, tzinfo=UTC)


@pytest.fixture
def account(engine: Engine) -> str:
    """Return an account that bought AAPL and IBM on 2005-02-07, and know of what they did since."""
    with engine.begin() as connection:
        run = begin(connection)
        shared = {"source": "broker", "ingestion_run_id": run, "new_symbol": None}
        actions: list[dict[str, Any]] = [
            {"symbol": "AAPL", "kind": "split", "ex_date": date(2005, 2, 28), "ratio": 2, "cash": None},
            {"symbol": "IBM", "kind": "dividend", "ex_date": date(2005, 2, 8), "ratio": None, "cash": D("0.18")},
            {"symbol": "IBM", "kind": "dividend", "ex_date": date(2005, 2, 7), "ratio": None, "cash": D("9")},
            {"symbol": "MSFT", "kind": "dividend", "ex_date": date(2005, 2, 8), "ratio": None, "cash": D("0.08")},
        ]
        ingestion.record_actions(connection, [{**shared, **row} for row in actions])
        plant(connection)
    return "A1"


def plant(connection: Connection) -> None:
    """Write the account and its two purchases."""
    opening = {"account": "A1", "kind": "simulator", "opening_equity": 1000, "opening_cash": 1000}
    connection.execute(insert(execution.Account).values(**opening, first_seen_at=BOUGHT, last_seen_at=BOUGHT))
    for symbol in ("AAPL", "IBM"):
        names = {"account": "A1", "strategy": "s", "symbol": symbol, "side": "buy", "quantity": 10}
        order = insert(execution.Order).values(
            **names, client_order_id=symbol, type="market", time_in_force="day", status="filled", intended_at=BOUGHT
        )
        key = connection.execute(order.returning(execution.Order.id)).scalar_one()
        fill = {**names, "order_id": key, "execution_id": symbol, "price": 5, "filled_at": BOUGHT}
        connection.execute(insert(execution.Fill).values(**fill))


def entry(key: str, kind: str, **terms: Any) -> dict[str, Any]:
    empty = dict.fromkeys(("ratio", "rate", "shares", "price", "activity_id", "flow_run_id"))
    symbol = key.split(":")[1]
    shared = {"account": "A1", "strategy": "s", "key": key, "kind": kind, "symbol": symbol, "explanation": "a test"}
    return {**empty, **shared, "at": bar_timestamp(date(2005, 2, 8)), **terms}


def test_actions_of_what_was_held_before_the_ex_date_are_due_once(engine: Engine, account: str) -> None:
    with engine.begin() as connection:
        due = entries.due_actions(connection, account, until=date(2005, 2, 28))
        assert sorted((row.key, row.ratio, row.cash) for row in due) == [
            ("dividend:IBM:2005-02-08", None, D("0.18")),
            ("split:AAPL:2005-02-28", D(2), None),
        ]
        assert [row.symbol for row in entries.due_actions(connection, account, until=date(2005, 2, 27))] == ["IBM"]
        paid = entry("dividend:IBM:2005-02-08", "dividend", rate=D("0.18"), quantity=0, cash=D("1.80"))
        assert entries.record(connection, [paid]) == 1
        assert [row.symbol for row in entries.due_actions(connection, account, until=date(2005, 2, 28))] == ["AAPL"]


def test_actions_of_shares_that_were_taken_over_are_due_as_well(engine: Engine, account: str) -> None:
    taken = entry("adjustment:MSFT", "adjustment", shares=5, price=20, quantity=5, cash=-100) | {"at": BOUGHT}
    with engine.begin() as connection:
        entries.record(connection, [taken])
        due = entries.due_actions(connection, account, until=date(2005, 2, 8))
        assert sorted(row.symbol for row in due) == ["IBM", "MSFT"]


def test_an_entry_is_written_once_and_only_what_it_came_to_changes(engine: Engine, account: str) -> None:
    paid = entry("dividend:IBM:2005-02-08", "dividend", rate=D("0.18"), quantity=0, cash=D("1.80"))
    with engine.begin() as connection:
        assert [entries.record(connection, [paid]), entries.record(connection, [paid])] == [1, 0]
        assert entries.record(connection, [{**paid, "rate": D(9), "cash": D("3.60")}]) == 0
        [row] = entries.of_symbols(connection, account, ["IBM"])
        assert (row.rate, row.cash) == (D("0.18"), D("3.60"))


def test_what_the_broker_confirmed_waits_for_nothing(engine: Engine, account: str) -> None:
    paid = entry("dividend:IBM:2005-02-08", "dividend", rate=D("0.18"), quantity=0, cash=D("1.80"))
    other = {**paid, "strategy": "t", "cash": D("0.90")}
    nothing = entry("split:AAPL:2005-02-28", "split", ratio=D(2), quantity=0, cash=0)
    with engine.begin() as connection:
        entries.record(connection, [paid, other, nothing])
        [waiting] = entries.unconfirmed(connection, account)
        assert (waiting.key, waiting.cash) == ("dividend:IBM:2005-02-08", D("2.70"))
        entries.confirm(connection, account, waiting.key, activity="20050208::div")
        assert entries.unconfirmed(connection, account) == []
        assert entries.confirmed_activities(connection, account) == {"20050208::div"}
