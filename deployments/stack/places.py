"""Where the stack keeps things under the state directory."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from trading.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path


def run_directory(home: Path) -> Path:
    """Return the directory of process records and locks."""
    return home / "run"


def log_directory(home: Path) -> Path:
    """Return the directory with one log file per component."""
    return home / "logs"


def log_file(home: Path, name: str) -> Path:
    """Return the log file of one component."""
    return log_directory(home) / f"{name}.log"


def make_home(home: Path) -> None:
    """Create the state directory with its `run` and `logs`.

    Raises
    ------
    ConfigurationError
        The directory cannot be created or written.
    """
    try:
        for folder in (home, run_directory(home), log_directory(home)):
            folder.mkdir(parents=True, exist_ok=True)
        probe = run_directory(home) / ".writable"
        probe.write_text("")
        probe.unlink()
    except OSError as error:
        raise ConfigurationError(
            f"TRADING_HOME: cannot write in {home} ({error.strerror}); set TRADING_HOME to a directory you own"
        ) from None


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step; nobody but its owner can read it, at any moment."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, stat.S_IRUSR | stat.S_IWUSR)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    fresh.replace(path)
