"""Backtest: what a strategy would have done, with the same decisions and sizes as live.

Decided at the close of a bar, filled at the next open: the bar of a decision is never the bar of its fill.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from trading.backtest_costs import Costs
from trading.bars import moment
from trading.calendar import bar_timestamp, open_at, session_dates, session_of
from trading.errors import DataError, InvalidValueError
from trading.fills import Fill, round_trips
from trading.performance import metrics
from trading.rules import carried
from trading.sizing import SizingInputs, size, statistics
from trading.strategies import decided, target_weights

if TYPE_CHECKING:
    from datetime import date, datetime

    import pandas as pd

    from trading.bars import Floats, Panel
    from trading.orders import Side
    from trading.performance import Metrics
    from trading.strategies import Strategy

__all__ = ["MARGIN", "TRADE_COLUMNS", "BacktestResult", "Costs", "last_known", "run"]

MARGIN = 2.0
"""Gross notional over equity that the broker's overnight margin allows (Regulation T)."""


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
)
"""Columns of `BacktestResult.trades`."""


@dataclass(frozen=True, slots=True, eq=False)
class BacktestResult:
    """What came of a backtest.

    Attributes
    ----------
    trades
        Closed round trips, first in first out, with `TRADE_COLUMNS`; pnl in USD after costs.
    equity
        USD at the close, by session (date), from the first decision on.
    fills
        ts (UTC), session, symbol, side, quantity, price, fee, decided_on (session).
    metrics
        Of the equity curve.
    refused
        Orders that did not fill: session (date or None after the last bar), symbol, side, quantity, reason.
    assumptions
        What the result rests on, in words.
    """

    trades: pd.DataFrame
    equity: pd.Series[float]
    fills: pd.DataFrame
    metrics: Metrics
    refused: pd.DataFrame
    assumptions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Order:
    """A change of quantity that fills, or does not, at the open of a row."""

    row: int
    column: int
    side: Side
    quantity: float
    reason: str = ""
    price: float = 0.0
    fee: float = 0.0

    @property
    def signed(self) -> float:
        return self.quantity if self.side == "buy" else -self.quantity


@dataclass(slots=True)
class _Account:
    cash: float
    held: Floats
    costs: Costs
    filled: list[_Order] = field(default_factory=list)
    refused: list[_Order] = field(default_factory=list)

    def trade(self, row: int, changes: Floats, opens: Floats, marks: Floats) -> None:
        """Fill changes of quantity at a row's open, sells before buys, each in column order."""
        for order in _orders(row, changes):
            price = float(opens[order.column])
            if not price > 0:
                self.refused.append(replace(order, reason="no bar in the next session: the day order expired"))
            elif order.side == "buy" and not self._affordable(order, marks):
                self.refused.append(replace(order, reason="not enough buying power at the open"))
            else:
                self._fill(order, price)

    def _fill(self, order: _Order, open_price: float) -> None:
        price = self.costs.price(order.side, open_price)
        fee = self.costs.commission(order.quantity, price)
        self.cash -= order.signed * price + fee
        self.held[order.column] += order.signed
        self.filled.append(replace(order, price=price, fee=fee))

    def _affordable(self, order: _Order, marks: Floats) -> bool:
        after = self.held.copy()
        after[order.column] += order.signed
        return float(np.abs(after) @ marks) <= MARGIN * (self.cash + float(self.held @ marks))


def _orders(row: int, changes: Floats) -> list[_Order]:
    sells = [_Order(row, column, "sell", -float(changes[column])) for column in np.flatnonzero(changes < 0).tolist()]
    buys = [_Order(row, column, "buy", float(changes[column])) for column in np.flatnonzero(changes > 0).tolist()]
    return sells + buys


def run(
    strategy: Strategy,
    panel: Panel,
    *,
    capital: float = 100_000.0,
    costs: Costs | None = None,
    start: date | None = None,
) -> BacktestResult:
    """Run a strategy over a panel of its universe.

    Parameters
    ----------
    strategy
        What decides; it manages all of `capital`, whatever its `capital_fraction`.
    panel
        Bars adjusted for splits, with `strategy.warm_up` bars before `start`.
    capital
        Opening cash, USD.
    costs
        Commission and slippage; by default the strategy's own.
    start
        Session of the first decision. Default: the first on which any symbol has enough bars.

    Raises
    ------
    DataError
        There are no bars, none at or after `start`, or too few for one decision.
    InvalidValueError
        Capital is not above zero.
    """
    if not 0 < capital < float("inf"):
        raise InvalidValueError("capital", capital, "an amount in USD above zero")
    ready = decided(strategy, panel)
    first = _first_row(strategy, panel, ready, start)
    weights = np.where(ready, target_weights(strategy, panel), np.nan)
    account = _Account(capital, np.zeros(len(panel.symbols)), costs or strategy.costs)
    equity = _simulate(strategy, panel, weights, account, first)
    days = session_dates(panel.timestamps)
    curve = _curve(equity[first:], days[first:])
    fills = _fills(panel, account, days.tolist())
    return BacktestResult(
        trades=_trades_frame(fills),
        equity=curve,
        fills=_fills_frame(fills, account, days.tolist()),
        metrics=metrics(curve),
        refused=_refused_frame(panel, account, days.tolist()),
        assumptions=_assumptions(account.costs),
    )


def _simulate(strategy: Strategy, panel: Panel, weights: Floats, account: _Account, first: int) -> Floats:
    figures = statistics(panel)
    equity = np.full(len(panel), np.nan)
    marks = last_known(panel.close)
    changes: Floats = np.zeros(len(panel.symbols))
    for row in range(first, len(panel)):
        if changes.any():
            opens = panel.open[row]
            account.trade(row, changes, opens, np.where(opens > 0, opens, marks[row - 1]))
        equity[row] = account.cash + float(account.held @ marks[row])
        inputs = SizingInputs(
            symbols=panel.symbols,
            weights=weights[row],
            prices=panel.close[row],
            current=account.held,
            capital=max(0.0, float(equity[row])),
            volatility=figures.volatility[row],
            atr=figures.atr[row],
            mean_return=figures.mean_return[row],
        )
        changes = np.array([sized.change for sized in size(strategy.sizing, inputs)], dtype=np.float64)
    account.refused += [replace(order, reason="decided on the last bar") for order in _orders(len(panel), changes)]
    return equity


def last_known(close: Floats) -> Floats:
    """Return (T, N) closes, a missing one as the last before it, 0 before the first."""
    return np.nan_to_num(carried(np.where(close > 0, close, np.nan)), nan=0.0)


def _first_row(strategy: Strategy, panel: Panel, ready: np.typing.NDArray[np.bool_], start: date | None) -> int:
    if not len(panel):
        raise DataError(f"no bars to backtest {strategy.name} on; fetch market data first")
    if not ready.any():
        raise DataError(
            f"{strategy.name} needs {strategy.warm_up} bars of a symbol before it decides, "
            f"and {len(panel)} are there; fetch earlier data or shorten its rule"
        )
    if start is None:
        return int(np.flatnonzero(ready.any(axis=1))[0])
    first = int(np.searchsorted(session_dates(panel.timestamps), np.datetime64(start, "D")))
    if first == len(panel):
        raise DataError(f"no bars at or after {start}; the last are of {session_of(panel.last_timestamp)}")
    return first


def _curve(equity: Floats, days: np.typing.NDArray[np.datetime64]) -> pd.Series[float]:
    import pandas as pd

    index = pd.Index(days.astype("datetime64[D]").tolist(), name="session", dtype=object)
    curve = pd.Series(equity, index=index, name="equity", dtype="float64")
    return curve[~curve.index.duplicated(keep="last")]


def _fill_time(stamp: np.datetime64, day: date) -> datetime:
    """Return when a bar's open happened: the session's open for a daily bar, else the bar's start."""
    ts = moment(stamp)
    return open_at(day) if ts == bar_timestamp(day) else ts


def _fills(panel: Panel, account: _Account, days: list[date]) -> list[Fill]:
    return [
        Fill(
            symbol=panel.symbols[order.column],
            side=order.side,
            quantity=_exact(order.quantity),
            price=_exact(order.price),
            ts=_fill_time(panel.timestamps[order.row], days[order.row]),
            fee=_exact(order.fee),
        )
        for order in account.filled
    ]


def _fills_frame(fills: list[Fill], account: _Account, days: list[date]) -> pd.DataFrame:
    import pandas as pd

    rows = [
        (
            fill.ts,
            days[order.row],
            fill.symbol,
            order.side,
            order.quantity,
            order.price,
            order.fee,
            days[order.row - 1],
        )
        for fill, order in zip(fills, account.filled, strict=True)
    ]
    columns = ["ts", "session", "symbol", "side", "quantity", "price", "fee", "decided_on"]
    return pd.DataFrame(rows, columns=columns)


def _refused_frame(panel: Panel, account: _Account, days: list[date]) -> pd.DataFrame:
    import pandas as pd

    after: list[date | None] = [*days, None]
    rows = [
        (after[order.row], panel.symbols[order.column], order.side, order.quantity, order.reason)
        for order in account.refused
    ]
    return pd.DataFrame(rows, columns=["session", "symbol", "side", "quantity", "reason"])


def _trades_frame(fills: list[Fill]) -> pd.DataFrame:
    import pandas as pd

    rows = [
        {
            "symbol": trip.symbol,
            "direction": trip.direction,
            "quantity": float(trip.quantity),
            "entry_ts": trip.entry_ts,
            "entry_price": float(trip.entry_price),
            "exit_ts": trip.exit_ts,
            "exit_price": float(trip.exit_price),
            "pnl": float(trip.pnl),
            "return": float(trip.rate_of_return),
            "holding_days": trip.holding_time.total_seconds() / 86_400,
        }
        for trip in round_trips(fills)
    ]
    return pd.DataFrame(rows, columns=list(TRADE_COLUMNS))


def _exact(value: float) -> Decimal:
    return Decimal(repr(float(value)))


def _assumptions(costs: Costs) -> tuple[str, ...]:
    paid = f"{costs.commission_bps:g} bps of notional plus {costs.commission_per_share:g} USD per share"
    return (
        "Decided at each close on completed bars; filled at the next bar's open, sells before buys.",
        "An order whose symbol has no bar in the next session expires; otherwise the whole quantity fills.",
        f"Slippage {costs.slippage_bps:g} bps of the open; commission {paid}.",
        "Sizes use the equity at the close of the decision; cash may dip below zero when an open gaps up.",
        f"Positions stay within {MARGIN:g} times equity; no interest, dividends or borrow cost.",
        "Account-wide risk limits and other strategies in the same account are not applied.",
        "Positions open at the end are marked to the last close.",
    )
