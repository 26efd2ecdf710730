"""The strategy engine: indicators, signals, backtests."""

from __future__ import annotations

from typing import Annotated

from prefect import flow
from pydantic import Field

from flows.charts import equity_chart
from flows.parameters import AsOf, BarsTimeframe, End, Start, Symbols
from flows.publishing import publish
from tasks.data_ingestion.universe import resolve_universe
from tasks.strategy_engine.backtests import backtest
from tasks.strategy_engine.indicators import compute_indicators
from tasks.strategy_engine.signals import decide_signals, strategies_to_run
from trading.costs import Costs
from trading.indicators import DEFAULT_INDICATORS

OneStrategy = Annotated[str, Field(description="Name of a stored strategy.")]
AnyStrategy = Annotated[str | None, Field(description="Name of a stored strategy; empty: every active one.")]
Indicators = Annotated[
    list[str] | None, Field(description="Specs such as sma_50 or rsi_14; empty: the screener's set.")
]


@flow(flow_run_name="calculate-indicators {timeframe}", timeout_seconds=900)
async def calculate_indicators(
    symbols: Symbols = None,
    indicators: Indicators = None,
    timeframe: BarsTimeframe = "1Day",
    as_of: AsOf = None,
) -> None:
    """Compute indicators on the latest completed bars of the universe, for the screener and the dashboard."""
    universe = resolve_universe(symbols)
    specs = indicators or list(DEFAULT_INDICATORS)
    await publish(
        "calculate-indicators", compute_indicators(universe, indicators=specs, timeframe=timeframe, as_of=as_of)
    )


@flow(flow_run_name="generate-signals {strategy}", timeout_seconds=900)
async def generate_signals(strategy: OneStrategy = "sma_crossover", as_of: AsOf = None) -> None:
    """Evaluate one strategy on the last completed bar, once per version and bar."""
    names = strategies_to_run(strategy)
    await publish("generate-signals", *(decide_signals(name, as_of=as_of) for name in names))


@flow(flow_run_name="run-strategy {strategy}", timeout_seconds=900)
async def run_strategy(strategy: AnyStrategy = None, as_of: AsOf = None) -> None:
    """Compute the indicators, then the signals of one strategy or of every active one."""
    universe = resolve_universe(None)
    indicators = compute_indicators(universe, indicators=list(DEFAULT_INDICATORS), timeframe="1Day", as_of=as_of)
    names = strategies_to_run(strategy)
    await publish("run-strategy", *(decide_signals(name, as_of=as_of) for name in names), indicators)


@flow(flow_run_name="backtest-strategy {strategy}", timeout_seconds=3600)
async def backtest_strategy(
    strategy: OneStrategy = "sma_crossover",
    start: Start = None,
    end: End = None,
    capital: Annotated[float, Field(gt=0, le=1e12, description="Opening cash, USD.")] = 100_000.0,
    costs: Annotated[
        Costs | None, Field(description="What trading costs besides the price; empty: the strategy's own.")
    ] = None,
    symbols: Annotated[Symbols, Field(description="Symbols; empty: the strategy's universe.")] = None,
) -> None:
    """Backtest a strategy's current version over its universe; without `start` over five years."""
    for name in strategies_to_run(strategy):
        report, result = backtest(name, start=start, end=end, capital=capital, costs=costs, symbols=symbols)
        await publish("backtest-strategy", report, equity_chart(result))
