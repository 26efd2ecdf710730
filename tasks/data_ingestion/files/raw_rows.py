"""What a format's reader hands on: columns as they stand in the file, and where each row stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from tasks.data_ingestion.files.columns import Columns


@dataclass(frozen=True, slots=True, eq=False)
class RawRows:
    """R rows of a file.

    Attributes
    ----------
    arrays
        Field to an Arrow array (R,) of whatever type the file has.
    lines
        (R,) physical line numbers of a CSV, row numbers of a Parquet file, from 1.
    columns
        Where the fields were found.
    decimal
        The decimal mark of numbers that are text.
    done
        Share of the file that is read, 0 .. 1.
    torn
        Rows beside these that had the wrong number of fields.
    """

    arrays: Mapping[str, Any]
    lines: NDArray[np.int64]
    columns: Columns
    decimal: str
    done: float
    torn: int = 0
