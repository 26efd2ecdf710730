"""Starts Python programs as forks of one process that has imported Prefect already.

Importing Prefect costs four seconds of processor time, and eight programs of the stack do it. On Linux the
supervisor has one process do it once and fork off the others. Everywhere else, when that process
fails, and whenever a component is restarted, programs are started in the ordinary way: nothing but
the start-up time differs.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, Protocol

from deployments.stack import processes
from deployments.stack.component import Component, Unit
from deployments.stack.processes import Identity

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

AVAILABLE = sys.platform == "none"
"""Whether forking is safe: macOS's frameworks break in a fork, and Windows has none."""

_PATIENCE = 180.0
_NEWS_SECONDS = 2.0  # the process is gone at once, the nursery's word of its exit code takes a moment


class Child(Protocol):
    """What the supervisor needs of a process it started."""

    pid: int

    def poll(self) -> int | None:
        """Return the exit code, None while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end and return the exit code."""


def start_plain(unit: Unit, log: Path) -> Child:
    """Start the command of a unit in the ordinary way."""
    return processes.spawn(
        unit.command,
        environment=unit.environment,
        log=log,
        directory=unit.directory,
        account=unit.account if isinstance(unit, Component) else None,
    )


class Fork:
    """A process that the nursery forked; it is not our child, so the nursery reports its end."""

    def __init__(self, pid: int, codes: Mapping[int, int]) -> None:
        self.pid = pid
        self._codes = codes
        self._identity = Identity.of(pid)
        self._gone_at = 0.0

    def poll(self) -> int | None:
        """Return the exit code, None while it runs; -1 when it is gone and nobody said how."""
        if self.pid in self._codes:
            return self._codes[self.pid]
        if self._identity is not None and self._identity.process() is not None:
            return None
        self._gone_at = self._gone_at or time.monotonic()
        news_may_come = time.monotonic() - self._gone_at < _NEWS_SECONDS
        return self._codes.get(self.pid, None if news_may_come else -1)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end and return the exit code.

        Raises
        ------
        subprocess.TimeoutExpired
            It still runs.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if deadline is not None and time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
            time.sleep(0.05)
        return code


class Nursery:
    """The process that forks, seen from the supervisor."""

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        with log.open("ab") as stream:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "deployments.stack.nursery_process"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stream,
                env=dict(environment),
                start_new_session=True,
                text=True,
            )
        self._codes: dict[int, int] = {}
        self._pids: dict[int, int] = {}
        self._news = threading.Condition()
        self._tickets = 0
        self._closed = False
        threading.Thread(target=self._listen, name="nursery", daemon=True).start()

    def start(self, unit: Unit, log: Path) -> Child:
        """Fork off a unit's program; in the ordinary way when that cannot be had."""
        if not unit.forked:
            return start_plain(unit, log)
        pid = self._fork(unit, log)
        return start_plain(unit, log) if pid is None else Fork(pid, self._codes)

    def close(self) -> None:
        """End the process; its forks live on."""
        with self._news:
            self._closed = True
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()

    def _fork(self, unit: Unit, log: Path) -> int | None:
        order: dict[str, Any] = {
            "arguments": list(unit.command[2:]),  # after `python -m`
            "environment": dict(unit.environment),
            "log": str(log),
            "directory": str(unit.directory) if unit.directory else None,
        }
        with self._news:
            self._tickets += 1
            ticket = order["ticket"] = self._tickets
            if self._closed or self._process.stdin is None:
                return None
            try:
                self._process.stdin.write(json.dumps(order) + "\n")
                self._process.stdin.flush()
            except OSError:
                return None
            self._news.wait_for(lambda: ticket in self._pids or self._closed, timeout=_PATIENCE)
            return self._pids.pop(ticket, None)

    def _listen(self) -> None:
        for line in self._process.stdout or ():
            news = json.loads(line)
            with self._news:
                if "ticket" in news:
                    self._pids[news["ticket"]] = news["pid"]
                else:
                    self._codes[news["ended"]] = news["code"]
                self._news.notify_all()
        with self._news:
            self._closed = True
            self._news.notify_all()
