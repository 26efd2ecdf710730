"""Analytics: performance, trades, reports, research."""

from __future__ import annotations

from itertools import batched
from typing import Annotated, Any, Literal

from prefect import flow
from prefect.task_runners import ProcessPoolTaskRunner, TaskRunner, ThreadPoolTaskRunner
from pydantic import Field

from flows.parameters import End, Start, Symbols
from flows.publishing import publish
from tasks.analytics.performance import UNIVERSE, measure_performance
from tasks.analytics.reports import Kind, write_reports
from tasks.analytics.research import plan_research, rank_tries, run_tries
from tasks.analytics.trades import analyse_trades
from tasks.strategy_engine.signals import strategies_to_run

Scope = Annotated[str, Field(description="portfolio, the name of a strategy, or all.")]
Benchmark = Annotated[str, Field(description="A symbol, or universe: the tracked symbols bought and held.")]
AnyStrategy = Annotated[str | None, Field(description="Name of a strategy; empty: all.")]
Runner = Annotated[
    Literal["inline", "threads", "processes"], Field(description="Where the tries of a research run are evaluated.")
]
Grid = Annotated[
    dict[str, list[float | int | str | bool]],
    Field(description="Values to try, by parameter of the strategy's rule or sizing."),
]
Windows = Annotated[
    tuple[int, int] | None,
    Field(description="Walk-forward: sessions to choose on and sessions to judge on; empty: one sweep."),
]
Strategies = Annotated[list[str], Field(min_length=1, description="Names of stored strategies.")]

CHUNK = 8
WORKERS = 2


@flow(flow_run_name="calculate-performance {scope}", timeout_seconds=900)
async def calculate_performance(
    scope: Scope = "all", start: Start = None, end: End = None, benchmark: Benchmark = UNIVERSE
) -> None:
    """Compute equity curve and metric set of the account and its strategies; default: over every session."""
    report = measure_performance(scope=scope, start=start, end=end, benchmark=benchmark)
    await publish("calculate-performance", report)


@flow(flow_run_name="analyze-trades", timeout_seconds=900)
async def analyze_trades(strategy: AnyStrategy = None, start: Start = None, end: End = None) -> None:
    """Rebuild round trips from fills, with how far each went either way, and break them down."""
    await publish("analyze-trades", analyse_trades(strategy=strategy, start=start, end=end))


@flow(flow_run_name="generate-reports", timeout_seconds=900)
async def generate_reports(
    start: Start = None,
    end: End = None,
    kinds: Annotated[list[Kind], Field(min_length=1, description="Which files to write.")] = [
        "tearsheet",
        "csv",
        "parquet",
    ],
) -> None:
    """Write an HTML tearsheet and CSV and Parquet bundles of the books; default: of every session."""
    await publish("generate-reports", write_reports(start=start, end=end, kinds=kinds))


@flow(flow_run_name="run-backtest {strategies}", timeout_seconds=4 * 3600)
async def run_backtest(
    strategies: Strategies = ["sma_crossover"],
    parameters: Grid = {"fast": [10, 20, 30], "slow": [50, 100, 150]},
    symbols: Symbols = None,
    start: Start = None,
    end: End = None,
    windows: Windows = None,
    runner: Runner = "threads",
) -> None:
    """Sweep a strategy's parameters, whole or walk-forward, and rank the tries; default: over five years.

    Every try is kept, so that the best one's Sharpe ratio can be deflated for their number. Killed and run
    again with the same question, it goes on where it was.
    """
    for strategy in strategies:
        for name in strategies_to_run(strategy):
            run, tries = plan_research(
                name, parameters=parameters, symbols=symbols, start=start, end=end, windows=windows
            )
            await evaluate(run, name, symbols, tries, runner)
            await publish("run-backtest", rank_tries(run, name))


async def evaluate(run: int, name: str, symbols: list[str] | None, tries: list[dict[str, Any]], runner: str) -> None:
    """Evaluate one strategy's tries in chunks on the chosen runner."""
    chunks = [list(chunk) for chunk in batched(tries, CHUNK)]
    if runner == "inline":
        for chunk in chunks:
            run_tries(run, name, symbols=symbols, tries=chunk)
    else:
        pool: TaskRunner[Any] = ThreadPoolTaskRunner(WORKERS) if runner == "threads" else ProcessPoolTaskRunner(WORKERS)
        await evaluate_chunks.with_options(task_runner=pool)(run, name, symbols, chunks)


@flow(flow_run_name="evaluate-chunks {name}", validate_parameters=False)
async def evaluate_chunks(run: int, name: str, symbols: list[str] | None, chunks: list[list[dict[str, Any]]]) -> None:
    """Hand chunks of tries to this flow's task runner and wait for all of them."""
    waiting = [run_tries.submit(run, name, symbols=symbols, tries=chunk) for chunk in chunks]
    for future in waiting:
        future.result()
