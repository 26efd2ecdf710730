"""Whether the bars of files stand on the level of what is stored, found out before any of them is written.

The table has one bar for a symbol and time and does not know adjusted prices from prices as traded, so a file on
another level would replace some bars and leave others: one series of two levels. Such symbols are not imported.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from db.repositories import bars as bars_repository
from db.repositories import ingestion, inventory
from tasks.data_ingestion.companies import actions_apart, taken_tickers
from trading.adjustment import read_actions, unadjust
from trading.calendar import session_dates, session_of
from trading.quality import (
    apart,
    junction_contradictions,
    overlap_contradictions,
    unshown_splits,
)
from trading.quality.companies import MARK
from trading.quality.levels import ENOUGH

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    import pandas as pd
    from sqlalchemy import Connection, Engine

    from trading.bars import Timeframe
    from trading.quality import Contradiction

BEFORE = 64
"""Stored bars on either side of a file's that tell whether the step between them is usual."""
EDGE = 24
"""First and last bars of a file that are compared with those."""
SYMBOLS_AT_ONCE = 500
LATER = timedelta(days=400)
"""How far behind the files' last bar the stored ones next to it may be for actions between them to count."""

WHAT_TO_DO = (
    "Another level is most often an adjustment: give --adjusted-as-of DATE where the splits are recorded "
    "(`trading data actions`), or --trust SYMBOL to take the file's prices as they are."
)


def comparable(connection: Connection, timeframe: str) -> bool:
    """Return whether anything is stored that a file could contradict: bars of the timeframe, or splits."""
    return bool(inventory.symbols(connection, timeframe=timeframe) or ingestion.symbols_with_splits(connection))


def as_traded(engine: Engine, frame: pd.DataFrame, adjusted_as_of: date | None) -> pd.DataFrame:
    """Return bars as they were traded: with the recorded splits up to a day put back, when there is a day."""
    if adjusted_as_of is None or frame.empty:
        return frame
    with engine.connect() as connection:
        known = ingestion.known_actions(connection, sorted(frame["symbol"].unique()), day=adjusted_as_of)
    return unadjust(frame, known, adjusted_as_of)


def sentence(one: Contradiction) -> str:
    """Return what is wrong with a symbol's level, in one line."""
    return (
        f"{one.symbol} {session_of(one.ts)}: stored close {one.stored:,.2f}, the file's {one.delivered:,.2f} "
        f"({one.ratio:.4g} times), {one.why}"
    )


class Levels:
    """Looks at the bars of files, batch by batch in any order, and keeps little of them.

    Bars that both have are compared in each batch; where a symbol has too few of those, the first and the last bars
    of the files are compared with the stored ones next to them. Of archived bars only those in common count.
    """

    def __init__(self, engine: Engine, timeframe: Timeframe) -> None:
        self._engine, self._timeframe = engine, timeframe
        self._refused: dict[str, Contradiction] = {}
        self._agreeing: Counter[str] = Counter()
        self._first: pd.DataFrame | None = None
        self._last: pd.DataFrame | None = None
        with engine.connect() as connection:
            self._stored = set(inventory.symbols(connection, timeframe=timeframe))
            self._split = ingestion.symbols_with_splits(connection)

    def look(self, frame: pd.DataFrame) -> None:
        """Compare bars (symbol, ts, open, high, low, close, volume; one per symbol and ts) with what is stored."""
        known = frame[frame["symbol"].isin(self._stored)]
        if len(known):
            self._compare(known)
            self._keep_edges(known)
        split = frame[frame["symbol"].isin(self._split)] if self._timeframe == "1Day" else frame[:0]
        if len(split):
            with self._engine.connect() as connection:
                names = sorted(split["symbol"].unique())
                actions = ingestion.known_actions(connection, names, day=session_of(split["ts"].max()))
            self._note(unshown_splits(split, read_actions(actions)))

    def refused(self) -> tuple[Contradiction, ...]:
        """Compare the edges, and return every contradiction by symbol."""
        if self._first is not None and self._last is not None:
            open_ = [name for name in self._first["symbol"].unique() if not self._is_settled(name)]
            for at in range(0, len(open_), SYMBOLS_AT_ONCE):
                self._meet(open_[at : at + SYMBOLS_AT_ONCE], self._first, self._last)
        return tuple(self._refused[symbol] for symbol in sorted(self._refused))

    def _is_settled(self, symbol: str) -> bool:
        return symbol in self._refused or self._agreeing[symbol] >= ENOUGH

    def _note(self, found: Sequence[Contradiction]) -> None:
        for one in found:
            self._refused.setdefault(one.symbol, one)

    def _compare(self, frame: pd.DataFrame) -> None:
        span = frame["ts"].min().to_pydatetime(), frame["ts"].max().to_pydatetime()
        names = sorted(frame["symbol"].unique())
        with self._engine.connect() as connection:
            stored = bars_repository.read(connection, names, timeframe=self._timeframe, start=span[0], end=span[1])
        found, agreeing = overlap_contradictions(frame, stored)
        self._note(found)
        self._agreeing.update(agreeing)

    def _keep_edges(self, frame: pd.DataFrame) -> None:
        import pandas as pd

        rows = frame.sort_values(["symbol", "ts"])
        first, last = rows.groupby("symbol").head(EDGE), rows.groupby("symbol").tail(EDGE)
        if self._first is not None and self._last is not None:
            first = pd.concat([self._first, first]).sort_values(["symbol", "ts"]).groupby("symbol").head(EDGE)
            last = pd.concat([self._last, last]).sort_values(["symbol", "ts"]).groupby("symbol").tail(EDGE)
        self._first, self._last = first, last

    def _meet(self, names: Sequence[str], first: pd.DataFrame, last: pd.DataFrame) -> None:
        """Look at the steps from the stored bars into the files' and out of them."""
        import pandas as pd

        head, tail = first[first["symbol"].isin(names)], last[last["symbol"].isin(names)]
        begins, ends = head.groupby("symbol")["ts"].min(), tail.groupby("symbol")["ts"].max()
        spans = {name: (begins[name].to_pydatetime(), ends[name].to_pydatetime()) for name in names}
        day = max(session_of(end) for _, end in spans.values()) + LATER
        with self._engine.connect() as connection:
            near = bars_repository.neighbours(connection, spans, timeframe=self._timeframe, before=BEFORE, after=BEFORE)
            taken = taken_tickers(connection, names, day)
            actions = read_actions(actions_apart(connection, names, day, taken))
        earlier = (near["ts"] < near["symbol"].map(begins)).to_numpy()
        for stored, bars in ((near[earlier], head), (near[~earlier], tail)):
            both = pd.concat([stored.assign(delivered=False), bars.assign(delivered=True)], ignore_index=True)
            days = session_dates(both["ts"].dt.tz_convert(None).to_numpy(dtype="datetime64[ns]"))
            found = junction_contradictions(apart(both, days, taken), actions=actions, timeframe=self._timeframe)
            self._note([replace(one, symbol=one.symbol.partition(MARK)[0]) for one in found])
