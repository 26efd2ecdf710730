"""One component or step at run time: its process, state and count of restarts."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from deployments.stack import logs, processes
from deployments.stack.component import Component, Step, Unit
from deployments.stack.journal import UnitRecord
from deployments.stack.places import log_file
from deployments.stack.processes import Identity
from trading.errors import TradingError, UnavailableError

if TYPE_CHECKING:
    import subprocess
    from concurrent.futures import Executor, Future
    from pathlib import Path


State = Literal["waiting", "preparing", "starting", "healthy", "done", "restarting", "failed", "stopping", "stopped"]

SETTLED: frozenset[State] = frozenset({"healthy", "done"})

RESTARTS = 5
"""How often a component is restarted before the supervisor gives up on it."""

_CALM = 300.0  # seconds of health after which earlier crashes no longer count
_LONGEST_WAIT = 16.0
_LAUNCH_PATIENCE = 10.0


@dataclass(eq=False)
class Running:
    """A unit and what is happening to it; driven by the supervisor's ticks."""

    unit: Unit
    home: Path
    executor: Executor
    state: State = "waiting"
    process: subprocess.Popen[bytes] | None = None
    identity: Identity | None = None
    restarts: int = 0
    detail: str = ""
    began: float = 0.0
    settled_at: float = 0.0
    retry_at: float = 0.0
    log_mark: int = 0
    _work: Future[Any] | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """Name of the unit."""
        return self.unit.name

    @property
    def log(self) -> Path:
        """Where its output goes."""
        return log_file(self.home, self.name)

    @property
    def seconds(self) -> float:
        """Seconds it took to become healthy, or has taken so far."""
        if not self.began:
            return 0.0
        return (self.settled_at or time.monotonic()) - self.began

    def begin(self) -> None:
        """Start; preparing and starting happen in the background."""
        self.began, self.settled_at, self.detail = time.monotonic(), 0.0, ""
        self.log_mark = self.log.stat().st_size if self.log.exists() else 0
        self.process, self.identity, self.state = None, None, "preparing"
        self._work = self.executor.submit(self._launch)

    def _launch(self) -> subprocess.Popen[bytes] | None:
        """Do what a step does in this process, or return the process that does it."""
        unit = self.unit
        if isinstance(unit, Step):
            if unit.action is not None:
                unit.action()
                return None
            if unit.unless is not None and unit.unless():
                return None
        elif unit.prepare is not None:
            unit.prepare()
        try:
            return processes.spawn(
                unit.command,
                environment=unit.environment,
                log=self.log,
                directory=unit.directory,
                account=unit.account if isinstance(unit, Component) else None,
            )
        except OSError as error:
            raise UnavailableError(f"cannot run {unit.command[0]}: {error.strerror}") from error

    def tick(self) -> None:
        """Look once: finish preparing, probe, notice an exit, restart when it is time."""
        if self.state == "restarting" and time.monotonic() >= self.retry_at:
            self.begin()
        elif self.state == "preparing":
            self._finish_preparing()
        elif self.state == "starting" and isinstance(self.unit, Step):
            self._watch_step(self.unit)
        elif self.state == "starting" and isinstance(self.unit, Component):
            self._watch_start(self.unit)
        elif self.state == "healthy":
            self._watch_health()

    def _finish_preparing(self) -> None:
        if self._work is None or not self._work.done():
            if isinstance(self.unit, Step) and self.seconds > self.unit.timeout:
                self.state, self.detail = "failed", f"not done after {self.unit.timeout:.0f} s"
            return
        work, self._work = self._work, None
        if (error := work.exception()) is not None:
            self._crashed(str(error) or type(error).__name__)
        elif (process := work.result()) is not None:
            self.process, self.identity, self.state = process, Identity.of(process.pid), "starting"
        else:
            self.state, self.settled_at = "done", time.monotonic()

    def abandon(self) -> None:
        """Before stopping: wait for a start in progress, so that its process is known."""
        if self.state == "preparing" and self._work is not None:
            with suppress(TimeoutError, TradingError, OSError):
                process = self._work.result(timeout=_LAUNCH_PATIENCE)
                if process is not None:
                    self.process, self.identity = process, Identity.of(process.pid)

    def _watch_step(self, step: Step) -> None:
        code = self.process.poll() if self.process else None
        ended, complaint = code is not None, f"exit code {code}" if code else ""
        if ended and complaint:
            self.state, self.detail = "failed", complaint
        elif ended:
            self.state, self.settled_at, self.identity = "done", time.monotonic(), None
        elif self.seconds > step.timeout:
            self.state, self.detail = "failed", f"not done after {step.timeout:.0f} s"

    def _watch_start(self, component: Component) -> None:
        if self.process is not None and (code := self.process.poll()) is not None:
            self._work = None
            self._crashed(f"exit code {code}")
        elif self._work is None:
            self._work = self.executor.submit(component.probe)
        elif self._work.done():
            work, self._work = self._work, None
            self.detail = work.result() or "" if work.exception() is None else str(work.exception())
            if not self.detail:
                self.state, self.settled_at = "healthy", time.monotonic()
            elif self.seconds > component.startup:
                self.state = "failed"
                self.detail = f"not healthy after {component.startup:.0f} s: {self.detail}"

    def _watch_health(self) -> None:
        if self.process is not None and (code := self.process.poll()) is not None:
            self._crashed(f"exit code {code}")
        elif self.restarts and time.monotonic() - self.settled_at > _CALM:
            self.restarts = 0

    def _crashed(self, reason: str) -> None:
        self.identity, self.process = None, None
        self.detail = reason
        if isinstance(self.unit, Step):
            self.state = "failed"
            return
        if self.restarts >= RESTARTS:
            self.state, self.detail = "failed", f"{reason}; gave up after {RESTARTS} restarts"
            return
        self.restarts += 1
        self.state = "restarting"
        self.retry_at = time.monotonic() + min(2.0 ** (self.restarts - 1), _LONGEST_WAIT) / 2

    def tail(self) -> tuple[str, ...]:
        """Return its last log lines since it was started."""
        return logs.tail(self.log, since=self.log_mark)

    @property
    def outlived_by(self) -> tuple[str, ...]:
        """Names of what must not be stopped before this."""
        return (*self.unit.needs, *(self.unit.uses if isinstance(self.unit, Component) else ()))

    def record(self) -> UnitRecord:
        """Return its state for the journal."""
        alive = self.identity if self.state not in {"done", "stopped", "restarting"} else None
        return UnitRecord(
            name=self.name,
            state=self.state,
            restarts=self.restarts,
            detail=self.detail,
            pid=alive.pid if alive else None,
            created=alive.created if alive else None,
            seconds=round(self.seconds, 2),
            needs=self.outlived_by,
            url=self.unit.url if isinstance(self.unit, Component) else "",
        )
