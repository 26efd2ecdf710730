"""The rows of files that could not be read: counted, the first ones kept, all of them written down when many."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

KEPT = 20
WRITTEN = 100_000
"""Rows that a list on disk holds at the most; a wholly wrong file of 2 GB must not become a second one."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that was left out: its file, its line (CSV) or row (Parquet) from 1, None for the whole file, and why."""

    path: str
    line: int | None
    reason: str

    def __str__(self) -> str:
        place = self.path if self.line is None else f"{self.path}:{self.line}"
        return f"{place}: {self.reason}"


class BadRows:
    """Collects bad rows; beyond `KEPT` they go to the CSV file `overflow`, if given.

    Attributes
    ----------
    total
        How many there were.
    first
        The first `KEPT` of them.
    """

    def __init__(self, overflow: Path | None = None) -> None:
        self.total = 0
        self.first: list[BadRow] = []
        self._overflow = overflow
        self._file: IO[str] | None = None
        self._writer: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    @property
    def listed(self) -> Path | None:
        """The file that lists them, when there were too many to keep."""
        return self._overflow if self._file is not None else None

    def add(self, path: str, lines: NDArray[np.int64], reason: Callable[[int], str]) -> None:
        """Record rows at `lines` (R,); `reason` is asked for the position of each that is kept."""
        room = max(0, WRITTEN - self.total)
        for position, line in enumerate(lines[:room].tolist()):
            self._record(BadRow(path, line, reason(position)))
        self.total += max(0, len(lines) - room)

    def add_file(self, path: str, reason: str) -> None:
        """Record a file of which nothing more can be read."""
        self._record(BadRow(path, None, reason))

    def _record(self, row: BadRow) -> None:
        self.total += 1
        if len(self.first) < KEPT:
            self.first.append(row)
        elif self._overflow is not None:
            self._write(row, self._overflow)

    def _write(self, row: BadRow, overflow: Path) -> None:
        if self._file is None:
            overflow.parent.mkdir(parents=True, exist_ok=True)
            self._file = overflow.open("w", encoding="utf-8", newline="")
            self._writer = csv.writer(self._file)
            self._writer.writerow(("file", "line", "reason"))
            self._writer.writerows((kept.path, kept.line, kept.reason) for kept in self.first)
        self._writer.writerow((row.path, row.line, row.reason))
