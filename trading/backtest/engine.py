"""The two ways into the kernel: a strategy with its sizing, or ready weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trading.adjustment import to_actions
from trading.backtest.assumptions import Exits, Rules, terms, words
from trading.backtest.result import BacktestResult, Sessions
from trading.bars import FIELDS
from trading.calendar import session_dates, session_of
from trading.costs import Costs
from trading.errors import DataError, InvalidValueError
from trading.sizing import Sizing, sizing_terms, statistics
from trading.strategies import decided, target_weights

if TYPE_CHECKING:
    from datetime import date

    from trading.adjustment import Actions
    from trading.backtest.kernel.accounts import Market
    from trading.backtest.kernel.simulation import Actions as Booked
    from trading.backtest.kernel.simulation import Figures
    from trading.bars import Floats, Panel
    from trading.strategies import Strategy

ALL_IN = Sizing(rebalance_band=0.0)
"""Weights as they are, in whole shares."""


def run(
    strategy: Strategy,
    panel: Panel,
    *,
    capital: float = 100_000.0,
    costs: Costs | None = None,
    start: date | None = None,
    exits: Exits | None = None,
    rules: Rules | None = None,
    actions: Actions | None = None,
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
    exits
        Stops and targets inside the bar; none by default. A position that was stopped out is taken again only
        after the strategy has been flat, undecided or of the other side.
    rules
        How the account works; by default fills at the next open and no limits but the margin.
    actions
        Splits and dividends to book; only those that the bars are not adjusted for.

    Raises
    ------
    DataError
        There are no bars, none at or after `start`, or too few for one decision.
    InvalidValueError
        Capital is not above zero.
    """
    _check_capital(capital)
    ready = decided(strategy, panel)
    first = _first_row(strategy, panel, ready, start)
    weights = np.where(ready, target_weights(strategy, panel), np.nan)
    return _simulated(
        panel,
        weights,
        strategy.sizing,
        first=first,
        capital=capital,
        assumed=(costs or strategy.costs, exits or Exits(), rules or Rules()),
        standing=True,
        actions=actions,
    )


def follow(
    panel: Panel,
    weights: Floats,
    *,
    capital: float = 100_000.0,
    costs: Costs | None = None,
    sizing: Sizing = ALL_IN,
    exits: Exits | None = None,
    rules: Rules | None = None,
    actions: Actions | None = None,
    standing: bool = False,
    first: int = 0,
) -> BacktestResult:
    """Run ready decisions over a panel.

    Parameters
    ----------
    panel
        T bars of N symbols.
    weights
        (T, N) share of the equity wanted from the next bar on, signed; NaN: no decision, what is held stays.
        `weights_of` makes them of signals.
    sizing
        How weights become quantities; by default as they are, in whole shares, without a band.
    standing
        Whether weights say what is wanted in each row, so that a position that was stopped out waits for
        another weight; by default each is a new decision.
    first
        Row at which the result begins; the rows before it are there for the sizing's figures.
    capital, costs, exits, rules, actions
        As `run`.

    Raises
    ------
    DataError
        There are no bars.
    InvalidValueError
        Capital is not above zero, or the weights have another shape than the panel.
    """
    _check_capital(capital)
    if not len(panel):
        raise DataError("no bars to backtest on; fetch market data first")
    if weights.shape != panel.close.shape:
        raise InvalidValueError("shape of weights", weights.shape, f"{panel.close.shape}")
    return _simulated(
        panel,
        np.ascontiguousarray(weights, dtype=np.float64),
        sizing,
        first=first,
        capital=capital,
        assumed=(costs or Costs(), exits or Exits(), rules or Rules()),
        standing=standing,
        actions=actions,
    )


def _simulated(
    panel: Panel,
    weights: Floats,
    sizing: Sizing,
    *,
    first: int,
    capital: float,
    assumed: tuple[Costs, Exits, Rules],
    standing: bool,
    actions: Actions | None,
) -> BacktestResult:
    from trading.backtest.kernel.simulation import Course, simulate

    sessions = Sessions.of(panel)
    course = Course(
        _market(panel, sessions),
        weights,
        _figures(sizing, panel),
        sizing_terms(sizing),
        terms(*assumed, standing=standing),
        _booked(panel, sessions, actions),
    )
    log, curve, paid, held, ruined = simulate(course, first, float(capital))
    return BacktestResult(
        panel=panel,
        sessions=sessions,
        log=log,
        curve=curve,
        paid=paid,
        held=held,
        first=first,
        capital=float(capital),
        ruined=ruined,
        assumptions=words(*assumed, actions=actions is not None),
        fills_at_open=assumed[2].fill_at == "open",
    )


def _market(panel: Panel, sessions: Sessions) -> Market:
    from trading.backtest.kernel.accounts import Market

    start, high, low, close, volume = (np.ascontiguousarray(panel.field(name)) for name in FIELDS)
    return Market(start, high, low, close, volume, sessions.starts, sessions.days)


def _figures(sizing: Sizing, panel: Panel) -> Figures:
    from trading.backtest.kernel.simulation import Figures

    if sizing.method in {"volatility_target", "atr_risk", "half_kelly"}:
        found = statistics(panel)
        return Figures(*map(np.ascontiguousarray, (found.volatility, found.atr, found.mean_return)))
    nothing = np.full((1, len(panel.symbols)), np.nan)
    return Figures(nothing, nothing, nothing)


def _booked(panel: Panel, sessions: Sessions, actions: Actions | None) -> Booked:
    """Return row, column, kind and value of the splits and dividends of the panel's symbols, in order."""
    from trading.backtest.kernel.accounts import DIVIDEND_ACTION, SPLIT_ACTION
    from trading.backtest.kernel.simulation import Actions as Booked

    columns = {symbol: column for column, symbol in enumerate(panel.symbols)}
    kinds = {"split": SPLIT_ACTION, "dividend": DIVIDEND_ACTION}
    found: list[tuple[int, int, int, float]] = []
    if actions is None:
        actions = to_actions([])
    for at in range(len(actions)):
        symbol, kind = actions.symbols[at], actions.kinds[at]
        session = int(np.searchsorted(sessions.days, actions.ex_dates[at].astype(np.int64)))
        if symbol in columns and kind in kinds and session < len(sessions.days):
            found.append((int(sessions.starts[session]), kinds[kind], columns[symbol], float(actions.values[at])))
    found.sort()
    whole = np.array([line[:3] for line in found], dtype=np.int64).reshape(-1, 3)
    rows, booked, places = (np.ascontiguousarray(whole[:, part]) for part in range(3))
    return Booked(rows, places, booked, np.array([line[3] for line in found], dtype=np.float64))


def _check_capital(capital: float) -> None:
    if not 0 < capital < float("inf"):
        raise InvalidValueError("capital", capital, "an amount in USD above zero")


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
