from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from blocks.catalogue import ALPACA, alpaca
from db.repositories import accounts, orders, risk
from tasks import resources
from tasks.execution.following import follow_orders
from tasks.execution.intents import terms_of
from tasks.execution.submission import _intend, submit_orders
from tasks.resources import broker, database
from trading.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from tests.stack import Stack


WAITING = {"pending_new", "accepted"}
"""States of an order that the broker has before the market opens."""


def statuses(stack: Stack) -> dict[str, int]:
    rows = stack.rows(
        "SELECT status, count(*) FROM execution.orders WHERE account = :account GROUP BY status",
        account=broker().account().number,
    )
    return {str(status): int(count) for status, count in rows}


def at_broker() -> list[str]:
    clock = broker().clock()
    return [order.client_order_id for order in broker().orders(since=clock.now.replace(year=2000))]


def test_approved_decisions_become_orders_at_the_broker_under_our_ids(inside: Stack, decided: date) -> None:
    submit_orders.fn(as_of=None)

    ours = inside.rows(
        "SELECT client_order_id FROM execution.orders WHERE account = :account", account=broker().account().number
    )
    assert sorted(at_broker()) == sorted(str(row[0]) for row in ours)
    assert len(ours) >= 1
    assert decided.isoformat() == "2012-12-03"


def test_ten_submitters_at_once_send_every_order_once(inside: Stack, decided: date) -> None:
    with ThreadPoolExecutor(10) as pool:
        reports = list(pool.map(lambda _: submit_orders.fn(as_of=None), range(10)))

    sent = at_broker()
    assert len(sent) == len(set(sent)) == sum(report.figures["sent"] for report in reports)
    assert set(statuses(inside)) <= WAITING, f"for session {decided}"


def test_an_intent_left_by_a_dead_run_is_found_at_the_broker_and_not_sent_again(inside: Stack, decided: date) -> None:
    gateway, clock = broker(), broker().clock()
    account = gateway.account().number
    with database().begin() as connection:
        _intend(connection, account, clock)
        left = orders.open_orders(connection, account)
    gateway.submit(terms_of(left[0]), client_order_id=left[0].client_order_id)

    submit_orders.fn(as_of=None)

    assert at_broker().count(left[0].client_order_id) == 1
    assert set(statuses(inside)) <= WAITING, f"for session {decided}"
    assert sum(statuses(inside).values()) == len(left) == len(at_broker())


def test_an_order_the_broker_refuses_is_closed_with_the_brokers_words(inside: Stack, decided: date) -> None:
    account = broker().account().number
    with database().begin() as connection:
        _intend(connection, account, broker().clock())
        row = orders.open_orders(connection, account)[0]
        connection.exec_driver_sql("UPDATE execution.orders SET quantity = 900000000 WHERE id = %s", (row.id,))

    submit_orders.fn(as_of=None)

    status, problem = inside.rows("SELECT status, problem FROM execution.orders WHERE id = :id", id=row.id)[0]
    assert status == "rejected", f"for session {decided}"
    assert "insufficient buying power" in str(problem).lower()


def test_while_trading_is_halted_no_order_leaves(inside: Stack, decided: date) -> None:
    account, clock = broker().account().number, broker().clock()
    with database().begin() as connection:
        risk.set_trading_state(connection, account=account, state="HALTED", reason="a drill", by="test", at=clock.now)

    submit_orders.fn(as_of=None)

    assert at_broker() == []
    assert set(statuses(inside)) == {"canceled"}, f"for session {decided}"


def test_a_time_outside_the_brokers_session_is_refused_before_anything_is_written(inside: Stack, decided: date) -> None:
    early = broker().clock().now.replace(year=2011)

    with pytest.raises(InvalidValueError, match=f"expected a time just before session {decided}"):
        submit_orders.fn(as_of=early)

    assert statuses(inside) == {}


@pytest.fixture
def deaf_to_posts(inside: Stack) -> Iterator[int]:
    """Put a wire between us and the broker that passes every request on, and drops the answers to POSTs."""
    listener = socket.create_server(("127.0.0.1", 0))
    target = ("127.0.0.1", inside.settings.simulator.port)
    port = listener.getsockname()[1]
    threading.Thread(target=_serve, args=(listener, target), daemon=True).start()
    block = alpaca(inside.settings)
    block.model_copy(update={"trading_url": f"http://127.0.0.1:{port}"}).save(ALPACA, overwrite=True)
    resources.credentials.cache_clear()
    yield port
    block.save(ALPACA, overwrite=True)
    resources.credentials.cache_clear()
    listener.close()


def _serve(listener: socket.socket, target: tuple[str, int]) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_pass_on, args=(client, target), daemon=True).start()


def _pass_on(client: socket.socket, target: tuple[str, int]) -> None:
    with client, socket.create_connection(target) as server:
        while request := client.recv(65536):
            while len(request) < _length(request):
                request += client.recv(65536)
            server.sendall(request)
            answer = server.recv(65536)
            if request.startswith(b"POST"):
                return
            while len(answer) < _length(answer):
                answer += server.recv(65536)
            client.sendall(answer)


def _length(message: bytes) -> int:
    head, _, _ = message.partition(b"\r\n\r\n")
    sizes = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")]
    return len(head) + 4 + int(sizes[0]) if sizes else 0


def test_an_order_whose_answer_is_lost_is_looked_up_and_never_sent_twice(
    inside: Stack, decided: date, deaf_to_posts: int
) -> None:
    submit_orders.fn(as_of=None)
    lost = statuses(inside)
    sent = at_broker()
    follow_orders.fn()

    assert deaf_to_posts > 0
    assert lost == {"unknown": len(sent)}, f"for session {decided}"
    assert len(sent) == len(set(sent)) >= 1
    assert set(statuses(inside)) <= WAITING
    assert sorted(at_broker()) == sorted(sent)


def test_the_account_is_locked_for_other_submitters_only(inside: Stack, decided: date) -> None:
    account = broker().account().number
    with inside.engine.begin() as holder:
        accounts.lock(holder, account, "size")
        report = submit_orders.fn(as_of=None)

    assert report.figures["sent"] >= 1, f"for session {decided}"
    assert all(Decimal(row[0]) > 0 for row in inside.rows("SELECT quantity FROM execution.orders"))
