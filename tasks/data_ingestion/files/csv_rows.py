"""CSV in blocks of whole lines, so that memory does not grow with the file and every row knows its line."""

from __future__ import annotations

import codecs
import csv
import io
import lzma
import re
import zlib
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, cast

import numpy as np

from tasks.data_ingestion.files import columns as columns_of
from tasks.data_ingestion.files.places import packing
from tasks.data_ingestion.files.raw_rows import RawRows
from trading.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from tasks.data_ingestion.files.bad_rows import BadRows
    from tasks.data_ingestion.files.columns import Columns
    from tasks.data_ingestion.files.file_format import FileFormat
    from tasks.data_ingestion.files.places import Place

BLOCK = 12 * 2**20
"""Bytes read at a time: about 250,000 daily bars."""
LONGEST_LINE = 2**20
SEPARATORS = ",;\t|"
NULLS = ["", "null", "NULL", "nan", "NaN", "NAN", "NA", "N/A", "n/a", "None", "none", "-", "--"]
TEXT = ("ts", "clock", "symbol")
SAMPLE = 500
DAMAGED = (EOFError, OSError, zlib.error, lzma.LZMAError, UnicodeError)


@dataclass(frozen=True, slots=True)
class _Layout:
    columns: Columns
    width: int
    separator: str
    decimal: str


def read(place: Place, form: FileFormat, bad: BadRows) -> Iterator[RawRows]:
    """Yield the rows of a CSV file, block by block; rows of the wrong width go to `bad`.

    Raises
    ------
    DataError
        The file is empty, packed in an unknown way, damaged, or no CSV with the columns of a bar.
    """
    with place.open() as packed:
        blocks = _blocks(_text(packed, place.path), place.path)
        line, layout = 1, None
        for block in blocks:
            data = block
            if layout is None:
                layout, begin, header = _layout(block, place.path, form)
                data, line = block[begin:], line + header
            count = data.count(b"\n") + (not data.endswith(b"\n") and bool(data))
            done = min(1.0, packed.tell() / place.size) if place.size else 1.0
            if data and layout is not None:
                yield _parsed(data, layout, first=line, count=count, place=place, bad=bad, done=done)
            line += count
        if layout is None:
            raise DataError(f"{place.path}: the file is empty; export or download it again")


def _text(packed: IO[bytes], path: str) -> IO[bytes]:
    """Return the file unpacked and as UTF-8."""
    from fsspec.compression import compr

    kind = packing(packed.read(6))
    packed.seek(0)
    if kind is not None and kind not in compr:
        raise DataError(f"{path}: packed as {kind}, which is not understood here; unpack it first")
    try:
        file = packed if kind is None else cast("IO[bytes]", compr[kind](packed, mode="rb"))
        beginning = file.read(2)
        file.seek(0)
    except (*DAMAGED, ValueError) as error:
        raise DataError(f"{path}: packed as {kind}, but damaged: {error}; download it again") from None
    if beginning in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}:
        return cast("IO[bytes]", codecs.EncodedFile(file, "utf-8", "utf-16"))
    return file


def _blocks(file: IO[bytes], path: str) -> Iterator[bytes]:
    """Yield blocks that end where a line ends; a lone carriage return ends one too."""
    rest, lines = b"", 0
    while True:
        try:
            data = file.read(BLOCK)
        except DAMAGED as error:
            raise DataError(
                f"{path}: cut off or damaged after line {lines}: {str(error) or type(error).__name__}; get it again"
            ) from None
        if not data:
            break
        data = rest + data
        if b"\n" not in data and b"\r" in data[:-1]:
            data = data.replace(b"\r", b"\n")
        end = data.rfind(b"\n") + 1
        if len(data) - end > LONGEST_LINE:
            raise DataError(f"{path}: line {lines + data.count(b'\n') + 1} has no end; this is not CSV")
        rest = data[end:]
        if end:
            lines += data.count(b"\n", 0, end)
            yield data[:end]
    if rest:
        yield rest


def _layout(block: bytes, path: str, form: FileFormat) -> tuple[_Layout | None, int, int]:
    """Return the layout, None in a block without a header, the bytes before the first row, and the lines there."""
    _refuse_other_formats(block, path)
    offset, line = len(codecs.BOM_UTF8) if block.startswith(codecs.BOM_UTF8) else 0, 0
    while offset < len(block):
        end = block.find(b"\n", offset) + 1 or len(block)
        header = block[offset:end].decode("utf-8", "replace").strip("\r\n")
        offset, line = end, line + 1
        if header.strip(" ,;\t|") and not re.match(r"^sep=.$", header):
            break
    else:
        return None, offset, line
    separator = max(SEPARATORS, key=lambda mark: len(_split(header, mark)))
    names = [name.strip() for name in _split(header, separator)]
    columns = columns_of.find(names, path=path, chosen=form.columns, symbol=form.symbol)
    sample = block[offset : offset + 200 * SAMPLE].decode("utf-8", "replace").splitlines()[:SAMPLE]
    decimal = _decimal(sample, separator, [columns.positions[name] for name in ("open", "high", "low", "close")])
    return _Layout(columns, len(names), separator, decimal), offset, line


def _refuse_other_formats(block: bytes, path: str) -> None:
    beginning = block[:2000].removeprefix(codecs.BOM_UTF8).lstrip()
    lowered = beginning[:1000].lower()
    if lowered.startswith((b"<!doctype", b"<html", b"<?xml")) or (lowered.startswith(b"<") and b"<html" in lowered):
        raise DataError(f"{path}: a web page (HTML), not CSV; the download went wrong, do it again")
    if beginning.startswith((b"{", b"[")):
        raise DataError(f"{path}: JSON, not CSV; convert it to CSV or Parquet")
    if beginning.startswith(b"PAR1"):
        raise DataError(f"{path}: Parquet, not CSV; give --source parquet")
    if b"\x00" in block[: block.find(b"\n") + 1 or 2000]:
        raise DataError(f"{path}: binary data, not CSV; give a CSV or Parquet file")


def _split(line: str, separator: str) -> list[str]:
    return next(csv.reader([line], delimiter=separator), [])


def _decimal(lines: Sequence[str], separator: str, prices: Sequence[int]) -> str:
    """Return the mark of decimals: a comma where prices end in one and digits that are no group of three."""
    cells = [
        row[position].strip()
        for row in csv.reader(lines, delimiter=separator)
        for position in prices
        if position < len(row)
    ]
    if any(re.search(r"\d,\d{3}\.\d+$|\.(?:\d{1,2}|\d{4,})$", cell) for cell in cells):
        return "."
    odd = separator != "," or any(re.search(r",(\d{1,2}|\d{4,})$", cell) for cell in cells)
    return "," if odd and any(re.search(r"\d,\d+$", cell) for cell in cells) else "."


def _parsed(
    data: bytes, layout: _Layout, *, first: int, count: int, place: Place, bad: BadRows, done: float
) -> RawRows:
    """Parse one block: numbers at once if all are, else as text; without quotes if one does not close."""
    import pyarrow as pa

    wrong: list[tuple[int, int]] = []
    table = None
    for typed, quoted in ((True, True), (False, True)):
        try:
            table = _table(data, layout, wrong, typed=typed, quoted=quoted)
            break
        except pa.ArrowInvalid:
            continue
    if table is None or table.num_rows + len(wrong) != count:
        clean = data.decode("utf-8", "replace").encode()
        try:
            table = _table(clean, layout, wrong, typed=False, quoted=False)
        except pa.ArrowInvalid as error:
            raise DataError(
                f"{place.path}: no CSV from line {first} on: {' '.join(str(error).split())[:200]}"
            ) from None
    lines = first + np.arange(table.num_rows + len(wrong), dtype=np.int64)
    numbers = np.array([number - 1 for number, _ in wrong], dtype=np.int64)
    if wrong:
        found = [actual for _, actual in wrong]
        bad.add(place.path, lines[numbers], lambda row: _width(found[row], layout.width))
    arrays = {field: table.column(str(position)) for field, position in layout.columns.positions.items()}
    return RawRows(arrays, np.delete(lines, numbers), layout.columns, layout.decimal, done, len(wrong))


def _table(data: bytes, layout: _Layout, wrong: list[tuple[int, int]], *, typed: bool, quoted: bool) -> Any:
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    wrong.clear()

    def skip(row: Any) -> str:
        wrong.append((row.number, row.actual_columns))
        return "skip"

    positions = layout.columns.positions
    types = {
        str(position): pa.float64() if typed and field not in TEXT else pa.string()
        for field, position in positions.items()
    }
    return arrow_csv.read_csv(
        io.BytesIO(data),
        read_options=arrow_csv.ReadOptions(
            column_names=[str(position) for position in range(layout.width)],
            use_threads=False,
            block_size=len(data) + 1,
        ),
        parse_options=arrow_csv.ParseOptions(
            delimiter=layout.separator,
            quote_char='"' if quoted else False,
            ignore_empty_lines=False,
            invalid_row_handler=skip,
        ),
        convert_options=arrow_csv.ConvertOptions(
            column_types=types,
            include_columns=list(types),
            null_values=NULLS,
            strings_can_be_null=False,
            decimal_point=layout.decimal,
        ),
    )


def _width(found: int, expected: int) -> str:
    return f"{found} fields where the header has {expected}"


def blank(raw: RawRows) -> NDArray[np.bool_]:
    """Return, for (R,) rows, which are empty lines."""
    import pyarrow.compute as pc

    empty = np.ones(len(raw.lines), dtype=bool)
    for field in ("ts", "close"):
        array = raw.arrays[field]
        is_text = str(array.type) == "string"
        empty &= np.asarray(pc.equal(pc.utf8_trim_whitespace(array), "") if is_text else pc.is_null(array))
    return empty
