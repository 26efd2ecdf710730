"""Starting and stopping the stack from the outside: in the foreground, detached, or for good."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from typing import TYPE_CHECKING, Any

from deployments.stack import environment, journal, logs, plan, preflight, shutdown
from deployments.stack.journal import AlreadyRunningError, Record
from deployments.stack.places import log_file, make_home
from deployments.stack.processes import MARKER, Identity
from deployments.stack.supervisor import Supervisor
from trading.errors import TradingError, UnavailableError

if TYPE_CHECKING:
    from pathlib import Path
    from types import FrameType

logger = logging.getLogger("deployments.stack")

type Watch = Callable[[Record], None]

STOP_PATIENCE = 120.0
"""Seconds that `stop` waits for the supervisor before it ends the processes itself."""


def _ignore(_: Record) -> None:
    """Watch nothing."""


def supervise(home: Path, *, on_change: Watch = _ignore, on_ready: Watch = _ignore) -> None:
    """Run the stack in this process until it is asked to stop, by signal or by `stop`.

    Raises
    ------
    AlreadyRunningError
        Another supervisor runs this state directory.
    TradingError
        The stack does not come up; what had started is stopped again.
    """
    make_home(home)
    with journal.sole_supervisor(home):
        journal.clear_stop_request(home)
        try:
            _supervise(home, on_change, on_ready)
        except TradingError as error:
            record = journal.read(home)
            if record.pid != os.getpid() or not record.error:
                journal.write(home, Record(phase="failed", error=str(error)))
            raise


def _supervise(home: Path, on_change: Watch, on_ready: Watch) -> None:
    marker, before, me = environment.marker(home), journal.read(home), Identity.of(os.getpid())
    left = tuple(unit.model_copy(update={"state": "left"}) for unit in before.units)
    here = {"pid": me.pid, "created": me.created} if me else {}
    journal.write(home, Record(phase="starting", units=left, **here))
    leftovers = shutdown.stop_leftovers(before, marker)
    if leftovers:
        logger.warning("stopped what an earlier stack left running: %s", ", ".join(leftovers))
    journal.write(home, Record(phase="starting", **here))
    made = plan.make(home)
    preflight.check(made.settings, made.units, made.directories)
    supervisor = Supervisor(
        home,
        made.units,
        marker=marker,
        retention_days=made.settings.logging.retention_days,
        on_change=on_change,
    )

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        supervisor.request_stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_signal)
    supervisor.run(on_ready)


def detached_main(home: Path) -> int:
    """Supervise in the background; everything worth knowing goes to the journal and the log."""
    make_home(home)
    handler = RotatingFileHandler(log_file(home, "supervisor"), maxBytes=logs.MAX_BYTES, backupCount=logs.KEEP)
    logging.basicConfig(
        level=logging.INFO, handlers=[handler], format="%(asctime)s %(levelname)s %(message)s", force=True
    )
    try:
        supervise(home, on_ready=lambda record: logger.info("%d units are up", len(record.units)))
    except TradingError as error:
        logger.error("%s", error)  # noqa: TRY400 - the line says it all; a traceback helps nobody
        return 1
    logger.info("stopped")
    return 0


def start_detached(home: Path, *, on_change: Watch = _ignore) -> Record:
    """Start a supervisor that outlives this process; return when everything is healthy.

    Raises
    ------
    AlreadyRunningError
        It runs already.
    StartFailedError
        It did not come up; everything it had started is stopped again.
    """
    make_home(home)
    before = journal.read(home)
    if before.alive and before.phase in {"running", "stopping"}:
        raise AlreadyRunningError(f"a stack is already {before.phase} from {home}")
    return _await_outcome(home, on_change, None if before.alive else _spawn_supervisor(home))


class StartFailedError(TradingError):
    """Raised when a stack does not come up; carries the last log lines of what failed."""

    def __init__(self, message: str, tail: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.tail = tail


def _spawn_supervisor(home: Path) -> subprocess.Popen[bytes]:
    options: dict[str, Any] = {}
    if sys.platform == "win32":
        options["creationflags"] = subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP
    else:
        options["start_new_session"] = True
    inherited = {name: value for name, value in os.environ.items() if name != MARKER}
    with log_file(home, "supervisor").open("ab") as stream:
        # The working directory stays: its `.env` holds settings.
        return subprocess.Popen(
            [sys.executable, "-m", "deployments.stack"],
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            env={**inherited, "TRADING_HOME": str(home)},
            **options,
        )


def _await_outcome(home: Path, on_change: Watch, spawned: subprocess.Popen[bytes] | None) -> Record:
    """Follow the supervisor, the spawned one or another's, until its stack is up or it has given up."""
    try:
        while True:
            ended = spawned is not None and spawned.poll() is not None
            record = journal.read(home)
            ours = record.alive and (spawned is None or record.pid == spawned.pid)
            if ours:
                on_change(record)
            if ours and record.phase == "running":
                return record
            if ended and record.alive:
                spawned = None  # another start was quicker; its stack is as good
            elif ended or (spawned is None and not record.alive):
                raise _failure(home, record)
            time.sleep(0.1)
    except KeyboardInterrupt:
        stop(home)
        raise


def _failure(home: Path, record: Record) -> StartFailedError:
    if record.phase == "failed" and record.error:
        return StartFailedError(record.error, record.tail)
    log = log_file(home, "supervisor")
    return StartFailedError(f"the supervisor ended before the stack was up; its log is {log}", logs.tail(log))


def stop(home: Path, *, on_change: Watch = _ignore) -> list[str]:
    """Stop the stack; return what was stopped, nothing when nothing ran.

    The supervisor is asked first. When it is gone, or does not manage, its processes are ended here.

    Raises
    ------
    UnavailableError
        Something could not be ended.
    """
    make_home(home)
    before = journal.read(home)
    stopped = [unit.name for unit in before.units if unit.identity and unit.identity.process()]
    if before.alive:
        journal.request_stop(home)
        deadline = time.monotonic() + STOP_PATIENCE
        while (record := journal.read(home)).alive and time.monotonic() < deadline:
            on_change(record)
            time.sleep(0.1)
        shutdown.end(before.supervisor, signal.SIGTERM, 5.0)
    leftovers = shutdown.stop_leftovers(journal.read(home), environment.marker(home))
    journal.clear_stop_request(home)
    last = journal.read(home)
    if last.phase != "failed":
        journal.write(home, Record(phase="stopped"))
    living = [unit.name for unit in before.units if unit.identity and unit.identity.process()]
    if living:
        raise UnavailableError(f"cannot end {', '.join(living)}; they belong to another user: stop them as that user")
    return stopped or leftovers
