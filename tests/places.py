"""Directories for servers."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def passable_directory() -> Iterator[Path]:
    """Make a directory that root's PostgreSQL, which runs under another account, can pass.

    pytest's own are private, and another pytest of the same user makes them private again.
    """
    with TemporaryDirectory(prefix="trading-test-", ignore_cleanup_errors=True) as place:
        Path(place).chmod(0o755)
        yield Path(place)
