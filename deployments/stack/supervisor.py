"""Starts every unit when what it needs is healthy, watches, restarts, and stops in reverse order."""

from __future__ import annotations

import logging
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from deployments.stack import journal, logs, shutdown
from deployments.stack.places import log_directory, make_home
from deployments.stack.processes import Identity
from deployments.stack.unit import SETTLED, Running
from trading.errors import TradingError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from deployments.stack.component import Unit
    from deployments.stack.journal import Phase, Record

logger = logging.getLogger(__name__)

_TICK = 0.1
_IDLE_TICK = 0.5
_ROTATE_EVERY = 60.0
_STARTING_RESTARTS = 2  # a component that dies this often while the stack comes up will not come up


class StackError(TradingError):
    """Raised when a component does not start; carries its last log lines."""

    def __init__(self, name: str, detail: str, log: Path, tail: tuple[str, ...] = ()) -> None:
        super().__init__(f"{name} did not start: {detail}; its log is {log}")
        self.name = name
        self.tail = tail


class Supervisor:
    """Runs one stack; `run` returns when it was asked to stop.

    Parameters
    ----------
    home
        State directory.
    units
        Components and steps; what they need must be among them.
    marker
        Value of `TRADING_STACK` in the environment of every process.
    retention_days
        Age at which rotated logs are deleted.
    on_change
        Called with the record after every change of state.
    """

    def __init__(
        self,
        home: Path,
        units: Sequence[Unit],
        *,
        marker: str,
        retention_days: int = 30,
        on_change: Callable[[Record], None] = lambda _: None,
    ) -> None:
        make_home(home)
        self._home, self._marker, self._retention = home, marker, retention_days
        self._executor = ThreadPoolExecutor(max_workers=32, thread_name_prefix="probe")
        self._running = {unit.name: Running(unit, home, self._executor) for unit in units}
        self._order: list[Running] = []
        self._phase: Phase = "starting"
        self._error: tuple[str, tuple[str, ...]] = ("", ())
        self._on_change = on_change
        self._last: Record | None = None
        self._stop = False
        self._publishing = threading.Lock()

    def request_stop(self) -> None:
        """Ask `run` to stop everything and return; safe in a signal handler."""
        self._stop = True

    def run(self, on_ready: Callable[[Record], None] = lambda _: None) -> None:
        """Start everything, call `on_ready`, supervise until asked to stop, stop everything.

        Raises
        ------
        StackError
            Something did not start; everything that had started is stopped again.
        """
        try:
            if self._start():
                self._publish("running")
                on_ready(self.record())
                self._watch()
        except StackError as error:
            self._error = (str(error), error.tail)
            raise
        finally:
            self._publish("stopping")
            shutdown.stop_all(self._order, self._marker, self._note)
            self._publish("failed" if self._error[0] else "stopped")
            self._executor.shutdown(wait=False, cancel_futures=True)

    def record(self) -> Record:
        """Return the stack as it stands."""
        me = Identity.of(os.getpid())
        return journal.Record(
            phase=self._phase,
            pid=me.pid if me else None,
            created=me.created if me else None,
            error=self._error[0],
            tail=self._error[1],
            units=tuple(
                entry.record() for entry in [*self._order, *(r for r in self._running.values() if r not in self._order)]
            ),
        )

    def _start(self) -> bool:
        """Bring everything up; False when asked to stop meanwhile."""
        while not self._stopping():
            for entry in self._running.values():
                if entry.state == "waiting" and self._ready(entry.unit):
                    self._order.append(entry)
                    entry.begin()
                entry.tick()
                self._refuse_failure(entry)
            self._publish("starting")
            if all(entry.state in SETTLED for entry in self._running.values()):
                return True
            time.sleep(_TICK)
        return False

    def _ready(self, unit: Unit) -> bool:
        return all(self._running[need].state in SETTLED for need in unit.needs)

    def _refuse_failure(self, entry: Running) -> None:
        if entry.state == "failed" or (entry.state == "restarting" and entry.restarts > _STARTING_RESTARTS):
            raise StackError(entry.name, entry.detail, entry.log, entry.tail())

    def _watch(self) -> None:
        rotated = 0.0
        while not self._stopping():
            for entry in self._running.values():
                before = entry.state
                entry.tick()
                if entry.state != before:
                    self._report(entry)
            self._publish("running")
            if time.monotonic() - rotated > _ROTATE_EVERY:
                logs.rotate(log_directory(self._home), retention_days=self._retention)
                rotated = time.monotonic()
            time.sleep(_IDLE_TICK)

    @staticmethod
    def _report(entry: Running) -> None:
        if entry.state == "restarting":
            logger.warning("%s ended (%s); restart %d", entry.name, entry.detail, entry.restarts)
        elif entry.state == "failed":
            logger.error("%s is down: %s; its log is %s", entry.name, entry.detail, entry.log)
        elif entry.state == "healthy":
            logger.info("%s is healthy", entry.name)

    def _stopping(self) -> bool:
        return self._stop or journal.stop_requested(self._home)

    def _note(self) -> None:
        self._publish("stopping")

    def _publish(self, phase: Phase) -> None:
        with self._publishing:
            self._phase = phase
            record = self.record()
            if record == self._last:
                return
            # Of what is starting only the seconds differ: show them, but spare the disk.
            if self._last is None or _without_seconds(record) != _without_seconds(self._last):
                journal.write(self._home, record)
            self._last = record
        self._on_change(record)


def _without_seconds(record: Record) -> tuple[object, ...]:
    return (record.phase, record.error, *(unit.model_copy(update={"seconds": 0.0}) for unit in record.units))
