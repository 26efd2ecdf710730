"""Writing bars into one file, batch by batch; it appears when it is whole."""

from __future__ import annotations

import gzip
from contextlib import ExitStack, contextmanager
from typing import IO, TYPE_CHECKING, Any, cast

from trading.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd


@contextmanager
def writing(path: str, kind: str, *, replace: bool) -> Iterator[Callable[[pd.DataFrame], None]]:
    """Yield what appends a frame to a CSV or Parquet file at a path or fsspec URL.

    Raises
    ------
    DataError
        The file is there and not to be replaced, or cannot be written.
    """
    import fsspec

    try:
        system, location = fsspec.core.url_to_fs(path)
        if system.exists(location) and not replace:
            raise DataError(f"{path}: is there already; give --force to replace it")
        system.makedirs(system._parent(location), exist_ok=True)  # noqa: SLF001 - fsspec's own way to a parent
        partial = f"{location}.partial"
        try:
            with system.open(partial, "wb") as file, ExitStack() as closing:
                yield (_parquet if kind == "parquet" else _csv)(file, closing, packed=location.endswith(".gz"))
        except BaseException:
            if system.exists(partial):
                system.rm(partial)
            raise
        if system.exists(location):
            system.rm(location)
        system.mv(partial, location)
    except (OSError, ImportError, ValueError) as error:
        raise DataError(f"{path}: cannot be written: {' '.join(str(error).split())}") from None


def _csv(file: IO[bytes], closing: ExitStack, *, packed: bool) -> Callable[[pd.DataFrame], None]:
    if packed:
        file = cast("IO[bytes]", closing.enter_context(gzip.GzipFile(fileobj=file, mode="wb", mtime=0)))
    begun = False

    def write(bars: pd.DataFrame) -> None:
        nonlocal begun
        whole = bars.assign(volume=bars["volume"].round().astype("Int64"))
        text = whole.to_csv(index=False, header=not begun, date_format="%Y-%m-%dT%H:%M:%S+00:00", lineterminator="\n")
        file.write(text.encode())
        begun = True

    return write


def _parquet(file: IO[bytes], closing: ExitStack, *, packed: bool) -> Callable[[pd.DataFrame], None]:
    import pyarrow as pa
    from pyarrow import parquet

    del packed  # Parquet packs its own columns
    writer: Any = None

    def write(bars: pd.DataFrame) -> None:
        nonlocal writer
        content = pa.Table.from_pandas(bars, preserve_index=False)
        if writer is None:
            writer = closing.enter_context(parquet.ParquetWriter(file, content.schema, compression="zstd"))
        writer.write_table(content.cast(writer.schema))

    return write
