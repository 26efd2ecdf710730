from __future__ import annotations

import pandas as pd
import pytest

from dashboard import charts
from dashboard.candlesticks import around, candles
from dashboard.heat_maps import monthly_heat_map, monthly_returns, research_heat_map
from dashboard.palette import DARK, LIGHT, Palette, variables

POINTS = [
    {"session": "2012-11-29", "equity": 100.0, "benchmark": 50.0, "drawdown": 0.0},
    {"session": "2012-11-30", "equity": 110.0, "benchmark": 51.0, "drawdown": 0.0},
    {"session": "2012-12-31", "equity": 99.0, "benchmark": 52.0, "drawdown": -0.1},
    {"session": "2013-01-31", "equity": 118.8, "benchmark": None, "drawdown": 0.0},
]


def bars(days: int = 60) -> list[dict[str, object]]:
    sessions = pd.bdate_range("2012-10-01", periods=days, tz="America/New_York").tz_convert("UTC")
    return [
        {
            "ts": ts.isoformat(),
            "open": 10.0 + i,
            "high": 12.0 + i,
            "low": 9.0 + i,
            "close": 11.0 + i,
            "volume": 1000,
            "quality": "suspect" if i == days - 3 else "good",
        }
        for i, ts in enumerate(sessions)
    ]


@pytest.mark.parametrize("colours", [LIGHT, DARK])
def test_the_benchmark_starts_at_the_first_equity(colours: Palette) -> None:
    figure = charts.equity(POINTS, colours, benchmark="IBM")
    traces = {trace.name: trace for trace in figure.data}
    assert list(traces["Benchmark IBM"].y[:3]) == [100.0, 102.0, 104.0]
    assert list(traces["Equity"].y) == [100.0, 110.0, 99.0, 118.8]
    assert traces["Drawdown"].y.min() == -0.1


def test_a_missing_drawdown_is_computed_from_the_peaks() -> None:
    points = [{"session": f"2013-01-0{day}", "equity": value} for day, value in ((2, 100.0), (3, 80.0), (4, 120.0))]
    figure = charts.equity(points, LIGHT)
    drawdown = next(trace for trace in figure.data if trace.name == "Drawdown")
    assert list(drawdown.y) == pytest.approx([0.0, -0.2, 0.0])
    assert "Benchmark" not in {trace.name for trace in figure.data}


def test_months_and_years_compound() -> None:
    grid = monthly_returns(POINTS)
    assert grid.loc[2012, "Nov"] == pytest.approx(0.10)
    assert grid.loc[2012, "Dec"] == pytest.approx(-0.10)
    assert grid.loc[2012, "Year"] == pytest.approx(1.10 * 0.90 - 1)
    assert grid.loc[2013, "Jan"] == pytest.approx(0.20)
    assert grid["Feb"].isna().all()


def test_every_month_shows_its_sign_beside_its_colour() -> None:
    text = monthly_heat_map(POINTS, LIGHT).data[0].text
    assert tuple(text[0][10:]) == ("+10.0", "\u221210.0", "\u22121.0")
    assert text[1][0] == "+20.0"


def test_allocation_sums_a_symbol_over_strategies_and_keeps_cash() -> None:
    positions = [
        {"symbol": "IBM", "market_value": 30.0},
        {"symbol": "IBM", "market_value": 20.0},
        {"symbol": "FB", "market_value": 10.0},
    ]
    bar = charts.allocation(positions, 40.0, 100.0, LIGHT).data[0]
    assert dict(zip(bar.y, bar.x, strict=True)) == {"Cash": 0.4, "FB": 0.1, "IBM": 0.5}


def test_losses_are_signed_as_well_as_coloured() -> None:
    buckets = [
        {"bucket": "IBM", "pnl": -10.0, "trades": 2, "winners": 0},
        {"bucket": "exit_signal", "pnl": 5.0, "trades": 1, "winners": 1},
    ]
    bar = charts.breakdown(buckets, LIGHT).data[0]
    assert bar.text == ("\u2212$10", "+$5")
    assert bar.x == ("IBM", "Exit signal")
    assert bar.marker.color == (LIGHT.down, LIGHT.up)


def test_averages_reach_back_before_the_bars_shown() -> None:
    figure = candles(bars(), LIGHT, averages={"SMA 20": 20}, shown=30)
    average = next(trace for trace in figure.data if trace.name == "SMA 20")
    assert len(average.y) == 30
    assert average.y[0] == pytest.approx(sum(11.0 + i for i in range(11, 31)) / 20)


def test_bars_with_a_quality_flag_are_marked_and_closed_days_left_out() -> None:
    figure = candles(bars(), LIGHT, shown=30)
    flags = next(trace for trace in figure.data if trace.name == "Quality flag")
    assert list(flags.text) == ["suspect"]
    breaks = figure.layout.xaxis.rangebreaks[0]["values"]
    assert all(pd.Timestamp(day).day_of_week >= 5 for day in breaks)


def test_bars_within_the_day_have_no_gaps_between_sessions() -> None:
    figure = candles(bars(), LIGHT, timeframe="1Hour")
    assert figure.layout.xaxis.type == "category"


@pytest.mark.parametrize("timeframe", ["1Day", "1Hour"])
def test_a_missing_bar_has_its_place_among_its_neighbours(timeframe: str) -> None:
    whole = bars()
    missing = str(whole.pop(30)["ts"])
    figure = around(whole, missing, LIGHT, timeframe=timeframe)
    prices = figure.data[0]
    assert len(prices.x) == 60
    assert [place for place, close in zip(prices.x, prices.close, strict=True) if pd.isna(close)] == [prices.x[30]]
    assert pd.Index([figure.layout.shapes[0].x0]) == pd.Index([prices.x[30]])


def test_a_research_map_averages_over_the_other_parameters() -> None:
    results = [
        {"parameters": {"fast": fast, "slow": slow}, "metrics": {"sharpe": value}}
        for fast, slow, value in ((5, 50, 1.0), (5, 50, 2.0), (10, 50, 0.5), (10, 100, None))
    ]
    heat = research_heat_map(results, "sharpe", "fast", "slow", LIGHT).data[0]
    assert heat.x == ("5", "10")
    assert tuple(heat.text[0]) == ("+1.50", "+0.50")


def test_exposure_shows_gross_and_net() -> None:
    history = [{"at": "2012-12-03T21:00:00Z", "gross_exposure": 0.5, "net_exposure": 0.4}]
    figure = charts.exposure(history, DARK)
    assert [(trace.name, trace.y) for trace in figure.data] == [("Gross", (0.5,)), ("Net", (0.4,))]


def test_both_palettes_become_css_variables() -> None:
    assert variables(LIGHT).startswith(":root{--ink:#1d2229;")
    assert "--down-soft:rgba(255,138,92,0.18)" in variables(DARK)
