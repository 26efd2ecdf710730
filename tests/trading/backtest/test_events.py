"""Every event inside a bar, worked out by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.trading.backtest.panels import DAYS, Bar, flat, panel_of
from trading.adjustment import to_actions
from trading.adjustment.actions import CashDividend, Split
from trading.backtest import Exits, Rules, follow
from trading.costs import Costs
from trading.errors import DataError, InvalidValueError
from trading.sizing import Sizing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trading.backtest import BacktestResult

NAN = float("nan")


def decisions(*rows: Sequence[float]) -> np.typing.NDArray[np.float64]:
    return np.array(rows, dtype=np.float64)


def once(weight: float, bars: int) -> np.typing.NDArray[np.float64]:
    """Decide once, at the first close."""
    return np.array([[weight]] + [[NAN]] * (bars - 1))


def fills(result: BacktestResult) -> list[tuple[Any, ...]]:
    frame = result.fills
    days = {day: row for row, day in enumerate(DAYS)}
    signed = frame["quantity"].where(frame["side"] == "buy", -frame["quantity"])
    return list(zip(frame["session"].map(days), signed, frame["price"], frame["reason"], strict=True))


@pytest.mark.parametrize(
    ("weight", "bar", "price", "reason"),
    [
        (1.0, (101, 103, 94, 96), 95, "stop loss"),  # touched inside the bar: at the stop
        (1.0, (90, 99, 89, 98), 90, "stop loss"),  # opened below it: at the open
        (1.0, (101, 112, 99, 111), 110, "take profit"),  # touched: at the target
        (1.0, (113, 115, 112, 114), 113, "take profit"),  # opened above it: at the better open
        (1.0, (100, 111, 94, 100), 95, "stop loss"),  # both in one bar: the stop came first
        (1.0, (112, 113, 90, 92), 112, "take profit"),  # both, but the open was beyond the target already
        (-1.0, (101, 106, 99, 104), 105, "stop loss"),
        (-1.0, (108, 109, 101, 102), 108, "stop loss"),
        (-1.0, (99, 100, 88, 91), 90, "take profit"),
        (-1.0, (85, 86, 84, 85), 85, "take profit"),
        (-1.0, (100, 106, 89, 100), 105, "stop loss"),
    ],
)
def test_stop_and_target(weight: float, bar: Bar, price: float, reason: str) -> None:
    panel = panel_of([*flat(100, 2), bar, *flat(100, 2)])
    result = follow(panel, once(weight, 5), capital=1_000, exits=Exits(stop_loss=0.05, take_profit=0.1))
    side = np.sign(weight)
    assert fills(result) == [(1, side * 10, 100, "decided"), (2, -side * 10, pytest.approx(price), reason)]
    (trade,) = result.trades.to_dict("records")
    assert (trade["exit_reason"], trade["pnl"]) == (reason, pytest.approx(side * 10 * (price - 100)))
    assert result.equity.iloc[-1] == pytest.approx(1_000 + side * 10 * (price - 100))


def test_a_stop_acts_in_the_bar_of_the_entry() -> None:
    panel = panel_of([*flat(100, 1), (100, 101, 94, 99), *flat(99, 2)])
    result = follow(panel, once(1, 4), capital=1_000, exits=Exits(stop_loss=0.05))
    assert fills(result) == [(1, 10, 100, "decided"), (1, -10, 95, "stop loss")]


def test_a_trailing_stop_follows_completed_bars_only() -> None:
    # entered at 100; the high of 120 and the low of 107 are of one bar, whose range may have been low first: the
    # stop stands at 90 in it, and at 120 less a tenth in the next
    panel = panel_of([*flat(100, 2), (108, 120, 107, 118), (117, 119, 107, 110), *flat(110, 1)])
    result = follow(panel, once(1, 5), capital=1_000, exits=Exits(trailing_stop=0.1))
    assert fills(result) == [(1, 10, 100, "decided"), (3, -10, pytest.approx(108), "trailing stop")]


def test_a_trailing_stop_of_a_short_follows_the_low() -> None:
    panel = panel_of([*flat(100, 2), (95, 96, 80, 85), (86, 89, 84, 87), *flat(87, 1)])
    result = follow(panel, once(-1, 5), capital=1_000, exits=Exits(trailing_stop=0.1))
    assert fills(result) == [(1, -10, 100, "decided"), (3, 10, pytest.approx(88), "trailing stop")]


def test_the_nearer_of_two_stops_acts() -> None:
    exits = Exits(stop_loss=0.05, trailing_stop=0.1)
    near = follow(panel_of([*flat(100, 2), (100, 100, 80, 85)]), once(1, 3), capital=1_000, exits=exits)
    assert fills(near)[1] == (2, -10, 95, "stop loss")


def test_a_stop_slips_and_a_target_does_not() -> None:
    costs, exits = Costs(slippage_bps=100), Exits(stop_loss=0.05, take_profit=0.1)
    fall = panel_of([*flat(100, 2), (100, 100, 90, 90)])
    stopped = follow(fall, once(1, 3), capital=1_000, costs=costs, exits=exits)
    entry = 101.0  # 10 shares of 100 decided; bought at the open of 100 and a hundredth more
    assert fills(stopped)[1] == (2, -10, pytest.approx(entry * 0.95 * 0.99), "stop loss")
    rise = panel_of([*flat(100, 2), (100, 120, 100, 115)])
    taken = follow(rise, once(1, 3), capital=1_000, costs=costs, exits=exits)
    assert fills(taken)[1] == (2, -10, pytest.approx(entry * 1.1), "take profit")


def test_what_was_stopped_out_waits_for_another_decision() -> None:
    bars = [*flat(100, 2), (100, 100, 90, 92), *flat(92, 4)]
    standing = np.full((7, 1), 1.0)
    exits = Exits(stop_loss=0.05)
    result = follow(panel_of(bars), standing, capital=1_000, exits=exits, standing=True)
    assert len(result.fills) == 2
    standing[4] = 0.0
    result = follow(panel_of(bars), standing, capital=1_000, exits=exits, standing=True)
    assert [row for row, *_ in fills(result)] == [1, 2, 6]
    fresh = np.array([[1.0], [NAN], [NAN], [1.0], [NAN], [NAN], [NAN]])
    result = follow(panel_of(bars), fresh, capital=1_000, exits=exits)
    assert [row for row, *_ in fills(result)] == [1, 2, 4]


def test_a_short_pays_to_borrow_for_each_night() -> None:
    # Tuesday 4 to Monday 10 January: six nights, four sessions later
    panel = panel_of(flat(100, 6))
    result = follow(panel, once(-1, 6), capital=1_000, rules=Rules(borrow_rate=0.365))
    assert fills(result) == [(1, -10, 100, "decided")]
    fee = 1_000 * 0.365 / 365
    assert result.equity.tolist() == pytest.approx([1_000 - nights * fee for nights in (0, 0, 1, 2, 3, 6)])
    assert result.costs_paid["borrow"] == pytest.approx(6 * fee)


def test_a_long_pays_no_borrow_fee_and_debt_pays_interest() -> None:
    # decided at 100: 10 shares; they cost 110 at the open, and leave a debt of 100
    panel = panel_of([*flat(100, 1), *flat(110, 2)])
    result = follow(panel, once(1, 3), capital=1_000, rules=Rules(borrow_rate=1, interest_rate=0.365))
    assert result.costs_paid == {
        "commission": 0,
        "slippage": 0,
        "borrow": 0,
        "interest": pytest.approx(0.1),
        "dividends": 0,
    }
    assert result.exposure["cash"].tolist() == pytest.approx([1_000, -100, -100.1])


def test_a_dividend_is_received_on_a_long_and_paid_on_a_short() -> None:
    actions = to_actions([CashDividend("S0", DAYS[3], rate=2, special=False)])  # type: ignore[arg-type]
    panel = panel_of([*flat(100, 3), *flat(98, 2)])
    for weight, received in ((1, 20), (-1, -20)):
        result = follow(panel, once(weight, 5), capital=1_000, actions=actions)
        assert result.costs_paid["dividends"] == received
        assert result.equity.tolist() == [1_000] * 5  # the price fell by what was paid
    late = follow(panel, decisions([NAN], [NAN], [1], [NAN], [NAN]), capital=1_000, actions=actions)
    assert late.costs_paid["dividends"] == 0  # bought at the open of the ex-date


def test_a_split_changes_what_is_held_and_not_what_it_is_worth() -> None:
    actions = to_actions([Split("S0", DAYS[3], new_rate=3, old_rate=2)])
    panel = panel_of([*flat(99, 3), *flat(66, 3)])
    result = follow(panel, decisions([1], [NAN], [NAN], [NAN], [0], [NAN]), capital=1_100, actions=actions)
    # 11 shares become 16.5: 16 and half a share's 33 USD
    assert fills(result) == [(1, 11, 99, "decided"), (3, -0.5, 66, "cash for part of a share"), (5, -16, 66, "decided")]
    assert result.equity.tolist() == pytest.approx([1_100] * 6)
    assert result.trades["pnl"].sum() == pytest.approx(0)
    assert result.trades["entry_price"].tolist() == pytest.approx([66, 66])


def test_an_order_decided_before_a_split_is_for_the_new_shares() -> None:
    actions = to_actions([Split("S0", DAYS[1], new_rate=2, old_rate=1)])
    result = follow(panel_of([*flat(100, 1), *flat(50, 2)]), once(1, 3), capital=1_000, actions=actions)
    assert fills(result) == [(1, 20, 50, "decided")]


def test_a_stop_moves_with_a_split() -> None:
    actions = to_actions([Split("S0", DAYS[2], new_rate=2, old_rate=1)])
    panel = panel_of([*flat(100, 2), (50, 51, 48, 49), (49, 49, 46, 47)])
    result = follow(panel, once(1, 4), capital=1_000, actions=actions, exits=Exits(stop_loss=0.05))
    assert fills(result)[1:] == [(3, -20, pytest.approx(47.5), "stop loss")]


def test_a_volume_limit_fills_in_part_and_tells_the_rest() -> None:
    panel = panel_of(flat(10, 4), volume=100)
    result = follow(panel, np.full((4, 1), 1.0), capital=1_000, rules=Rules(volume_limit=0.3))
    assert fills(result) == [(1, 30, 10, "decided"), (2, 30, 10, "decided"), (3, 30, 10, "decided")]
    refused = result.refused[["quantity", "reason"]].to_dict("records")
    assert refused[:2] == [
        {"quantity": 70, "reason": "more than the bar's volume allows"},
        {"quantity": 40, "reason": "more than the bar's volume allows"},
    ]


def test_a_stop_takes_as_many_bars_as_the_volume_makes_it() -> None:
    panel = panel_of([*flat(10, 4), (9, 9, 8, 8), *flat(8, 4)], volume=100)
    weights = np.array([[1.0], [1.0], [1.0], [NAN], [NAN], [NAN], [NAN], [NAN], [NAN]])
    result = follow(panel, weights, capital=600, exits=Exits(stop_loss=0.1), rules=Rules(volume_limit=0.3))
    assert fills(result)[2:] == [(4, -30, 9, "stop loss"), (5, -30, 8, "stop loss")]


def test_an_order_beyond_the_margin_is_refused() -> None:
    panel = panel_of([*flat(100, 1), *flat(250, 2)])
    # 10 shares decided at 100; at 250 they would be 2.5 times the equity
    result = follow(panel, once(1, 3), capital=1_000)
    assert fills(result) == []
    assert result.refused["reason"].tolist() == ["not enough buying power at the open"]
    allowed = follow(panel, once(1, 3), capital=1_000, rules=Rules(margin=2.5))
    assert fills(allowed) == [(1, 10, 250, "decided")]
    short = follow(panel, once(-1, 3), capital=1_000)
    assert short.refused["side"].tolist() == ["sell"]


def test_margin_counts_the_whole_portfolio() -> None:
    panel = panel_of([*flat(100, 1), *flat(160, 2)], [*flat(100, 1), *flat(260, 2)])
    result = follow(panel, decisions([0.5, 0.5], [NAN, NAN], [NAN, NAN]), capital=1_000)
    # 5 of each: 800 USD, then 1,300 more is 2.1 times the equity of 1,000
    assert fills(result) == [(1, 5, 160, "decided")]
    assert result.refused["symbol"].tolist() == ["S1"]


def test_sells_come_before_buys() -> None:
    panel = panel_of(flat(100, 4), flat(100, 4))
    weights = decisions([0, 1], [NAN, NAN], [1, 0], [NAN, NAN])
    result = follow(panel, weights, capital=1_000, rules=Rules(margin=1))
    assert fills(result) == [(1, 10, 100, "decided"), (3, -10, 100, "decided"), (3, 10, 100, "decided")]
    assert result.fills["symbol"].tolist() == ["S1", "S1", "S0"]


def test_at_most_so_many_positions() -> None:
    panel = panel_of(flat(100, 3), flat(100, 3))
    result = follow(panel, decisions([0.5, 0.5], [NAN, NAN], [NAN, NAN]), capital=1_000, rules=Rules(max_positions=1))
    assert result.fills["symbol"].tolist() == ["S0"]
    assert result.refused["reason"].tolist() == ["as many positions as allowed"]


def test_a_delisted_position_is_closed_at_the_last_close_less_the_haircut() -> None:
    gone: list[Bar] = [(NAN, NAN, NAN, NAN)] * 4
    panel = panel_of([*flat(100, 3), *gone], flat(10, 7))
    rules = Rules(delisted_after=3, delisting_haircut=0.3)
    result = follow(panel, decisions([1, 0], *[[NAN, NAN]] * 6), capital=1_000, rules=rules)
    assert fills(result) == [(1, 10, 100, "decided"), (5, -10, 70, "delisted")]
    assert result.equity.tolist() == [1_000] * 5 + [700] * 2
    kept = follow(panel, decisions([1, 0], *[[NAN, NAN]] * 6), capital=1_000)
    assert kept.equity.iloc[-1] == 1_000


@pytest.mark.parametrize(("fill_at", "price"), [("open", 104), ("close", 110), ("typical", (112 + 103 + 110) / 3)])
def test_where_orders_fill(fill_at: str, price: float) -> None:
    panel = panel_of([*flat(100, 1), (104, 112, 103, 110), *flat(110, 1)])
    result = follow(panel, once(1, 3), capital=1_000, rules=Rules.model_validate({"fill_at": fill_at}))
    assert fills(result) == [(1, 10, pytest.approx(price), "decided")]
    named = {"open": "next bar's open", "close": "next bar's close", "typical": "want of a VWAP"}[fill_at]
    assert any(named in words for words in result.assumptions)


def test_an_order_at_the_close_fills_after_the_stop() -> None:
    panel = panel_of([*flat(100, 2), (100, 100, 90, 92), *flat(92, 1)])
    weights = decisions([1], [0], [NAN], [NAN])
    result = follow(panel, weights, capital=1_000, rules=Rules(fill_at="close"), exits=Exits(stop_loss=0.05))
    assert fills(result) == [(1, 10, 100, "decided"), (2, -10, 95, "stop loss")]


@pytest.mark.parametrize(("at_end", "price"), [("close", 105), ("open", 101)])
def test_what_is_open_at_the_end_may_be_closed(at_end: str, price: float) -> None:
    panel = panel_of([*flat(100, 2), (101, 106, 100, 105)])
    result = follow(panel, once(1, 3), capital=1_000, rules=Rules.model_validate({"at_end": at_end}))
    assert fills(result)[1] == (2, -10, price, "end of the backtest")
    assert result.equity.iloc[-1] == 1_000 + 10 * (price - 100)
    assert not result.held.any()


def test_what_is_decided_on_the_last_bar_does_not_fill() -> None:
    result = follow(panel_of(flat(100, 3)), decisions([NAN], [NAN], [1]), capital=1_000)
    assert result.fills.empty
    assert result.refused["reason"].tolist() == ["decided on the last bar"]
    assert result.refused["session"].tolist() == [None]


def test_an_account_that_is_used_up_stops() -> None:
    panel = panel_of([*flat(100, 2), *flat(210, 3)])
    result = follow(panel, np.array([[-1.0], [NAN], [NAN], [-1.0], [NAN]]), capital=1_000)
    assert fills(result) == [(1, -10, 100, "decided"), (2, 10, 210, "equity used up")]
    assert result.equity.tolist() == [1_000, 1_000, -100, -100, -100]
    assert result.metrics.sessions == 2


def test_fractions_of_shares() -> None:
    sizing = Sizing(whole_shares=False, rebalance_band=0)
    result = follow(panel_of(flat(300, 3)), once(1, 3), capital=1_000, sizing=sizing)
    assert fills(result) == [(1, 3.333333333, 300, "decided")]


def test_all_cash_at_the_fill_pays_its_commission() -> None:
    panel = panel_of([*flat(100, 1), *flat(110, 2)])
    rules = Rules(size_at="fill")
    result = follow(panel, once(1, 3), capital=1_000, costs=Costs(commission_bps=1_000), rules=rules)
    # 1,000 // (110 * 1.1) = 8 shares: 880 and 88 commission
    assert fills(result) == [(1, 8, 110, "decided")]
    assert result.exposure["cash"].iloc[-1] == pytest.approx(32)


def test_the_benchmark_is_the_universe_bought_and_held() -> None:
    panel = panel_of([*flat(100, 2), *flat(120, 1)], [*flat(10, 1), *flat(10, 1), *flat(9, 1)])
    result = follow(panel, np.full((3, 2), NAN), capital=1_000)
    assert result.benchmark is not None
    assert result.benchmark.tolist() == pytest.approx([1_000, 1_000, 500 * 1.2 + 500 * 0.9])


def test_bad_input_is_one_line() -> None:
    panel = panel_of(flat(100, 3))
    with pytest.raises(InvalidValueError, match="shape of weights"):
        follow(panel, np.ones((2, 1)))
    with pytest.raises(InvalidValueError, match="capital"):
        follow(panel, once(1, 3), capital=0)
    with pytest.raises(DataError, match="no bars"):
        follow(panel.rows(slice(0, 0)), np.ones((0, 1)))
