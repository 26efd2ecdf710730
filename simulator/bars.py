"""Answers to questions about past bars: adjusted, aggregated to weeks and months, cut into pages."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from simulator.errors import InvalidParameterError
from simulator.minutes import exchange_days, labels
from simulator.presentation import stamp
from simulator.request_values import EARLIEST, LATEST
from simulator.sessions import midnight
from trading.adjustment import Split

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from simulator.market import History, Market
    from trading.adjustment import DerivedAction

    Floats = NDArray[np.float64]

PLACES = 4
MONTHS = (1, 2, 3, 4, 6, 12)
MINUTES, HOURS = 59, 23
SECONDS = 60
ADJUSTMENTS = {"raw", "split", "dividend", "spin-off", "all"}
TIMEFRAME = re.compile(r"(\d{1,2})(Min|T|Hour|H|Day|D|Week|W|Month|M)")
Sort = Literal["asc", "desc"]
Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Timeframe:
    """An interval of bars; `count` is of days, weeks or months, or of minutes within a day."""

    count: int
    unit: Literal["intraday", "day", "week", "month"]

    @classmethod
    def read(cls, text: str) -> Timeframe:
        """Return the timeframe that Alpaca's notation names.

        Raises
        ------
        InvalidParameterError
            The notation is not Alpaca's.
        """
        match = TIMEFRAME.fullmatch(text)
        count, letter = (int(match[1]), match[2][0] if match[2] != "Month" else "M") if match else (0, "")
        if match and match[2] in {"Min", "T"} and 1 <= count <= MINUTES:
            return cls(count, "intraday")
        if letter == "H" and 1 <= count <= HOURS:
            return cls(60 * count, "intraday")
        if letter == "D" and count == 1:
            return cls(1, "day")
        if letter == "W" and count == 1:
            return cls(1, "week")
        if match and match[2] in {"M", "Month"} and count in MONTHS:
            return cls(count, "month")
        raise InvalidParameterError(f"invalid timeframe: {text}")

    def label(self, day: date) -> date:
        """Return the first day of the interval that a session falls into."""
        if self.unit == "week":
            return day - timedelta(days=day.weekday())
        if self.unit == "month":
            return date(day.year, (day.month - 1) // self.count * self.count + 1, 1)
        return day


@dataclass(frozen=True, slots=True)
class BarQuery:
    """A question about bars; `first` and `last` are the days of labels, both included.

    For intraday bars `start` and `end` are, and `most` is how many of them are wanted, the earliest; None: all.
    """

    timeframe: Timeframe
    first: date
    last: date
    splits: bool = False
    dividends: bool = False
    start: datetime = EARLIEST
    end: datetime = LATEST
    most: int | None = None


def read_adjustment(text: str) -> tuple[bool, bool]:
    """Return (adjust for splits, adjust for dividends).

    Raises
    ------
    InvalidParameterError
        A word is not one of Alpaca's.
    """
    words = {word.strip() for word in text.split(",") if word.strip()}
    if not words <= ADJUSTMENTS:
        raise InvalidParameterError(f"invalid adjustment: {text}")
    return bool(words & {"split", "all"}), bool(words & {"dividend", "all"})


def answer(market: Market, symbol: str, query: BarQuery, now: datetime) -> Rows:
    """Return the complete bars of a symbol as Alpaca's JSON, ascending.

    The trade count is 0 and the average price is (high + low + close) / 3: daily data have neither. The last
    week or month contains the sessions seen so far.
    """
    if query.timeframe.unit == "intraday":
        return _intraday(market, symbol, query, now)
    history = market.histories.get(symbol)
    seen = market.visible(symbol, now)
    if history is None or seen == 0:
        return []
    start, stop = _span(history, seen, query)
    if start == stop:
        return []
    known = market.actions(symbol, now)
    price, volume = _factors(history, seen, known, query)
    columns = [
        column[start:stop] * price[start:stop] for column in (history.open, history.high, history.low, history.close)
    ]
    shares = history.volume[start:stop] * volume[start:stop]
    return _rows([query.timeframe.label(day) for day in history.days[start:stop]], columns, shares, shown=bar_time)


def _intraday(market: Market, symbol: str, query: BarQuery, now: datetime) -> Rows:
    """Return intraday bars of the minutes that are complete; the last bar holds those seen so far."""
    minutes, history, length = market.minutes.get(symbol), market.histories.get(symbol), query.timeframe.count
    if minutes is None or history is None:
        return []
    first, last = query.start.timestamp(), query.end.timestamp()
    begin = int(minutes.starts.searchsorted(first))
    stop = min(minutes.seen(now), int(minutes.starts.searchsorted(last + length * SECONDS)))
    if query.most is not None:
        stop = min(stop, begin + (query.most + 1) * length)
    starts = labels(minutes.starts[begin:stop], length)
    chosen = np.flatnonzero((starts >= first) & (starts <= last)) + begin
    if not len(chosen):
        return []
    price, volume = _minute_factors(market, history, minutes.starts[chosen], query, now)
    columns = [column[chosen] * price for column in (minutes.open, minutes.high, minutes.low, minutes.close)]
    return _rows(starts[chosen - begin].tolist(), columns, minutes.volume[chosen] * volume, shown=minute_time)


def _minute_factors(
    market: Market, history: History, starts: NDArray[np.int64], query: BarQuery, now: datetime
) -> tuple[Floats, Floats]:
    """Return what to multiply prices and volumes of minutes with: the factors of their days."""
    seen = market.visible(history.symbol, now)
    price, volume = _factors(history, seen, market.actions(history.symbol, now), query)
    rows = [bisect_left(history.days, day, hi=seen) for day in exchange_days(starts)]
    return np.append(price, 1.0)[rows], np.append(volume, 1.0)[rows]


def _span(history: History, seen: int, query: BarQuery) -> tuple[int, int]:
    """Return the rows whose label lies between the first and the last day asked for."""
    label = query.timeframe.label
    start = bisect_left(history.days, query.first, hi=seen, key=label)
    return start, bisect_right(history.days, query.last, lo=start, hi=seen, key=label)


def _factors(history: History, seen: int, actions: Sequence[DerivedAction], query: BarQuery) -> tuple[Floats, Floats]:
    """Return what to multiply prices and volumes with, for the first `seen` rows.

    A split divides earlier prices by its ratio; a dividend D multiplies them by 1 - D / close before the
    ex-date (CRSP), that close taken in the shares of the ex-date.
    """
    price, volume = np.ones(seen), np.ones(seen)
    ratios = {action.ex_date: float(action.ratio) for action in actions if isinstance(action, Split)}
    for action in actions:
        before = bisect_left(history.days, action.ex_date, hi=seen)
        if before == 0:
            continue
        if isinstance(action, Split):
            if query.splits:
                price[:before] /= float(action.ratio)
                volume[:before] *= float(action.ratio)
        elif query.dividends:
            close = float(history.close[before - 1]) / ratios.get(action.ex_date, 1.0)
            price[:before] *= 1 - float(action.rate) / close
    return price, volume


@lru_cache(maxsize=20_000)
def bar_time(day: date) -> str:
    """Return the timestamp of the bar of a day: its midnight in New York."""
    return stamp(midnight(day))


@lru_cache(maxsize=20_000)
def minute_time(seconds: int) -> str:
    """Return the timestamp of an intraday bar: its start."""
    return stamp(datetime.fromtimestamp(seconds, UTC))


def _rows[Label: date | int](
    labels: list[Label], columns: list[Floats], volume: Floats, *, shown: Callable[[Label], str]
) -> Rows:
    """Return one JSON bar for each run of equal labels."""
    starts = [0, *(number for number in range(1, len(labels)) if labels[number] != labels[number - 1])]
    stops = [*starts[1:], len(labels)]
    opens, highs, lows, closes = columns
    first, last = np.array(starts), np.array(stops) - 1
    high, low = np.maximum.reduceat(highs, first), np.minimum.reduceat(lows, first)
    close, shares = closes[last], np.add.reduceat(volume, first)
    middle = (high + low + close) / 3
    rounded = [np.round(column, PLACES).tolist() for column in (opens[first], high, low, close, middle)]
    counts = np.rint(shares).astype(np.int64).tolist()
    return [
        {"t": shown(labels[start]), "o": o, "h": h, "l": lo, "c": c, "v": v, "n": 0, "vw": vw}
        for start, o, h, lo, c, vw, v in zip(starts, *rounded, counts, strict=True)
    ]


def page_token(symbol: str, at: str) -> str:
    """Return the token of the page after a row."""
    return urlsafe_b64encode(f"{symbol}|{at}".encode()).decode()


def read_page_token(token: str | None) -> tuple[str, str] | None:
    """Return the symbol and time of the last row already sent.

    Raises
    ------
    InvalidParameterError
        The token is not one of ours.
    """
    if not token:
        return None
    try:
        symbol, at = urlsafe_b64decode(token.encode()).decode().split("|")
    except (Base64Error, UnicodeError, ValueError):
        raise InvalidParameterError("invalid page_token") from None
    return symbol, at


def page(
    symbols: Sequence[str], rows: Callable[[str], Rows], *, limit: int, sort: Sort, token: str | None
) -> tuple[list[tuple[str, dict[str, Any]]], str | None]:
    """Return at most `limit` bars after a token, each with its symbol, and the token of the next page.

    Bars come by symbol, then by time in either direction; the limit counts all symbols together. `rows` is
    asked for the bars of a symbol, in the direction of `sort`, only as far as the page reaches.
    """
    after = read_page_token(token)
    chosen: list[tuple[str, dict[str, Any]]] = []
    for symbol in symbols:
        if after is not None and symbol < after[0]:
            continue
        found = rows(symbol)
        if after is not None and symbol == after[0]:
            found = [row for row in found if (row["t"] > after[1]) == (sort == "asc") and row["t"] != after[1]]
        room = limit - len(chosen)
        chosen += [(symbol, row) for row in found[:room]]
        if len(found) > room:
            return chosen, page_token(chosen[-1][0], chosen[-1][1]["t"])
    return chosen, None
