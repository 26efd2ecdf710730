"""What the supervisor writes down about itself, for `status`, `stop` and the next `start` to read."""

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from deployments.stack.places import run_directory, write_private
from deployments.stack.processes import Identity
from trading.errors import TradingError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Phase = Literal["starting", "running", "stopping", "stopped", "failed"]


class UnitRecord(BaseModel):
    """One component or step as it stands."""

    model_config = ConfigDict(frozen=True)

    name: str
    state: str
    pid: int | None = None
    created: float | None = None
    restarts: int = 0
    seconds: float = 0.0
    url: str = ""
    detail: str = ""
    needs: tuple[str, ...] = ()

    @property
    def identity(self) -> Identity | None:
        """The process, when there is one."""
        return Identity(self.pid, self.created) if self.pid and self.created else None


class Record(BaseModel):
    """The whole stack as it stands; units in the order they started."""

    model_config = ConfigDict(frozen=True)

    phase: Phase = "stopped"
    pid: int | None = None
    created: float | None = None
    error: str = ""
    tail: tuple[str, ...] = ()
    units: tuple[UnitRecord, ...] = ()

    @property
    def supervisor(self) -> Identity | None:
        """The supervising process, when one is recorded."""
        return Identity(self.pid, self.created) if self.pid and self.created else None

    @property
    def alive(self) -> bool:
        """Whether the supervisor that wrote this still runs."""
        return self.supervisor is not None and self.supervisor.process() is not None


def _path(home: Path) -> Path:
    return run_directory(home) / "stack.json"


def read(home: Path) -> Record:
    """Return the last record; an unreadable one counts as none."""
    try:
        return Record.model_validate_json(_path(home).read_text(encoding="utf-8"))
    except (OSError, ValidationError):
        return Record()


def write(home: Path, record: Record) -> None:
    """Replace the record."""
    write_private(_path(home), json.dumps(record.model_dump(mode="json")))


def _request(home: Path) -> Path:
    return run_directory(home) / "stop-requested"


def request_stop(home: Path) -> None:
    """Ask the supervisor, on every platform alike, to stop the stack."""
    _request(home).touch()


def stop_requested(home: Path) -> bool:
    """Tell whether somebody asked to stop."""
    return _request(home).exists()


def clear_stop_request(home: Path) -> None:
    """Forget an earlier request."""
    _request(home).unlink(missing_ok=True)


class AlreadyRunningError(TradingError):
    """Raised when another supervisor holds the state directory."""


@contextmanager
def sole_supervisor(home: Path) -> Iterator[None]:
    """Hold the state directory for one supervisor; the system lets go of it when the process dies.

    Raises
    ------
    AlreadyRunningError
        Another process holds it.
    """
    handle = os.open(run_directory(home) / "supervisor.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            _lock(handle)
        except OSError:
            raise AlreadyRunningError(f"a stack is already running from {home}; see `trading status`") from None
        yield
    finally:
        os.close(handle)


if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def payload(record: Record) -> dict[str, Any]:
    """Return the record as JSON-ready values, with whether the supervisor lives."""
    return {**record.model_dump(mode="json"), "alive": record.alive}
