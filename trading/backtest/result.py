"""What came of a backtest: arrays from the kernel, and the tables that are made of them when somebody looks."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from trading.calendar import midnights_of, number_sessions, session_dates, session_hours
from trading.performance import measured

if TYPE_CHECKING:
    from datetime import date

    import pandas as pd
    from numpy.typing import NDArray

    from trading.backtest.kernel.accounts import Integers, Log
    from trading.bars import Floats, Panel
    from trading.performance import Metrics

TRADE_COLUMNS = (
    "symbol",
    "direction",
    "quantity",
    "entry_ts",
    "entry_price",
    "exit_ts",
    "exit_price",
    "pnl",
    "return",
    "holding_days",
    "exit_reason",
)
"""Columns of `BacktestResult.trades`."""

FILL_REASONS = (
    "decided",
    "stop loss",
    "trailing stop",
    "take profit",
    "delisted",
    "end of the backtest",
    "equity used up",
    "cash for part of a share",
)
"""Why a fill happened, in the order of the kernel's kinds."""

REFUSALS = (
    "no bar in the next session: the day order expired",
    "not enough buying power at the open",
    "as many positions as allowed",
    "more than the bar's volume allows",
    "decided on the last bar",
)
"""Why an order did not fill, in the order of the kernel's reasons."""

PAID = ("commission", "slippage", "borrow", "interest", "dividends")
_SPLIT = len(FILL_REASONS)


@dataclass(frozen=True, slots=True, eq=False)
class Sessions:
    """Where the sessions of a panel begin.

    Attributes
    ----------
    starts
        (S + 1,) first row of each session, and the number of rows.
    days
        (S,) New York dates as days since 1970.
    midnights
        (S,) their midnights, datetime64[ns], UTC.
    """

    starts: Integers
    days: Integers
    midnights: NDArray[np.datetime64]

    @classmethod
    def of(cls, panel: Panel) -> Sessions:
        """Return the sessions that a panel's bars belong to; looks at days, not at bars."""
        from trading.backtest.kernel.sessions import first_rows

        first, last = session_dates(panel.timestamps[[0, -1]])
        days = np.arange(first, last + 1)
        midnights = midnights_of(days)
        stamps = panel.timestamps.astype("datetime64[ns]", copy=False)
        rows = np.append(first_rows(stamps.view(np.int64), midnights.view(np.int64)), len(panel))
        held = rows[1:] > rows[:-1]
        return cls(np.append(rows[:-1][held], rows[-1]), days[held].astype(np.int64), midnights[held])

    def numbers(self, rows: Integers) -> Integers:
        """Return the session of each row; of rows past the end, the number of sessions."""
        found: Integers = np.searchsorted(self.starts, rows, side="right") - 1
        return found

    @property
    def dates(self) -> list[date]:
        """The sessions as dates."""
        found: list[date] = self.days.astype("datetime64[D]").tolist()
        return found


@dataclass(frozen=True, eq=False)
class BacktestResult:
    """What came of a backtest; tables are made when they are first asked for.

    Attributes
    ----------
    panel, sessions
        What it ran on.
    log
        The kernel's fills and refused orders, by row and column.
    curve
        (S, 4) cash, net and gross value of the positions, and equity, USD, at each session's last close.
    paid
        (5,) `PAID`, USD.
    held
        (N,) shares held at the end, signed.
    first, capital
        Row of the first decision, and the opening cash, USD.
    ruined
        Number of the session in which the equity was used up, or -1.
    assumptions
        What the result rests on, in words.
    """

    panel: Panel = field(repr=False)
    sessions: Sessions = field(repr=False)
    log: Log = field(repr=False)
    curve: Floats = field(repr=False)
    paid: Floats
    held: Floats = field(repr=False)
    first: int
    capital: float
    ruined: int
    assumptions: tuple[str, ...]
    fills_at_open: bool = True

    @cached_property
    def equity(self) -> pd.Series[float]:
        """USD at the close, by session (date), from the first decision on."""
        return self._by_session(self.curve[:, 3], "equity")

    @cached_property
    def exposure(self) -> pd.DataFrame:
        """By session: cash (USD), and net and gross value of the positions as fractions of the equity."""
        import pandas as pd

        with np.errstate(divide="ignore", invalid="ignore"):
            net, gross = self.curve[:, 1] / self.curve[:, 3], self.curve[:, 2] / self.curve[:, 3]
        columns = {"cash": self.curve[:, 0], "net": net, "gross": gross}
        return pd.DataFrame({name: self._by_session(values, name) for name, values in columns.items()})

    @cached_property
    def benchmark(self) -> pd.Series[float] | None:
        """The same capital in equal parts in the symbols that trade on the first session, bought at its close and held.

        USD by session, without costs; None when nothing trades on it.
        """
        if self._held is None:
            return None
        levels = np.full(len(self.sessions.days), np.nan)
        levels[self._first_session :] = self._held
        return self._by_session(levels, "benchmark")

    @cached_property
    def metrics(self) -> Metrics:
        """Of the equity curve, beside the benchmark; of the sessions before the one that used it up."""
        first = self._first_session
        last = len(self.sessions.days) if self.ruined < 0 else max(first, self.ruined)
        equity = np.ascontiguousarray(self.curve[first:last, 3])
        days = self.sessions.days[first:last].astype("datetime64[D]")
        return measured(equity, days, None if self._held is None else (equity, self._held[: last - first]))

    @cached_property
    def costs_paid(self) -> dict[str, float]:
        """USD by kind: commission, slippage, borrow fee and interest paid; dividends received less paid on shorts."""
        return dict(zip(PAID, self.paid.tolist(), strict=True))

    @cached_property
    def fills(self) -> pd.DataFrame:
        """Columns ts (UTC), session, symbol, side, quantity, price, fee, decided_on (session, if decided), reason."""
        import pandas as pd

        chosen = self.log.fills[:, 2] != _SPLIT
        lines, figures = self.log.fills[chosen], self.log.figures[chosen]
        rows = lines[:, 0]
        decided = self._dates(np.where(lines[:, 2] == 0, rows - 1, len(self.panel)))
        return pd.DataFrame(
            {
                "ts": self._times(lines),
                "session": self._dates(rows),
                "symbol": self._symbols(lines[:, 1]),
                "side": np.where(figures[:, 0] > 0, "buy", "sell").astype(object),
                "quantity": np.abs(figures[:, 0]),
                "price": figures[:, 1],
                "fee": figures[:, 2],
                "decided_on": decided,
                "reason": np.array(FILL_REASONS, dtype=object)[lines[:, 2]],
            }
        )

    @cached_property
    def refused(self) -> pd.DataFrame:
        """Orders, or parts, that did not fill: session (None after the last bar), symbol, side, quantity, reason."""
        import pandas as pd

        lines, quantities = self.log.refused, self.log.quantities
        return pd.DataFrame(
            {
                "session": self._dates(lines[:, 0]),
                "symbol": self._symbols(lines[:, 1]),
                "side": np.where(quantities > 0, "buy", "sell").astype(object),
                "quantity": np.abs(quantities),
                "reason": np.array(REFUSALS, dtype=object)[lines[:, 2]],
            }
        )

    @cached_property
    def round_trips(self) -> tuple[Integers, Floats]:
        """Closed round trips as arrays, first in first out: see `trading.backtest.kernel.round_trips`."""
        from trading.backtest.kernel.round_trips import pair

        return pair(self.log.fills, self.log.figures, len(self.panel.symbols))

    @cached_property
    def trades(self) -> pd.DataFrame:
        """Closed round trips, first in first out, with `TRADE_COLUMNS`; pnl in USD after costs."""
        import pandas as pd

        ends, values = self.round_trips
        entered, left = self.log.fills[ends[:, 0]], self.log.fills[ends[:, 1]]
        quantity, entry, exit_ = np.abs(values[:, 0]), values[:, 1], values[:, 2]
        pnl = (exit_ - entry) * values[:, 0] - values[:, 3] - values[:, 4]
        starts, stops = self._times(entered), self._times(left)
        frame = pd.DataFrame(
            {
                "symbol": self._symbols(entered[:, 1]),
                "direction": np.where(values[:, 0] > 0, "long", "short").astype(object),
                "quantity": quantity,
                "entry_ts": starts,
                "entry_price": entry,
                "exit_ts": stops,
                "exit_price": exit_,
                "pnl": pnl,
                "return": pnl / (entry * quantity),
                "holding_days": (stops - starts) / np.timedelta64(1, "D"),
                "exit_reason": np.array(FILL_REASONS, dtype=object)[left[:, 2]],
            }
        )
        return frame[list(TRADE_COLUMNS)]

    def fingerprint(self) -> str:
        """Return the SHA-256 (hex) of fills, refused orders, equity and costs: the same inputs give the same one."""
        digest = hashlib.sha256(repr((self.panel.symbols, self.first, self.capital, self.ruined)).encode())
        for part in (*self.log, self.curve, self.paid, self.held):
            digest.update(np.ascontiguousarray(part).tobytes())
        return digest.hexdigest()

    @cached_property
    def _held(self) -> Floats | None:
        """The benchmark's USD from the first session on, or None."""
        from trading.backtest.kernel.benchmark import bought_and_held

        growth = bought_and_held(self.panel.close[self.sessions.starts[1 + self._first_session :] - 1])
        return None if np.isnan(growth[0]) else self.capital * growth

    @cached_property
    def _first_session(self) -> int:
        return int(self.sessions.numbers(np.array([self.first]))[0])

    def _by_session(self, values: Floats, name: str) -> pd.Series[float]:
        import pandas as pd

        return pd.Series(values[self._first_session :], index=self._index, name=name)

    @cached_property
    def _index(self) -> pd.Index[Any]:
        import pandas as pd

        days = self.sessions.days[self._first_session :].astype("datetime64[D]").astype(object)
        index: pd.Index[Any] = pd.Index(days, name="session", dtype=object, copy=False)
        return index

    def _dates(self, rows: Integers) -> NDArray[np.object_]:
        days: NDArray[np.object_] = np.array([*self.sessions.dates, None], dtype=object)
        return days[self.sessions.numbers(rows)]

    def _symbols(self, columns: Integers) -> NDArray[np.object_]:
        return np.array(self.panel.symbols, dtype=object)[columns]

    def _times(self, lines: Integers) -> pd.DatetimeIndex:
        """Return when fills happened: at a daily bar's open or, inside or at its end, close; else the bar's start."""
        import pandas as pd

        rows = lines[:, 0]
        stamps = self.panel.timestamps[rows].astype("datetime64[ns]")
        session = self.sessions.numbers(rows)
        numbers = number_sessions(self.sessions.days[session].astype("datetime64[D]"))
        opens, closes = session_hours(np.maximum(numbers, 0))
        at_open = (lines[:, 2] == 0) & self.fills_at_open
        daily = (stamps == self.sessions.midnights[session]) & (numbers >= 0)
        return pd.DatetimeIndex(np.where(daily, np.where(at_open, opens, closes), stamps), tz="UTC")
