"""Bars as frames: one reading of the table and the archive, with what the rules said, in the prices of a date."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from db.repositories import archives, ingestion
from db.repositories import bars as bars_repository
from db.repositories.spells import assign, names, spells
from trading.adjustment import adjust
from trading.calendar import FIRST_DAY, LAST_DAY, bar_timestamp, session_dates, session_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date, datetime

    import pandas as pd
    from sqlalchemy import Connection

    from trading.adjustment.adjusting import AdjustmentKind

Adjustment = Literal["raw", "split", "all"]
"""As traded, with splits divided out, with dividends and spin-offs taken out too."""
KINDS: dict[Adjustment, AdjustmentKind] = {"split": "split", "all": "total"}
TICK = timedelta(microseconds=1)
DAY = timedelta(days=1)
BEGINNING, ENDING = bar_timestamp(FIRST_DAY), bar_timestamp(LAST_DAY)
FIRST_LOOK = (timedelta(days=1), timedelta(days=7))
"""How far back the newest intraday and daily bars are looked for first; then four times as far, where they are few."""


def load(
    connection: Connection,
    symbols: Sequence[str],
    *,
    timeframe: str,
    start: datetime,
    end: datetime,
    as_of: date | None = None,
    adjustment: Adjustment = "raw",
    quarantined: bool = False,
) -> pd.DataFrame:
    """Return the committed bars of `start` .. `end` (UTC, included) as they read on `as_of` (default: `end`'s day).

    A symbol means the asset it meant on that day, under whatever names its bars are stored; nothing later is read.

    Returns
    -------
    Columns symbol, ts (UTC), open, high, low, close (USD), volume, quality, by symbol and time. Bars off the
    calendar's grid are in it, quarantined ones when they are asked for.
    """
    day = min(as_of or session_of(end), LAST_DAY - DAY)
    found = spells(connection, symbols, day)
    until = min(end, bar_timestamp(day + DAY) - TICK)
    stored = bars_repository.read(
        connection, names(found), timeframe=timeframe, start=start, end=until, quarantined=quarantined
    )
    bars = assign(stored, found)
    if adjustment == "raw":
        return bars
    return adjust(bars, ingestion.actions(connection, found, until=day), day, kind=KINDS[adjustment])


def newest(
    connection: Connection,
    symbols: Sequence[str],
    *,
    timeframe: str,
    count: int,
    start: datetime | None = None,
    end: datetime | None = None,
    as_of: date | None = None,
    adjustment: Adjustment = "raw",
    quarantined: bool = False,
) -> pd.DataFrame:
    """Return the newest `count` bars of each symbol from `start` to `end` (UTC, included), or to the last there is.

    Prices are in the terms of `as_of`, by default of the day of the last bar that any of the symbols has; see `load`.
    """
    asked = _Asked(timeframe, _last(connection, symbols, timeframe=timeframe, end=end, as_of=as_of), as_of, adjustment)

    def full(bars: pd.DataFrame) -> pd.Series[bool]:
        return bars.groupby("symbol").size() >= count

    found = _looked_back(connection, symbols, asked, start=start, full=full, quarantined=quarantined)
    return found.groupby("symbol").tail(count).reset_index(drop=True)


def last_sessions(
    connection: Connection, symbols: Sequence[str], *, timeframe: str, as_of: date | None = None
) -> pd.DataFrame:
    """Return the usable bars of at least the last two sessions that each symbol has any of; with less history all.

    Prices are adjusted for splits as of `as_of`, by default the day of the last bar of all; see `load`.
    """
    asked = _Asked(timeframe, _last(connection, symbols, timeframe=timeframe, end=None, as_of=as_of), as_of, "split")

    def full(bars: pd.DataFrame) -> pd.Series[bool]:
        days = session_dates(bars["ts"].dt.tz_localize(None).to_numpy())
        return bars.assign(day=days)[bars["close"].notna()].groupby("symbol")["day"].nunique() >= 2  # noqa: PLR2004

    found = _looked_back(connection, symbols, asked, start=None, full=full, quarantined=False)
    return found[found["close"].notna()].reset_index(drop=True)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What bars are looked for: up to which moment, in the prices of which day."""

    timeframe: str
    until: datetime
    as_of: date | None
    adjustment: Adjustment


def _looked_back(
    connection: Connection,
    symbols: Sequence[str],
    asked: _Asked,
    *,
    start: datetime | None,
    full: Callable[[pd.DataFrame], pd.Series[bool]],
    quarantined: bool,
) -> pd.DataFrame:
    """Return bars up to a moment, for each symbol from far enough back to be `full`, or from `start`."""
    import pandas as pd

    first = max(start or BEGINNING, BEGINNING)
    wanted, back = list(symbols), FIRST_LOOK[asked.timeframe == "1Day"]
    parts: list[pd.DataFrame] = []
    while wanted or not parts:
        begin = asked.until - back if asked.until - first > back else first
        bars = load(
            connection,
            wanted,
            timeframe=asked.timeframe,
            start=begin,
            end=asked.until,
            as_of=asked.as_of or session_of(asked.until),
            adjustment=asked.adjustment,
            quarantined=quarantined,
        )
        held = full(bars)
        enough = [symbol for symbol in wanted if begin == first or held.get(symbol, False)]
        parts.append(bars[bars["symbol"].isin(enough)])
        wanted = sorted(set(wanted).difference(enough))
        back *= 4
    return pd.concat(parts).sort_values(["symbol", "ts"], ignore_index=True)


def _last(
    connection: Connection, symbols: Sequence[str], *, timeframe: str, end: datetime | None, as_of: date | None
) -> datetime:
    """Return the last bar of the symbols, in the table or else in an archive, no later than `end` and `as_of`."""
    limit = min(end or ENDING, ENDING)
    if as_of is not None and as_of < LAST_DAY:
        limit = min(limit, bar_timestamp(as_of + DAY) - TICK)
    stored = names(spells(connection, symbols, session_of(limit)))
    found = list(bars_repository.latest(connection, stored, timeframe=timeframe).values())
    found += [entry.range_end for entry in archives.listed(connection, timeframe=timeframe)]
    return min(max(found, default=BEGINNING), limit)
