from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from tasks.data_ingestion.files.bad_rows import BadRow, BadRows
from tasks.data_ingestion.files.batches import COLUMNS, read_bars
from tasks.data_ingestion.files.file_format import FileFormat

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@dataclass(frozen=True)
class Read:
    """What reading gave."""

    bars: pd.DataFrame
    bad: list[BadRow]
    total: int
    batches: int

    @property
    def times(self) -> list[str]:
        """The times of the bars, in UTC."""
        return [ts.isoformat() for ts in self.bars["ts"]]

    @property
    def lines(self) -> list[tuple[int | None, str]]:
        """Line and reason of each bad row."""
        return [(row.line, row.reason) for row in self.bad]


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Read]:
    """Return what reads a file, given as its content or as a path."""

    def reading(content: str | bytes | Path, name: str = "IBM.csv", timeframe: str = "1Day", **said: Any) -> Read:
        path = tmp_path / name if isinstance(content, str | bytes) else content
        if isinstance(content, str):
            path.write_text(content, encoding="utf-8", newline="")
        elif isinstance(content, bytes):
            path.write_bytes(content)
        bad = BadRows()
        source = said.pop("source", None)
        found = list(read_bars(str(path), source=source, timeframe=timeframe, form=FileFormat(**said), bad=bad))
        empty = pd.DataFrame(columns=COLUMNS)
        bars = pd.concat([batch.frame for batch in found], ignore_index=True) if found else empty
        return Read(bars, bad.first, bad.total, len(found))

    return reading
