from __future__ import annotations

import time
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
import quantstats as qs

from trading.backtest import TRADE_COLUMNS, run
from trading.calendar import open_at, session_dates
from trading.costs import Costs
from trading.errors import DataError, InvalidValueError
from trading.fills import Position, apply_fill
from trading.rules import SmaCrossover
from trading.signals import decide
from trading.sizing import Sizing, size, size_inputs
from trading.strategies import SHIPPED, Strategy

if TYPE_CHECKING:
    from collections.abc import Callable

    from trading.bars import Panel

MINE = Strategy(name="mine", rule=SmaCrossover(fast=2, slow=3))
RISE_AND_FALL = [[10.0], [10.0], [10.0], [11.0], [12.0], [13.0], [12.0], [10.0], [8.0], [8.0]]


def test_a_round_trip_by_hand(make_panel: Callable[..., Panel]) -> None:
    panel = make_panel(RISE_AND_FALL)  # each open is the close before
    result = run(MINE, panel, capital=1_000.0)
    bought, sold = result.fills.to_dict("records")
    # close 11 puts the 2-bar mean above the 3-bar mean: 1000 // 11 shares at the next open, 11
    assert (bought["side"], bought["quantity"], bought["price"]) == ("buy", 90, 11.0)
    assert (bought["decided_on"], bought["session"]) == (date(2011, 1, 6), date(2011, 1, 7))
    assert bought["ts"] == open_at(date(2011, 1, 7))
    # close 10 puts it below: sold at the next open, 10
    assert (sold["side"], sold["quantity"], sold["price"]) == ("sell", 90, 10.0)
    assert result.equity.tolist() == [1000, 1000, 1090, 1180, 1090, 910, 910, 910]
    assert result.equity.index[0] == date(2011, 1, 5)
    (trade,) = result.trades.to_dict("records")
    assert (trade["pnl"], trade["return"]) == (-90, pytest.approx(-1 / 11))
    assert list(result.trades.columns) == list(TRADE_COLUMNS)


def test_costs_by_hand(make_panel: Callable[..., Panel]) -> None:
    costs = Costs(commission_bps=10, slippage_bps=100, commission_per_share=0.01)
    result = run(MINE, make_panel(RISE_AND_FALL), capital=1_000.0, costs=costs)
    bought, sold = result.fills.to_dict("records")
    assert (bought["price"], sold["price"]) == (pytest.approx(11.11), pytest.approx(9.9))
    assert bought["fee"] == pytest.approx(90 * (11.11 * 0.001 + 0.01))
    spent = 90 * (9.9 - 11.11) - bought["fee"] - sold["fee"]
    assert result.equity.iloc[-1] == pytest.approx(1_000 + spent)
    assert result.trades["pnl"].sum() == pytest.approx(spent)


@pytest.mark.parametrize("name", ["sma_crossover", "momentum_rotation", "rsi_reversion", "low_volatility"])
def test_an_independent_loop_gives_the_same_fills_and_equity(name: str, real: Panel) -> None:
    """Live decisions day by day, with only the bars known then, booked in Decimal."""
    strategy, panel = SHIPPED[name], real.rows(slice(-420, None))
    start = session_dates(panel.timestamps)[200].item()
    result = run(strategy, panel, start=start)
    cash, books = Decimal(100_000), {symbol: Position(symbol) for symbol in panel.symbols}
    equity, fills = [], []
    for row in range(200, len(panel)):
        known = panel.rows(slice(max(0, row - strategy.warm_up - 5), row + 1))
        held = {symbol: float(position.quantity) for symbol, position in books.items()}
        marks = dict(zip(panel.symbols, known.close[-1].tolist(), strict=True))
        worth = float(cash) + sum(quantity * marks[symbol] for symbol, quantity in held.items() if quantity)
        equity.append(worth)
        if row + 1 == len(panel):
            break
        signals, _ = decide(strategy, known)
        wanted = {signal.symbol: signal.target_weight for signal in signals}
        sized = size(strategy.sizing, size_inputs(known, weights=wanted, current=held, capital=worth))
        for item in sorted((item for item in sized if item.change), key=lambda item: item.change > 0):
            price = Decimal(str(panel.open[row + 1, panel.symbols.index(item.symbol)]))
            quantity = Decimal(str(abs(item.change)))
            side = "buy" if item.change > 0 else "sell"
            books[item.symbol] = apply_fill(
                books[item.symbol], side="buy" if side == "buy" else "sell", quantity=quantity, price=price
            )
            cash += -quantity * price if side == "buy" else quantity * price
            fills.append((item.symbol, side, float(quantity), float(price)))
    columns = ["symbol", "side", "quantity", "price"]
    assert list(result.fills[columns].itertuples(index=False, name=None)) == fills
    assert len(fills) >= 5
    np.testing.assert_allclose(result.equity, equity, atol=0.005)


def test_every_fill_is_at_the_next_open_and_known_before(real: Panel) -> None:
    result = run(SHIPPED["sma_crossover"], real)
    days = session_dates(real.timestamps).tolist()
    for fill in result.fills.to_dict("records"):
        row = days.index(fill["session"])
        assert fill["price"] == real.open[row, real.symbols.index(fill["symbol"])]
        assert fill["decided_on"] == days[row - 1]
        assert fill["quantity"] == int(fill["quantity"])


def test_equity_is_cash_plus_positions_at_every_close(real: Panel) -> None:
    result = run(SHIPPED["momentum_rotation"], real, costs=Costs(commission_bps=5, slippage_bps=5))
    days = session_dates(real.timestamps).tolist()
    for day in (date(2003, 5, 1), date(2008, 10, 10), date(2013, 3, 1)):
        done = result.fills[result.fills["session"] <= day]
        signed = done["quantity"].where(done["side"] == "buy", -done["quantity"])
        cash = 100_000 - (signed * done["price"]).sum() - done["fee"].sum()
        held = signed.groupby(done["symbol"]).sum()
        closes = pd.Series(real.close[days.index(day)], index=list(real.symbols))
        assert result.equity[day] == pytest.approx(cash + (held * closes[held.index]).fillna(0).sum())


def test_the_past_of_a_backtest_does_not_depend_on_its_end(real: Panel) -> None:
    whole, part = (run(SHIPPED["momentum_rotation"], panel) for panel in (real, real.rows(slice(0, 1500))))
    pd.testing.assert_series_equal(part.equity, whole.equity.iloc[: len(part.equity)])
    pd.testing.assert_frame_equal(part.fills, whole.fills.iloc[: len(part.fills)])


def test_the_same_inputs_give_the_same_result(real: Panel) -> None:
    one, two = (run(SHIPPED["sma_crossover"], real) for _ in range(2))
    pd.testing.assert_frame_equal(one.trades, two.trades)
    pd.testing.assert_series_equal(one.equity, two.equity)
    assert one.metrics == two.metrics


def test_the_metrics_are_of_the_equity_curve(real: Panel) -> None:
    result = run(SHIPPED["sma_crossover"], real)
    returns = result.equity.set_axis(pd.to_datetime(result.equity.index)).pct_change().dropna()
    assert result.metrics.sharpe == pytest.approx(qs.stats.sharpe(returns))
    assert result.metrics.total_return == pytest.approx(result.equity.iloc[-1] / 100_000 - 1)


def test_a_missing_next_bar_lets_the_order_expire(make_panel: Callable[..., Panel]) -> None:
    close = np.column_stack((np.array(RISE_AND_FALL)[:, 0], np.full(10, 5.0)))
    close[4, 0] = np.nan
    result = run(MINE, make_panel(close), capital=1_000.0)
    first = result.refused.iloc[0]
    assert (first["session"], first["symbol"], first["side"]) == (date(2011, 1, 7), "S0", "buy")
    assert "no bar in the next session" in first["reason"]


def test_what_is_decided_on_the_last_bar_is_listed_not_filled(make_panel: Callable[..., Panel]) -> None:
    result = run(MINE, make_panel(RISE_AND_FALL[:4]), capital=1_000.0)
    assert result.fills.empty
    assert result.trades.empty
    assert result.refused[["symbol", "side", "quantity", "reason"]].to_dict("records") == [
        {"symbol": "S0", "side": "buy", "quantity": 90.0, "reason": "decided on the last bar"}
    ]


def test_an_open_far_above_the_close_is_not_affordable(make_panel: Callable[..., Panel]) -> None:
    panel = make_panel(RISE_AND_FALL)
    panel.open[4, 0] = 40.0
    result = run(MINE, panel, capital=1_000.0)
    assert "buying power" in result.refused.iloc[0]["reason"]
    assert result.fills.iloc[0]["session"] == date(2011, 1, 10)


def test_open_positions_are_marked_to_the_last_close(make_panel: Callable[..., Panel]) -> None:
    result = run(MINE, make_panel(RISE_AND_FALL[:6]), capital=1_000.0)
    assert result.trades.empty
    assert result.equity.iloc[-1] == 10 + 90 * 13
    assert any("marked to the last close" in words for words in result.assumptions)


def test_the_start_is_the_first_session_decided_on(real: Panel) -> None:
    result = run(SHIPPED["sma_crossover"], real, start=date(2012, 11, 30))
    assert result.equity.index[0] == date(2012, 11, 30)
    assert result.equity.iloc[0] == 100_000
    assert result.fills["decided_on"].min() == date(2012, 11, 30)
    assert result.fills["session"].min() == date(2012, 12, 3)


def test_what_cannot_be_run_says_why(make_panel: Callable[..., Panel], real: Panel) -> None:
    with pytest.raises(DataError, match="mine needs 3 bars of a symbol before it decides, and 2 are there"):
        run(MINE, make_panel(RISE_AND_FALL[:2]))
    with pytest.raises(DataError, match="no bars to backtest"):
        run(MINE, make_panel(np.zeros((0, 1))))
    with pytest.raises(DataError, match="no bars at or after 2020-01-01; the last are of 2013-03-01"):
        run(MINE, real, start=date(2020, 1, 1))
    for capital in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(InvalidValueError, match="capital"):
            run(MINE, real, capital=capital)


@pytest.mark.parametrize("method", ["fixed_fraction", "volatility_target", "atr_risk", "half_kelly"])
def test_every_sizing_method_runs_and_stays_solvent(method: str, real: Panel) -> None:
    sizing = Sizing.model_validate({"method": method})
    result = run(SHIPPED["sma_crossover"].model_copy(update={"sizing": sizing}), real)
    assert len(result.trades) > 10
    assert (result.equity > 0).all()


def test_thirteen_years_of_five_symbols_take_under_two_seconds(real: Panel) -> None:
    started = time.perf_counter()
    result = run(SHIPPED["sma_crossover"], real)
    assert time.perf_counter() - started < 2
    assert len(result.equity) > 3_000
