"""Log files: one per component, kept small, and their last lines."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES = 10 * 1024 * 1024
KEEP = 5
_TAIL_BYTES = 16_384


def rotate(directory: Path, *, retention_days: int, now: float | None = None) -> None:
    """Move the content of grown files aside and delete what is older than the retention.

    The content is copied and the file cut to nothing, because the component keeps it open; lines
    written in that instant are lost, which is the price of not restarting the component.

    Parameters
    ----------
    directory
        Where the `*.log` files are.
    retention_days
        Age in days after which a rotated file goes.
    now
        Seconds since the epoch; the present by default.
    """
    for log in directory.glob("*.log"):
        if log.stat().st_size > MAX_BYTES:
            _shift(log)
    oldest = (time.time() if now is None else now) - retention_days * 86_400
    for old in directory.glob("*.log.*"):
        if old.stat().st_mtime < oldest:
            old.unlink()


def _shift(log: Path) -> None:
    for number in range(KEEP, 1, -1):
        older, newer = log.with_name(f"{log.name}.{number}"), log.with_name(f"{log.name}.{number - 1}")
        if newer.exists():
            newer.replace(older)
    shutil.copyfile(log, log.with_name(f"{log.name}.1"))
    with log.open("r+b") as stream:
        stream.truncate(0)


def tail(log: Path, lines: int = 12, *, since: int = 0) -> tuple[str, ...]:
    """Return the last non-empty lines, none from before byte `since`."""
    try:
        with log.open("rb") as stream:
            size = stream.seek(0, 2)
            stream.seek(max(since if since <= size else 0, size - _TAIL_BYTES))
            text = stream.read().decode(errors="replace")
    except FileNotFoundError:
        return ()
    return tuple(line.rstrip() for line in text.splitlines() if line.strip())[-lines:]
