"""What holds of every backtest, whatever the bars, the decisions and the rules."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trading.backtest import Exits, Rules, follow
from trading.backtest.kernel.round_trips import pair
from trading.bars import Panel
from trading.calendar import bar_timestamp, sessions
from trading.costs import Costs
from trading.fills import Fill, round_trips
from trading.sizing import Sizing

if TYPE_CHECKING:
    from trading.backtest import BacktestResult
    from trading.bars import Floats

STAMPS = np.array(
    [bar_timestamp(day).replace(tzinfo=None) for day in sessions(date(2011, 1, 3), date(2012, 1, 3))],
    dtype="datetime64[ns]",
)


@st.composite
def questions(draw: st.DrawFn) -> tuple[Panel, Floats, dict[str, Any]]:
    """Random walks with gaps, any decisions, any rules, no slippage."""
    rows, columns = draw(st.integers(3, 60)), draw(st.integers(1, 4))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    close = 50 * np.exp(np.cumsum(random.normal(0, 0.06, (rows, columns)), axis=0))
    start = np.vstack((close[:1], close[:-1])) * np.exp(random.normal(0, 0.02, (rows, columns)))
    high = np.maximum(start, close) * (1 + np.abs(random.normal(0, 0.02, (rows, columns))))
    low = np.minimum(start, close) * (1 - np.abs(random.normal(0, 0.02, (rows, columns))).clip(0, 0.5))
    missing = random.random((rows, columns)) < draw(st.sampled_from([0.0, 0.1, 0.4]))
    start, high, low, close = (np.where(missing, np.nan, prices) for prices in (start, high, low, close))
    volume = np.where(missing, np.nan, random.integers(10, 500, (rows, columns)).astype(np.float64))
    symbols = tuple(f"S{column}" for column in range(columns))
    panel = Panel(STAMPS[:rows], symbols, start, high, low, close, volume)
    weights = random.choice([-1.0, -0.3, 0.0, 0.4, 1.0, np.nan], (rows, columns))
    rules = Rules(
        fill_at=draw(st.sampled_from(["open", "close", "typical"])),
        size_at=draw(st.sampled_from(["decision", "fill"])),
        at_end=draw(st.sampled_from(["mark", "close", "open"])),
        margin=draw(st.sampled_from([1.0, 2.0])),
        max_positions=draw(st.integers(0, 3)),
        volume_limit=draw(st.sampled_from([0.0, 0.2])),
        borrow_rate=draw(st.sampled_from([0.0, 0.1])),
        interest_rate=draw(st.sampled_from([0.0, 0.1])),
        delisted_after=draw(st.sampled_from([0, 3])),
        delisting_haircut=0.5,
    )
    exits = Exits(
        stop_loss=draw(st.sampled_from([0.0, 0.05])),
        take_profit=draw(st.sampled_from([0.0, 0.08])),
        trailing_stop=draw(st.sampled_from([0.0, 0.06])),
    )
    per_share = draw(st.sampled_from([0, 0.01]))
    costs = Costs(commission_bps=draw(st.sampled_from([0.0, 20.0])), commission_per_share=per_share)
    sizing = Sizing(whole_shares=draw(st.booleans()), rebalance_band=draw(st.sampled_from([0.0, 0.2])))
    standing = draw(st.booleans())
    return panel, weights, {"rules": rules, "exits": exits, "costs": costs, "sizing": sizing, "standing": standing}


def booked(result: BacktestResult) -> tuple[Floats, Floats]:
    """Return cash without fees over nights, and quantities, that the fills make at each session."""
    panel, lines, figures = result.panel, result.log.fills, result.log.figures
    cash, held = np.full(len(panel), result.capital), np.zeros(panel.close.shape)
    for (row, column, _), (quantity, price, fee) in zip(lines, figures, strict=True):
        cash[row:] -= quantity * price + fee
        held[row:, column] += quantity
    return cash, held


MANY = settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])


@MANY
@given(questions())
def test_cash_and_value_are_what_the_fills_and_fees_make(question: tuple[Panel, Floats, dict[str, Any]]) -> None:
    panel, weights, assumed = question
    result = follow(panel, weights, capital=10_000, **assumed)
    cash, held = booked(result)
    known: Floats = np.zeros(len(panel.symbols))
    for row in range(len(panel)):
        known = np.where(panel.close[row] > 0, panel.close[row], known)
        np.testing.assert_allclose(result.curve[row, 1], held[row] @ known, rtol=1e-9, atol=1e-6)
        np.testing.assert_allclose(result.curve[row, 3], result.curve[row, 0] + result.curve[row, 1], rtol=1e-12)
    overnight = result.costs_paid["borrow"] + result.costs_paid["interest"]
    np.testing.assert_allclose(result.curve[-1, 0], cash[-1] - overnight, rtol=1e-9, atol=1e-6)
    np.testing.assert_allclose(result.held, held[-1], atol=1e-6)
    assert result.costs_paid["commission"] >= 0
    if not overnight:
        np.testing.assert_allclose(result.curve[:, 0], cash, rtol=1e-9, atol=1e-6)


@MANY
@given(questions())
def test_no_fill_is_outside_its_bar(question: tuple[Panel, Floats, dict[str, Any]]) -> None:
    panel, weights, assumed = question
    result = follow(panel, weights, capital=10_000, **assumed)
    inside = ~result.fills["reason"].isin(["delisted", "equity used up", "end of the backtest"]).to_numpy()
    rows, columns = result.log.fills[inside, 0], result.log.fills[inside, 1]
    prices = result.log.figures[inside, 1]
    assert (prices <= panel.high[rows, columns] * (1 + 1e-12)).all()
    assert (prices >= panel.low[rows, columns] * (1 - 1e-12)).all()


@MANY
@given(questions(), st.data())
def test_cutting_later_bars_changes_nothing_before(
    question: tuple[Panel, Floats, dict[str, Any]], data: st.DataObject
) -> None:
    panel, weights, assumed = question
    assumed["rules"] = assumed["rules"].model_copy(update={"at_end": "mark"})
    kept = data.draw(st.integers(2, len(panel)))
    whole = follow(panel, weights, capital=10_000, **assumed)
    part = follow(panel.rows(slice(0, kept)), weights[:kept], capital=10_000, **assumed)
    assert part.curve.tobytes() == whole.curve[:kept].tobytes()
    before = whole.log.fills[:, 0] < kept
    assert part.log.fills.tobytes() == whole.log.fills[before].tobytes()
    assert part.log.figures.tobytes() == whole.log.figures[before].tobytes()


@MANY
@given(questions())
def test_the_same_inputs_give_the_same_bytes(question: tuple[Panel, Floats, dict[str, Any]]) -> None:
    panel, weights, assumed = question
    one, two = (follow(panel, weights, capital=10_000, **assumed) for _ in range(2))
    assert one.fingerprint() == two.fingerprint()
    other = follow(panel, weights, capital=10_001, **assumed)
    assert other.fingerprint() != one.fingerprint()


@MANY
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(-50, 50).filter(bool), st.integers(1, 999)), max_size=40))
def test_round_trips_are_those_of_the_books(drawn: list[tuple[int, int, int]]) -> None:
    lines = np.array([(row, column, 0) for row, (column, _, _) in enumerate(drawn)], dtype=np.int64).reshape(-1, 3)
    figures = np.array([(quantity, price / 8, 1.0) for _, quantity, price in drawn], dtype=np.float64).reshape(-1, 3)
    ends, values = pair(lines, figures, 3)
    stamps = [bar_timestamp(day) for day in sessions(date(2011, 1, 3), date(2011, 4, 1))]
    fills = [
        Fill(
            symbol=f"S{column}",
            side="buy" if quantity > 0 else "sell",
            quantity=Decimal(abs(quantity)),
            price=Decimal(price) / 8,
            ts=stamps[row],
            fee=Decimal(1),
            key=row,
        )
        for row, (column, quantity, price) in enumerate(drawn)
    ]
    trips = round_trips(fills)
    assert ends.tolist() == [[trip.entry_key, trip.exit_key] for trip in trips]
    assert np.abs(values[:, 0]).tolist() == [float(trip.quantity) for trip in trips]
    pnl = (values[:, 2] - values[:, 1]) * values[:, 0] - values[:, 3] - values[:, 4]
    np.testing.assert_allclose(pnl, [float(trip.pnl) for trip in trips], rtol=1e-12, atol=1e-9)
