"""Parquet in batches of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tasks.data_ingestion.files import columns as columns_of
from tasks.data_ingestion.files.raw_rows import RawRows
from trading.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tasks.data_ingestion.files.file_format import FileFormat
    from tasks.data_ingestion.files.places import Place

ROWS = 250_000


def read(place: Place, form: FileFormat) -> Iterator[RawRows]:
    """Yield the rows of a Parquet file, `ROWS` at a time.

    Raises
    ------
    DataError
        The file is not Parquet, is damaged, or lacks a column of a bar.
    """
    import pyarrow as pa
    from pyarrow import parquet

    with place.open() as file:
        try:
            source = parquet.ParquetFile(file, pre_buffer=False)
        except (pa.ArrowException, OSError) as error:
            raise DataError(f"{place.path}: not readable as Parquet: {_line(error)}") from None
        header = list(source.schema_arrow.names)
        columns = columns_of.find(header, path=place.path, chosen=form.columns, symbol=form.symbol)
        rows, row = source.metadata.num_rows, 0
        batches = source.iter_batches(batch_size=ROWS, columns=list(dict.fromkeys(columns.names.values())))
        while True:
            try:
                batch = next(batches, None)
            except (pa.ArrowException, OSError) as error:
                raise DataError(f"{place.path}: damaged after row {row}: {_line(error)}; get it again") from None
            if batch is None:
                return
            arrays = {field: batch.column(name) for field, name in columns.names.items()}
            lines = np.arange(row + 1, row + batch.num_rows + 1, dtype=np.int64)
            row += batch.num_rows
            yield RawRows(arrays, lines, columns, ".", row / rows)


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]
