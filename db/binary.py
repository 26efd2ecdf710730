"""PostgreSQL's binary COPY format, encoded from numpy arrays without a step per row."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

HEADER = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
TRAILER = struct.pack(">h", -1)
ROWS_A_BLOCK = 50_000
EPOCH = 946_684_800_000_000
"""Microseconds from 1970 to 2000, where PostgreSQL counts from."""


@dataclass(frozen=True, slots=True)
class Constant:
    """A column that is the same in every row: text, or a bigint."""

    value: str | int

    @property
    def data(self) -> bytes:
        """The field as it stands in each row, its length before it."""
        body = self.value.encode() if isinstance(self.value, str) else struct.pack(">q", self.value)
        return struct.pack(">i", len(body)) + body


@dataclass(frozen=True, slots=True)
class Integers:
    """A bigint or timestamptz column: (N,) int64, NULL where `nulls` is true."""

    numbers: NDArray[np.int64]
    nulls: NDArray[np.bool_] | None = None


@dataclass(frozen=True, slots=True)
class Texts:
    """A text column as (N,) codes into its few distinct `names`."""

    codes: NDArray[np.int64]
    names: tuple[str, ...]
    encoded: NDArray[np.bytes_] = field(init=False)
    lengths: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        encoded = [name.encode() for name in self.names]
        object.__setattr__(self, "encoded", np.array(encoded, dtype=np.bytes_))
        object.__setattr__(self, "lengths", np.array([len(value) for value in encoded], dtype=np.int64))


type Column = Constant | Integers | Texts


def instants(stamps: NDArray[np.datetime64]) -> NDArray[np.int64]:
    """Return UTC datetime64 of any unit as the int64 of a timestamptz: microseconds since 2000."""
    return stamps.astype("datetime64[us]").astype(np.int64) - EPOCH


def stream(columns: Sequence[Column], rows: int) -> Iterator[bytes]:
    """Yield the bytes of `COPY ... FROM STDIN (FORMAT binary)`, in blocks of rows.

    Rows whose texts are as long and whose NULLs stand in the same columns are as wide as each other, and
    make one structured array; the rest keep their order.
    """
    yield HEADER
    for begin in range(0, rows, ROWS_A_BLOCK):
        chosen = slice(begin, min(begin + ROWS_A_BLOCK, rows))
        shapes = _shapes(columns, chosen)
        for shape in np.unique(shapes).tolist():
            yield _block(columns, begin + np.flatnonzero(shapes == shape))
    yield TRAILER


def _shapes(columns: Sequence[Column], chosen: slice) -> NDArray[np.int64]:
    """Return one number per row that says how wide its fields are."""
    shapes = np.zeros(chosen.stop - chosen.start, dtype=np.int64)
    for column in columns:
        if isinstance(column, Texts):
            shapes = shapes * (int(column.lengths.max()) + 1) + column.lengths[column.codes[chosen]]
        elif isinstance(column, Integers) and column.nulls is not None:
            shapes = shapes * 2 + column.nulls[chosen]
    return shapes


def _block(columns: Sequence[Column], rows: NDArray[np.intp]) -> bytes:
    first = int(rows[0])
    consecutive = int(rows[-1]) - first + 1 == len(rows)
    chosen: Any = slice(first, first + len(rows)) if consecutive else rows
    kinds: list[tuple[str, str]] = [("fields", ">i2")]
    parts: list[Any] = [len(columns)]
    for number, column in enumerate(columns):
        for part, (kind, values) in enumerate(_field(column, first, chosen)):
            kinds.append((f"{number}.{part}", kind))
            parts.append(values)
    block = np.empty(len(rows), dtype=kinds)
    for (name, _), values in zip(kinds, parts, strict=True):
        block[name] = values
    return block.tobytes()


def _field(column: Column, first: int, chosen: Any) -> list[tuple[str, Any]]:
    """Return the parts of a field as (dtype, values); all chosen rows have the shape of the `first`."""
    if isinstance(column, Constant):
        return [(f"V{len(column.data)}", np.void(column.data))]
    if isinstance(column, Texts):
        width = int(column.lengths[column.codes[first]])
        values = column.encoded[column.codes[chosen]]
        return [(">i4", width), (f"S{width}", values)] if width else [(">i4", 0)]
    if column.nulls is not None and column.nulls[first]:
        return [(">i4", -1)]
    return [(">i4", 8), (">i8", column.numbers[chosen])]
