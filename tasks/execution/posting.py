"""Sending intents: each is posted once, a few at a time, and the answers are written down as they come."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import OperationalError

from db.repositories import risk
from tasks.broker import NOT_FOUND
from tasks.execution.intents import terms_of
from tasks.execution.recording import record_broker_orders, record_own
from tasks.resources import broker, database, flow_run_id
from trading.errors import BrokerError, UnavailableError
from trading.orders import OrderEvent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Row

    from tasks.broker import Broker
    from trading.broker import BrokerOrder, Clock

DUPLICATE = 40010001
"""Alpaca's code for a client_order_id it has already: the order may be ours."""
AT_ONCE = 8
"""Posts under way at a time."""
BATCH = 200
FLUSH_SECONDS = 0.25
"""Answers are written down in batches of so many, or after so long; a halt takes effect as fast."""
PATIENCE = 60.0
"""Seconds for which answers wait for a database that has gone away."""
IN_FLIGHT = timedelta(seconds=60)
"""How long after it was written down an intent of a dead process may still be on its way to the broker."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an intent: the broker's answer, or what our own side observed."""

    row: Row[Any]
    answer: BrokerOrder | None = None
    event: OrderEvent | None = None
    problem: str | None = None


@dataclass(slots=True)
class _Gate:
    """What may still leave: less once trading is not ACTIVE, nothing once answers cannot be written down."""

    refused: dict[int, str]
    closed: threading.Event = field(default_factory=threading.Event)


class _Answers:
    """What came back so far: taken together, so that a thread that posts wakes the writing one seldom."""

    def __init__(self, expected: int) -> None:
        self._missing = expected
        self._lock, self._due = threading.Lock(), threading.Event()
        self._found: list[Outcome | BaseException | None] = []

    def put(self, answer: Outcome | BaseException | None) -> None:
        """Add what became of an intent, None when it was left alone."""
        with self._lock:
            self._found.append(answer)
            self._missing -= 1
            if not self._missing or len(self._found) >= BATCH or isinstance(answer, BaseException):
                self._due.set()

    def take(self) -> list[Outcome | BaseException | None]:
        """Wait for a batch, for the last answers or until it is time to write; return what has come."""
        self._due.wait(FLUSH_SECONDS)
        with self._lock:
            found, self._found = self._found, []
            self._due.clear()
            return found


def send(
    rows: Sequence[Row[Any]],
    *,
    account: str,
    clock: Clock,
    refused: Mapping[int, str],
    left: Mapping[int, timedelta],
) -> None:
    """Post intents and write down what became of each.

    Parameters
    ----------
    rows
        Committed intents, in the order in which they are to leave.
    refused
        Why some of them must not be sent; more are refused when the trading state, which is read anew whenever
        answers are written down, changes on the way.
    left
        The age of those that an earlier run wrote down and may have sent: they are looked up first.

    Raises
    ------
    UnavailableError
        The database went away. What was sent is written down or is found at the broker by the next run.
    """
    gate, answers = _Gate(dict(refused)), _Answers(len(rows))

    def work(row: Row[Any]) -> None:
        try:
            answers.put(_outcome(row, left.get(row.id), gate))
        except BaseException as error:  # noqa: BLE001 - raised again where the answers are written down
            answers.put(error)

    if len(rows) == 1:
        work(rows[0])
        _write_down(answers, rows, account, clock, gate)
        return
    with ThreadPoolExecutor(AT_ONCE, "submit") as pool:
        for row in rows:
            pool.submit(work, row)
        try:
            _write_down(answers, rows, account, clock, gate)
        finally:
            gate.closed.set()


def _outcome(row: Row[Any], age: timedelta | None, gate: _Gate) -> Outcome | None:
    """Post one intent; one that may have been sent before is looked up first."""
    if gate.closed.is_set():
        return None
    gateway = broker()
    try:
        found = gateway.find(row.client_order_id) if age is not None else None
    except (BrokerError, UnavailableError) as error:
        return Outcome(row, event=OrderEvent.NO_ANSWER, problem=str(error))
    if found is not None:
        return Outcome(row, answer=found)
    if (reason := gate.refused.get(row.id)) is None:
        return _posted(gateway, row)
    if age is not None and age < IN_FLIGHT:
        why = f"{reason}; a run that died may have sent it: it is looked up until that is known"
        return Outcome(row, event=OrderEvent.NO_ANSWER, problem=why)
    return Outcome(row, event=OrderEvent.WITHDRAWN, problem=reason)


def _posted(gateway: Broker, row: Row[Any]) -> Outcome:
    try:
        answer = gateway.submit(terms_of(row), client_order_id=row.client_order_id)
    except BrokerError as error:
        if error.code == DUPLICATE:
            return _adopted(gateway, row)
        proof = error.status != NOT_FOUND  # no order is refused so: something else answered
        event = OrderEvent.REJECTED if proof else OrderEvent.NO_ANSWER
        return Outcome(row, event=event, problem=str(error))
    except UnavailableError as error:
        return Outcome(row, event=OrderEvent.NO_ANSWER, problem=str(error))
    if answer.client_order_id != row.client_order_id:
        words = f"the broker answered with order {answer.client_order_id}; it is not known what happened"
        return Outcome(row, event=OrderEvent.NO_ANSWER, problem=words)
    return Outcome(row, answer=answer)


def _adopted(gateway: Broker, row: Row[Any]) -> Outcome:
    """Look up the order that the broker has under our id already: an earlier post of it arrived."""
    words = f"order {row.client_order_id} exists at the broker but is not found yet"
    try:
        found = gateway.find(row.client_order_id)
    except (BrokerError, UnavailableError) as error:
        found, words = None, str(error)
    return Outcome(row, answer=found) if found else Outcome(row, event=OrderEvent.NO_ANSWER, problem=words)


def _write_down(answers: _Answers, rows: Sequence[Row[Any]], account: str, clock: Clock, gate: _Gate) -> None:
    """Take an outcome of each row as they come and write them down in batches."""
    count, taken, untouched = len(rows), 0, 0
    while taken < count:
        found = answers.take()
        taken += len(found)
        untouched += found.count(None)
        _flush([each for each in found if isinstance(each, Outcome)], rows, account, clock, gate)
        for each in found:
            if isinstance(each, BaseException):
                raise each
    if untouched:
        raise UnavailableError(
            f"the database went away: {count - untouched} orders were sent and are written down, "
            f"{untouched} intents are left to the next run of execute-trades"
        )


def _flush(outcomes: Sequence[Outcome], rows: Sequence[Row[Any]], account: str, clock: Clock, gate: _Gate) -> None:
    """Write outcomes down, and look at the trading state; wait for a database that is away."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            with database().begin() as connection:
                record_broker_orders(connection, account, [each.answer for each in outcomes if each.answer])
                for (event, problem), alike in _alike(outcomes).items():
                    key = f"{event}:{flow_run_id()}"
                    record_own(connection, alike, event, key=key, at=clock.now, problem=problem)
                gate.refused = risk.refusals(connection, account, rows) | gate.refused
        except OperationalError:
            gate.closed.set()  # nothing more leaves while its answer could not be kept
            if time.monotonic() >= end:
                raise
            time.sleep(FLUSH_SECONDS)
        else:
            return


def _alike(outcomes: Sequence[Outcome]) -> dict[tuple[OrderEvent, str | None], list[Row[Any]]]:
    grouped: dict[tuple[OrderEvent, str | None], list[Row[Any]]] = defaultdict(list)
    for outcome in outcomes:
        if outcome.event is not None:
            grouped[outcome.event, outcome.problem].append(outcome.row)
    return grouped
