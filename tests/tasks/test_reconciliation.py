from __future__ import annotations

import json
import threading
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from blocks.catalogue import ALPACA, alpaca
from tasks import resources
from tasks.execution.booking import book
from tasks.execution.following import follow_orders
from tasks.execution.positions import apply_fills
from tasks.execution.reconciliation import forget_start, reconcile_at_start, reconcile_books
from tasks.execution.simulation import step_after_close
from tasks.execution.submission import submit_orders
from tasks.resources import broker, database
from tests.ports import free_port
from trading.errors import UnavailableError
from trading.order_terms import order_terms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date

    from tests.stack import Stack

D = Decimal
COUNTED = ("orders", "order_events", "fills", "positions", "lots", "book_entries", "reconciliation_breaks")


def held(stack: Stack) -> dict[tuple[str, str], Decimal]:
    rows = stack.rows(
        "SELECT strategy, symbol, quantity FROM execution.positions WHERE account = :a AND quantity <> 0",
        a=broker().account().number,
    )
    return {(str(strategy), str(symbol)): D(quantity) for strategy, symbol, quantity in rows}


def everything(stack: Stack) -> dict[str, list[tuple[Any, ...]]]:
    """Return all rows of the books, so that nothing changes unseen."""
    return {name: sorted(stack.rows(f"SELECT * FROM execution.{name}"), key=str) for name in COUNTED}


def buy(symbol: str, shares: int, name: str) -> None:
    """Place an order as somebody outside of the system does."""
    broker().submit(order_terms(symbol=symbol, side="buy", quantity=shares), client_order_id=name)


def state(stack: Stack) -> tuple[Any, ...]:
    query = "SELECT state, reason, changed_by FROM risk_management.trading_states WHERE account = :a"
    return stack.rows(query, a=broker().account().number)[0]


def change(stack: Stack, statement: str, *values: Any) -> None:
    with stack.engine.begin() as connection:
        connection.exec_driver_sql(statement, values)


@pytest.fixture
def traded(decided: date) -> date:
    """Return a session whose orders have filled and whose books agree."""
    submit_orders.fn(as_of=None)
    step_after_close.fn(decided)
    follow_orders.fn()
    apply_fills.fn()
    return decided


class Between(ThreadingHTTPServer):
    """A wire to the broker that can change what comes back over it."""

    daemon_threads = True

    def __init__(self, target: str) -> None:
        super().__init__(("127.0.0.1", free_port()), _Handler)
        self.target = target
        self.alter: Callable[[str, int, bytes], tuple[int, str, bytes]] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Between

    def _pass_on(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        headers = {name: value for name, value in self.headers.items() if name.startswith("APCA")}
        answer = httpx.request(
            self.command, self.server.target + self.path, headers=headers, content=self.rfile.read(length), timeout=30
        )
        status, kind, body = answer.status_code, "application/json", answer.content
        if self.server.alter is not None:
            status, kind, body = self.server.alter(self.path, status, body)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_DELETE = do_PATCH = _pass_on  # noqa: N815 - names of the standard library

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def between(inside: Stack) -> Iterator[Between]:
    """Put a wire between us and the broker."""
    block = alpaca(inside.settings)
    wire = Between(block.trading_url)
    threading.Thread(target=wire.serve_forever, daemon=True).start()
    block.model_copy(update={"trading_url": wire.address}).save(ALPACA, overwrite=True)
    resources.credentials.cache_clear()
    yield wire
    block.save(ALPACA, overwrite=True)
    resources.credentials.cache_clear()
    wire.shutdown()
    wire.server_close()


def changed(path: str, edit: Callable[[Any], Any]) -> Callable[[str, int, bytes], tuple[int, str, bytes]]:
    """Return what edits the JSON of answers to one path."""

    def alter(asked: str, status: int, body: bytes) -> tuple[int, str, bytes]:
        if asked.partition("?")[0] == path and status == 200:
            body = json.dumps(edit(json.loads(body))).encode()
        return status, "application/json", body

    return alter


def test_books_that_agree_with_the_broker_reconcile_clean_again_and_again(inside: Stack, traded: date) -> None:
    first = reconcile_books.fn()
    before = everything(inside)
    again = reconcile_books.fn()

    assert first.figures["verdict"] == again.figures["verdict"] == "clean", f"for session {traded}"
    assert first.figures["orders_checked"] >= 1
    assert everything(inside) == before
    account = broker().account().number
    assert inside.scalar("SELECT count(*) FROM execution.reconciliation_runs WHERE account = :a", a=account) == 1


def test_an_order_somebody_else_placed_is_adopted_with_its_fills(inside: Stack, decided: date) -> None:
    buy("IBM", 3, "by hand")
    step_after_close.fn(decided)

    report = reconcile_books.fn()
    before = everything(inside)
    again = reconcile_books.fn()

    assert [(row["kind"], row["subject"], row["status"]) for row in report.rows] == [("order", "by hand", "adopted")]
    assert report.figures["verdict"] == "corrected"
    assert held(inside) == {("external", "IBM"): D(3)}
    assert again.rows == []
    assert {**everything(inside), "reconciliation_breaks": []} == {**before, "reconciliation_breaks": []}
    assert state(inside)[0] == "ACTIVE"


def test_a_fill_we_missed_is_applied_however_old_it_is(inside: Stack, traded: date) -> None:
    before = held(inside)
    account = broker().account().number
    change(inside, "DELETE FROM execution.lots WHERE account = %s", account)
    change(inside, "DELETE FROM execution.fills WHERE account = %s", account)
    change(inside, "DELETE FROM execution.positions WHERE account = %s", account)

    report = reconcile_books.fn()

    assert report.figures["verdict"] == "clean", f"for session {traded}"
    assert report.figures["fills missed"] == len(before) >= 1
    assert held(inside) == before


def test_rows_that_do_not_follow_from_the_fills_are_made_anew_of_them(inside: Stack, traded: date) -> None:
    before = held(inside)
    change(
        inside, "UPDATE execution.positions SET quantity = quantity + 7 WHERE account = %s", broker().account().number
    )

    assert reconcile_books.fn().figures["verdict"] == "clean", f"for session {traded}"
    assert held(inside) == before


def cash_off_by(between: Between, amount: str) -> None:
    between.alter = changed("/v2/account", lambda account: {**account, "cash": str(D(account["cash"]) + D(amount))})


def test_a_small_drift_of_cash_is_corrected_by_a_recorded_adjustment_once(
    inside: Stack, between: Between, traded: date
) -> None:
    cash_off_by(between, "-0.37")

    first, again = reconcile_books.fn(), reconcile_books.fn()

    assert first.figures["verdict"] == "corrected", f"for session {traded}"
    assert again.figures["verdict"] == "clean"
    query = (
        "SELECT strategy, cash, quantity, explanation FROM execution.book_entries WHERE account = :a AND kind = 'cash'"
    )
    [(strategy, cash, quantity, words)] = inside.rows(query, a=broker().account().number)
    assert (strategy, quantity) == ("external", 0)
    assert abs(D(cash) + D("0.37")) <= D("0.01")  # the broker shows cents, its books have more
    assert "a drift within the tolerance" in str(words)
    assert state(inside)[0] == "ACTIVE"


def test_a_large_difference_of_cash_halts_trading_until_a_person_takes_it_over(
    inside: Stack, between: Between, traded: date
) -> None:
    cash_off_by(between, "-250")

    first, again = reconcile_books.fn(), reconcile_books.fn()

    assert first.figures["verdict"] == again.figures["verdict"] == "broken", f"for session {traded}"
    halted, reason, by = state(inside)
    assert (halted, by) == ("HALTED", "reconcile_trades")
    assert "cash USD" in str(reason)
    account = broker().account().number
    query = "SELECT status, count(*) FROM execution.reconciliation_breaks WHERE account = :a GROUP BY status"
    assert inside.rows(query, a=account) == [("open", 1)]

    taken = reconcile_books.fn(accept="a transfer to the bank")
    assert taken.figures["verdict"] == "corrected"
    assert "taken over from the broker: a transfer to the bank" in taken.rows[0]["explanation"]
    assert reconcile_books.fn().figures["verdict"] == "clean"
    assert inside.rows(query, a=account) == [("corrected", 1)]
    assert state(inside)[0] == "HALTED"


def test_a_position_the_broker_lost_halts_trading_and_cancels_open_orders(
    inside: Stack, between: Between, traded: date
) -> None:
    strategy, symbol = next(iter(held(inside)))
    buy("MSFT", 1, "waits")

    def without(path: str, status: int, body: bytes) -> tuple[int, str, bytes]:
        if status != 200 or path not in {"/v2/positions", "/v2/account"}:
            return status, "application/json", body
        kept = json.loads(body)
        if path == "/v2/positions":
            kept = [row for row in kept if row["symbol"] != symbol]
        if path == "/v2/account":
            kept["long_market_value"] = str(sum(D(row["market_value"]) for row in left))
        return status, "application/json", json.dumps(kept).encode()

    left = [row for row in httpx.get(f"{between.target}/v2/positions", headers=resources.credentials().headers()).json()
            if row["symbol"] != symbol]  # fmt: skip
    between.alter = without

    report = reconcile_books.fn()

    broken = [row for row in report.rows if row["status"] == "open"]
    assert [(row["kind"], row["subject"], row["brokers"]) for row in broken] == [("position", symbol, "0")]
    assert state(inside)[0] == "HALTED", f"for session {traded}"
    between.alter = None
    assert broker().find("waits").status == "canceled"  # type: ignore[union-attr]
    assert (strategy, symbol) in held(inside)


def test_positions_that_cannot_be_the_whole_list_are_no_verdict(inside: Stack, between: Between, traded: date) -> None:
    between.alter = changed("/v2/positions", lambda rows: rows[1:])
    before = everything(inside)

    with pytest.raises(UnavailableError, match="the list cannot be whole"):
        reconcile_books.fn()

    assert everything(inside) == before, f"for session {traded}"
    assert state(inside)[0] == "ACTIVE"


BROKEN: dict[str, tuple[int, str, bytes]] = {
    "500": (500, "application/json", b'{"message": "internal server error"}'),
    "429": (429, "application/json", b'{"message": "too many requests."}'),
    "HTML": (200, "text/html", b"<html><body>Bad Gateway</body></html>"),
    "half a page": (200, "application/json", b'[{"id": "61e69015-8549-4bfd", "symb'),
    "an object": (200, "application/json", b'{"code": 40410000, "message": "not found"}'),
    "rows without figures": (200, "application/json", b'[{"id": "61e69015"}]'),
    "nothing": (200, "application/json", b""),
}


@pytest.mark.parametrize("answer", BROKEN)
def test_a_broker_that_does_not_tell_is_not_a_flat_account(
    inside: Stack, between: Between, traded: date, answer: str
) -> None:
    before = everything(inside)
    for path in ("/v2/orders", "/v2/positions", "/v2/account/activities"):

        def alter(asked: str, status: int, body: bytes, path: str = path) -> tuple[int, str, bytes]:
            broken = asked.partition("?")[0] == path
            return BROKEN[answer] if broken else (status, "application/json", body)

        between.alter = alter
        with pytest.raises(UnavailableError):
            reconcile_books.fn()
    assert everything(inside) == before, f"for session {traded}"
    assert state(inside)[0] == "ACTIVE"


def test_fills_that_cannot_be_read_are_no_verdict_while_some_are_missing(
    inside: Stack, between: Between, traded: date
) -> None:
    account = broker().account().number
    change(inside, "DELETE FROM execution.lots WHERE account = %s", account)
    change(inside, "DELETE FROM execution.fills WHERE account = %s", account)
    before = everything(inside)
    for answer in BROKEN.values():

        def alter(
            asked: str, status: int, body: bytes, answer: tuple[int, str, bytes] = answer
        ) -> tuple[int, str, bytes]:
            return answer if "/activities/FILL" in asked else (status, "application/json", body)

        between.alter = alter
        with pytest.raises(UnavailableError):
            reconcile_books.fn()
    assert everything(inside) == before, f"for session {traded}"
    between.alter = None
    assert reconcile_books.fn().figures["fills missed"] >= 1


def test_nothing_is_sent_after_a_start_before_the_books_were_compared(
    inside: Stack, between: Between, decided: date
) -> None:
    from flows.steps import as_function, decide

    forget_start()
    between.alter = lambda *_: BROKEN["500"]
    with pytest.raises(UnavailableError):
        decide(None, as_function)
    between.alter = None
    assert broker().orders(since=broker().clock().now.replace(year=2000)) == []

    assert reconcile_at_start.fn() is not None, f"for session {decided}"
    assert reconcile_at_start.fn() is None
    submit_orders.fn(as_of=None)
    assert len(broker().orders(since=broker().clock().now.replace(year=2000))) >= 1
    assert inside.settings.simulated


def test_a_split_and_a_dividend_are_booked_once_and_confirmed_by_the_brokers_lines(
    inside: Stack, fresh_account: Stack
) -> None:
    """AAPL on the simulator: 2 for 1 on 2005-02-28; IBM paid 0.18 USD on 2005-02-08."""
    inside.simulator("reset", {"start": "2005-02-04"})
    buy("AAPL", 10, "apples")
    buy("IBM", 100, "machines")
    inside.simulator("clock", {"to": "2005-02-07T21:20:00Z"})
    assert reconcile_books.fn().figures["verdict"] == "corrected"
    account = broker().account().number
    with inside.engine.begin() as connection:
        run = connection.exec_driver_sql("SELECT max(id) FROM data_ingestion.ingestion_runs").scalar_one()
        connection.exec_driver_sql(
            "INSERT INTO data_ingestion.corporate_actions (symbol, kind, ex_date, ratio, cash, source, "
            "ingestion_run_id) VALUES ('AAPL', 'split', '2005-02-28', 2, NULL, 'test', %s), "
            "('IBM', 'dividend', '2005-02-08', NULL, 0.18, 'test', %s) ON CONFLICT DO NOTHING",
            (run, run),
        )

    inside.simulator("clock", {"to": "2005-03-01T21:20:00Z"})
    apply_fills.fn()
    first = reconcile_books.fn()
    before = everything(inside)
    again = reconcile_books.fn()

    assert first.figures["verdict"] == again.figures["verdict"] == "clean", first.rows
    assert everything(inside) == before
    assert state(fresh_account)[0] == "ACTIVE"
    assert held(inside)["external", "AAPL"] == 20
    # the shares themselves were taken over, for they were ordered before the account was first seen
    columns = "kind, symbol, quantity, cash, activity_id IS NOT NULL"
    query = f"SELECT {columns} FROM execution.book_entries WHERE account = :a AND kind <> 'adjustment'"
    assert sorted(inside.rows(query, a=account)) == [
        ("dividend", "IBM", D(0), D("18.000000"), True),
        ("split", "AAPL", D(10), D(0), True),
    ]
    change(inside, "DELETE FROM data_ingestion.corporate_actions WHERE source = 'test'")
    income = "SELECT income FROM execution.positions WHERE account = :a AND symbol = 'IBM'"
    assert inside.scalar(income, a=account) == 18


def test_actions_that_only_the_broker_tells_of_are_booked_from_its_lines(inside: Stack, fresh_account: Stack) -> None:
    """MSFT on the simulator: 2 for 1 on 2003-02-18, then 0.08 USD on 2003-02-19; our tables know neither."""
    change(inside, "DELETE FROM data_ingestion.corporate_actions WHERE symbol = 'MSFT' AND ex_date < '2004-01-01'")
    inside.simulator("reset", {"start": "2003-02-10"})
    buy("MSFT", 10, "windows")
    inside.simulator("clock", {"to": "2003-02-11T21:20:00Z"})
    reconcile_books.fn()
    inside.simulator("clock", {"to": "2003-02-20T21:20:00Z"})

    report = reconcile_books.fn()

    told = {row["subject"].split()[0] for row in report.rows}
    assert {row["status"] for row in report.rows} == {"adopted"}
    assert "SPLIT" in told
    assert held(inside)["external", "MSFT"] == 20
    assert reconcile_books.fn().figures["verdict"] == "clean"
    assert state(fresh_account)[0] == "ACTIVE"


def test_shares_held_before_the_account_was_first_seen_are_taken_over(inside: Stack, fresh_account: Stack) -> None:
    buy("IBM", 5, "long ago")
    inside.simulator("clock", {"to": "2012-12-10T21:20:00Z"})

    report = reconcile_books.fn()

    assert report.figures["verdict"] == "corrected"
    assert held(inside) == {("external", "IBM"): D(5)}
    assert reconcile_books.fn().figures["verdict"] == "clean"
    assert state(fresh_account)[0] == "ACTIVE"


def test_booking_the_same_thing_twice_changes_nothing(inside: Stack, traded: date) -> None:
    account, until = broker().account().number, broker().clock().last_opened
    before = everything(inside)
    with database().begin() as connection:
        assert book(connection, account, {"AAPL", "FB", "GOOG", "IBM", "MSFT"}, until=until) == []
    apply_fills.fn()
    assert everything(inside)["lots"] == before["lots"], f"for session {traded}"
    assert [row[:6] for row in everything(inside)["positions"]] == [row[:6] for row in before["positions"]]
