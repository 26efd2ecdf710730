"""Bars as arrays: one reading of the table and the archive, aligned on the calendar, as of a date."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from db.arrow import snapshots
from db.models.base import MICRO
from db.repositories import ingestion
from db.repositories.bars.reading import archived_tables, stored_batches
from db.repositories.spells import spells as spells_of
from trading.adjustment import adjust
from trading.bars import FIELDS, Panel, instant, moment
from trading.calendar import LAST_DAY, bar_timestamp, completed_bars, session_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    import pyarrow as pa
    from numpy.typing import NDArray
    from sqlalchemy import Connection

    from db.arrow import Snapshot
    from db.repositories.spells import Spell
    from trading.bars import Field

    Floats = NDArray[np.float64]

DAY = timedelta(days=1)
WORTH_TWO = 200_000
"""Bars from which on a second connection saves more than it costs."""
ARCHIVED = ("symbol", "ts", *FIELDS, "quality")


def load(
    connection: Connection,
    symbols: Sequence[str],
    *,
    timeframe: str,
    start: datetime,
    end: datetime,
    as_of: date | None = None,
) -> Panel:
    """Return the bars of `start` .. `end` (UTC, included) as they read on `as_of` (default: the day of `end`).

    Prices and volumes are adjusted for the splits known then; see `raw` for which bars there are.
    """
    day = as_of or session_of(end)
    spells = spells_of(connection, symbols, day)
    panel = _read(connection, symbols, spells, timeframe=timeframe, start=start, end=_known(end, day))
    return adjust(panel, ingestion.actions(connection, spells, until=day), day)


def raw(
    connection: Connection,
    symbols: Sequence[str],
    *,
    timeframe: str,
    start: datetime,
    end: datetime,
    as_of: date | None = None,
) -> Panel:
    """Return the committed bars of `start` .. `end` (UTC, included) as they were delivered.

    The time axis is the calendar's, from the first bar to the last one that any symbol has; where a symbol has
    no usable bar (missing, quarantined) it is NaN, and bars off the calendar's grid are not in it. A symbol
    means the asset it meant on `as_of` (default: the day of `end`), under whatever names that traded; nothing
    later than that day is read.
    """
    day = as_of or session_of(end)
    spells = spells_of(connection, symbols, day)
    return _read(connection, symbols, spells, timeframe=timeframe, start=start, end=_known(end, day))


def _known(end: datetime, day: date) -> datetime:
    """Return `end`, or the last moment of `day` (New York) when that is earlier."""
    return min(end, bar_timestamp(day) + DAY - timedelta(microseconds=1)) if day < LAST_DAY else end


def _read(
    connection: Connection,
    symbols: Sequence[str],
    spells: Mapping[str, Sequence[Spell]],
    *,
    timeframe: str,
    start: datetime,
    end: datetime,
) -> Panel:
    cells = _Cells.empty(tuple(symbols), spells, _axis(timeframe, start, end))
    names = list(cells.stored)
    parts = _parts(cells, start, end)

    def fill(found: Snapshot, part: tuple[datetime, datetime]) -> None:
        for batch in stored_batches(found, names, timeframe=timeframe, start=part[0], end=part[1]):
            cells.fill(batch, scale=MICRO)

    with snapshots(connection, len(parts)) as found, ThreadPoolExecutor(len(parts)) as threads:
        for table in archived_tables(found[0], names, timeframe=timeframe, start=start, end=end, columns=ARCHIVED):
            for batch in table.to_batches():
                cells.fill(batch, scale=1, quarantined=_quarantined(batch))
        list(threads.map(fill, found, parts))
    return cells.panel()


def _parts(cells: _Cells, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """Return the range, in two halves when it is long enough for two connections to be faster than one."""
    if len(cells.axis) * len(cells.symbols) < WORTH_TWO:
        return [(start, end)]
    middle = moment(cells.axis[len(cells.axis) // 2])
    return [(start, middle - timedelta(microseconds=1)), (middle, end)]


def _axis(timeframe: str, start: datetime, end: datetime) -> NDArray[np.datetime64]:
    """Return the calendar's bars that start in `start` .. `end`, as (T,) datetime64[ns], UTC."""
    bars = completed_bars(timeframe, start, min(end + 2 * DAY, bar_timestamp(LAST_DAY)))
    stamps: NDArray[np.datetime64] = bars.tz_localize(None).to_numpy().astype("datetime64[ns]")
    return stamps[stamps <= instant(end)]


def _quarantined(batch: pa.RecordBatch) -> NDArray[np.bool_]:
    import pyarrow.compute as pc

    held: NDArray[np.bool_] = pc.equal(batch.column("quality"), "quarantined").to_numpy(zero_copy_only=False)
    return held


@dataclass(frozen=True, slots=True)
class _Cells:
    """The arrays of a panel while bars are put into them.

    Attributes
    ----------
    stored
        Name in the table -> the columns its bars belong to, each with the first and last microsecond,
        and whether the asset bore the name then.
    plain
        (names,) column of each stored name that belongs to one column for ever, -1 for the others.
    own
        (T, S) cells that have the bar of the name that was borne, which one filed under a later name leaves alone.
    """

    symbols: tuple[str, ...]
    axis: NDArray[np.datetime64]
    micros: NDArray[np.int64]
    stored: Mapping[str, Sequence[tuple[int, int, int, bool]]]
    plain: NDArray[np.int64]
    own: NDArray[np.bool_]
    values: dict[Field, Floats] = field(default_factory=dict)

    @classmethod
    def empty(
        cls, symbols: tuple[str, ...], spells: Mapping[str, Sequence[Spell]], axis: NDArray[np.datetime64]
    ) -> _Cells:
        stored: dict[str, list[tuple[int, int, int, bool]]] = {}
        for column, symbol in enumerate(symbols):
            for spell in spells[symbol]:
                stored.setdefault(spell.symbol, []).append((column, *_span(spell), spell.borne))
        plain = [
            pieces[0][0] if len(pieces) == 1 and pieces[0][1:] == (_EVER.min, _EVER.max, True) else -1
            for pieces in stored.values()
        ]
        micros = axis.astype("datetime64[us]").astype(np.int64)
        values: dict[Field, Floats] = {name: np.full((len(axis), len(symbols)), np.nan) for name in FIELDS}
        own = np.zeros((len(axis), len(symbols)) if -1 in plain else (0, 0), dtype=bool)
        return cls(symbols, axis, micros, stored, np.array(plain, dtype=np.int64), own, values)

    def fill(self, batch: pa.RecordBatch, *, scale: int, quarantined: NDArray[np.bool_] | None = None) -> None:
        """Put bars where they belong; those off the axis, outside a spell or quarantined stay out."""
        if not len(batch) or not len(self.micros):
            return
        import pyarrow as pa
        import pyarrow.compute as pc

        codes = pc.index_in(batch.column("symbol"), value_set=pa.array(self.stored, pa.string())).to_numpy()
        stamps = batch.column("ts").cast(pa.timestamp("us", tz="UTC")).cast(pa.int64()).to_numpy()
        rows = np.minimum(np.searchsorted(self.micros, stamps), len(self.micros) - 1)
        usable = self.micros[rows] == stamps
        if quarantined is not None:
            usable &= ~quarantined
        columns = self.plain[codes]
        figures: dict[Field, Floats] = {
            name: batch.column(name).to_numpy(zero_copy_only=False) / (1 if name == "volume" else scale)
            for name in FIELDS
        }
        self._put(rows, columns, usable & (columns >= 0), figures)
        for code in np.unique(codes[columns < 0]).tolist():
            for column, first, last, borne in list(self.stored.values())[code]:
                piece = usable & (codes == code) & (stamps >= first) & (stamps <= last)
                if borne:
                    self.own[rows[piece], column] = True
                else:
                    piece &= ~self.own[rows, column]
                self._put(rows, np.full(len(rows), column), piece, figures)

    def _put(
        self,
        rows: NDArray[np.int64],
        columns: NDArray[np.int64],
        chosen: NDArray[np.bool_],
        figures: dict[Field, Floats],
    ) -> None:
        cells = rows * len(self.symbols) + columns
        whole = bool(chosen.all())
        for name, values in figures.items():
            self.values[name].ravel()[cells if whole else cells[chosen]] = values if whole else values[chosen]

    def panel(self) -> Panel:
        """Return the bars from the first row to the last that any symbol has."""
        held = np.flatnonzero(~np.isnan(self.values["close"]).all(axis=1))
        kept = slice(int(held[0]), int(held[-1]) + 1) if len(held) else slice(0, 0)
        return Panel(self.axis[kept], self.symbols, *(self.values[name][kept] for name in FIELDS))


_EVER = np.iinfo(np.int64)


def _span(spell: Spell) -> tuple[int, int]:
    """Return the first and last microsecond since 1970 of a spell's days in New York."""
    first = _EVER.min if spell.first_day is None else _micros(spell.first_day)
    last = _EVER.max if spell.last_day is None else _micros(spell.last_day + DAY) - 1
    return int(first), int(last)


def _micros(day: date) -> int:
    return int(instant(bar_timestamp(day)).astype("datetime64[us]").astype(np.int64))
