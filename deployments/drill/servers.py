"""A server of the drill's own: a component of the stack, started, stopped, killed and started again at will."""

from __future__ import annotations

import socket
import time
from contextlib import ExitStack, suppress
from subprocess import TimeoutExpired
from typing import TYPE_CHECKING

import psutil

from deployments.stack import logs, processes, shutdown
from deployments.stack.processes import Identity
from trading.errors import TradingError

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from deployments.stack.component import Component

STARTING_SECONDS = 120
POLL_SECONDS = 0.05


class ServerError(TradingError):
    """Raised when a server of the drill does not come up; carries its last log lines."""

    def __init__(self, name: str, detail: str, tail: tuple[str, ...]) -> None:
        super().__init__(f"{name} of the drill did not start: {detail}")
        self.tail = tail


class Server:
    """One component as a process of its own; nothing restarts it but who asks."""

    def __init__(self, component: Component, log: Path) -> None:
        self._component, self._log = component, log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def runs(self) -> bool:
        """Whether its process lives."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises
        ------
        ServerError
            It ended, or does not answer in time.
        """
        component = self._component
        if component.prepare is not None:
            component.prepare()
        self._process = processes.spawn(
            component.command,
            environment=component.environment,
            log=self._log,
            directory=component.directory,
            account=component.account,
        )
        end = time.monotonic() + STARTING_SECONDS
        while (problem := component.probe()) is not None:
            if (code := self._process.poll()) is not None:
                raise ServerError(component.name, f"exit code {code}", logs.tail(self._log))
            if time.monotonic() >= end:
                raise ServerError(component.name, problem, logs.tail(self._log))
            time.sleep(POLL_SECONDS)

    def stop(self) -> None:
        """End it as the stack does: asked first, killed after its grace."""
        if self._process is not None:
            shutdown.end(Identity.of(self._process.pid), self._component.stop_signal, self._component.grace)
            self._reap()

    def kill(self) -> None:
        """Kill it and its children at once, as the machine's power would."""
        if self._process is not None:
            with suppress(psutil.Error):
                processes.kill(processes.family(psutil.Process(self._process.pid)))
            self._reap()

    def _reap(self) -> None:
        if self._process is not None:
            with suppress(TimeoutExpired):
                self._process.wait(10)
            self._process = None


def free_ports(count: int) -> list[int]:
    """Return ports of this machine that nothing listens on now, all different."""
    with ExitStack() as stack:
        opened = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in opened:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in opened]
