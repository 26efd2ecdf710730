"""Measures how much memory and time an import of a large file of minute bars takes.

Generates a CSV (or Parquet) file in a temporary directory, reads it as an import does and, with `--dsn`, writes it
into the bars table of that database, which must be migrated and is left with the bars. Memory is the peak of the
importing process; the file is generated in another one.
Run it with `uv run python -m benchmarks.imports [--rows N] [--format csv|parquet] [--dsn URL] [--json]`.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import psutil

from db.engine import make_engine
from tasks.data_ingestion.files.bad_rows import BadRows
from tasks.data_ingestion.files.batches import read_bars
from tasks.data_ingestion.files.file_format import FileFormat
from tasks.data_ingestion.files.importing import Wanted, import_files

if TYPE_CHECKING:
    import pandas as pd

LIMIT = 2**30
PIECE = 250_000
SYMBOLS = 10


def minutes(begin: int, count: int) -> pd.DataFrame:
    """Return `count` minute bars of a walk, from bar `begin` on; symbols take turns a piece at a time."""
    import numpy as np
    import pandas as pd

    numbers = np.random.default_rng(begin)
    closes = 100 + numbers.normal(0, 0.01, count).cumsum().round(4)
    piece, turn = divmod(begin // PIECE, SYMBOLS)
    stamps = pd.date_range("2000-01-03 14:30", periods=count, freq="min", tz="UTC") + pd.Timedelta(
        minutes=piece * count
    )
    return pd.DataFrame(
        {
            "timestamp": stamps.strftime("%Y-%m-%dT%H:%M:%S+00:00"),
            "symbol": f"SYM{turn}",
            "open": closes,
            "high": closes + 0.05,
            "low": closes - 0.05,
            "close": closes,
            "volume": numbers.integers(100, 100_000, count),
        }
    ).round(4)


def generate(path: str, rows: int) -> None:
    """Write a file of `rows` minute bars."""
    import pyarrow as pa
    from pyarrow import parquet

    pieces = (minutes(begin, min(PIECE, rows - begin)) for begin in range(0, rows, PIECE))
    if path.endswith(".csv"):
        for number, piece in enumerate(pieces):
            piece.to_csv(path, index=False, header=number == 0, mode="w" if number == 0 else "a")
        return
    writer: Any = None
    for piece in pieces:
        table = pa.Table.from_pandas(piece, preserve_index=False)
        writer = writer or parquet.ParquetWriter(path, table.schema)
        writer.write_table(table)
    writer.close()


class Peak:
    """The most memory this process held while it lasted, sampled a hundred times a second."""

    def __init__(self) -> None:
        self.bytes = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _sample(self) -> None:
        process = psutil.Process()
        while not self._over.wait(0.01):
            self.bytes = max(self.bytes, process.memory_info().rss)


def measure(path: Path, dsn: str | None) -> dict[str, Any]:
    """Read the file, or import it, and return bars, seconds and peak memory."""
    began = time.perf_counter()
    with Peak() as peak, BadRows() as bad:
        if dsn is None:
            batches = read_bars(str(path), source=None, timeframe="1Min", form=FileFormat(), bad=bad)
            bars = sum(len(batch.frame) for batch in batches)
        else:
            bars = import_files(make_engine(dsn), Wanted(str(path), "1Min"), form=FileFormat(), bad=bad).written
    seconds = time.perf_counter() - began
    return {
        "file_mib": round(path.stat().st_size / 2**20, 1),
        "bars": bars,
        "bad_rows": bad.total,
        "seconds": round(seconds, 2),
        "bars_a_second": round(bars / seconds),
        "peak_mib": round(peak.bytes / 2**20, 1),
        "under_1_gib": peak.bytes < LIMIT,
    }


def main() -> None:
    """Generate, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000, help="bars in the file (default 10 million)")
    parser.add_argument("--format", choices=["csv", "parquet"], default="csv")
    parser.add_argument("--dsn", help="SQLAlchemy URL of a migrated database to write into; without: reading only")
    parser.add_argument("--json", action="store_true", help="print JSON")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"bars.{chosen.format}"
        generator = multiprocessing.get_context("spawn").Process(target=generate, args=(str(path), chosen.rows))
        generator.start()
        generator.join()
        assert generator.exitcode == 0, "the file could not be generated"
        found = {"what": "import" if chosen.dsn else "reading", **measure(path, chosen.dsn)}
    if chosen.json:
        print(json.dumps(found, indent=2))
        return
    for name, value in found.items():
        print(f"{name:<14} {value}")


if __name__ == "__main__":
    main()
