"""Analytics: performance, trades, reports, research."""

from __future__ import annotations

from itertools import batched
from typing import TYPE_CHECKING, Annotated, Any

from prefect import flow
from pydantic import Field

from flows.parameters import End, Start, Symbols
from flows.publishing import Progress, gathered, publish
from flows.runners import Cluster, Runner, Workers, task_runner
from tasks.analytics.performance import UNIVERSE, measure_performance
from tasks.analytics.ranking import rank_tries
from tasks.analytics.reports import Kind, write_reports
from tasks.analytics.research import plan_research, run_tries, usual_grid
from tasks.analytics.trades import analyse_trades
from tasks.strategy_engine import checking
from tasks.strategy_engine.comparing import compare_strategies
from tasks.strategy_engine.signals import strategies_to_run
from trading.research import Design

if TYPE_CHECKING:
    from prefect.task_runners import TaskRunner

Scope = Annotated[str, Field(description="portfolio, the name of a strategy, or all.")]
Benchmark = Annotated[str, Field(description="A symbol, or universe: the tracked symbols bought and held.")]
AnyStrategy = Annotated[str | None, Field(description="Name of a strategy; empty: all.")]
Grid = Annotated[
    dict[str, list[float | int | str | bool]] | None,
    Field(
        description="Values to try, by parameter of the strategy's rule or sizing; empty: its first two numbers, "
        "a tenth and a fifth up and down."
    ),
]
WalkForward = Annotated[
    tuple[int, int] | None,
    Field(description="Walk-forward: sessions to choose on and sessions to judge on, such as 500 and 125."),
]
Anchored = Annotated[bool, Field(description="A walk-forward chooses on everything from the first session on.")]
Folds = Annotated[
    int | None, Field(ge=2, le=100, description="Judge on this many held-out folds (purged cross-validation).")
]
Embargo = Annotated[int, Field(ge=0, le=1000, description="Sessions left out after each held-out fold.")]
Draws = Annotated[
    int | None, Field(ge=1, le=100_000, description="Draw this many combinations at random; empty: try all.")
]
EachSymbol = Annotated[
    bool, Field(description="Each symbol an account of its own, judged by their medians; for sma_crossover.")
]
Strategies = Annotated[list[str], Field(min_length=1, description="Names of stored strategies.")]

PROGRESS = "run-backtest-progress"


CAPITAL = 100_000.0
"""Opening cash of strategies that are compared, USD."""


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
    parameters: Grid = None,
    symbols: Symbols = None,
    start: Start = None,
    end: End = None,
    walk_forward: WalkForward = None,
    anchored: Anchored = False,
    folds: Folds = None,
    embargo: Embargo = 0,
    each_symbol: EachSymbol = False,
    draws: Draws = None,
    seed: Annotated[int, Field(ge=0, description="Of the draw.")] = 0,
    runner: Runner = "threads",
    workers: Workers = 2,
    cluster: Cluster = None,
) -> None:
    """Sweep a strategy's parameters, whole, walk-forward or over folds, and rank the tries; by default over five years.

    Several strategies are first compared as they are, on equal terms.
    Every try is kept, so that the best one's Sharpe ratio can be deflated for their number. Killed and run
    again with the same question, it goes on where it was.
    """
    pool = None if runner == "inline" else task_runner(runner, workers=workers, cluster=cluster)
    if len(strategies) > 1:
        strategies_to_run(None)
        compared = compare_strategies(strategies, start=start, end=end, capital=CAPITAL, costs=None, symbols=symbols)
        await publish("compare-strategies", compared)
    for strategy in strategies:
        for name in strategies_to_run(strategy):
            design = Design(
                parameters=parameters or usual_grid(name),
                draws=draws,
                seed=seed,
                walk_forward=walk_forward,
                anchored=anchored,
                folds=folds,
                embargo=embargo,
                each_symbol=each_symbol,
            )
            run, tries = plan_research(name, design, symbols=symbols, start=start, end=end)
            await evaluate(run, name, tries, pool, chunk=design.chunk)
            await publish("run-backtest", *rank_tries(run, name))


@flow(name="check-strategy", flow_run_name="check-strategy {strategy}", timeout_seconds=3600)
async def check_strategy(
    strategy: Annotated[str, Field(description="Name of a stored strategy.")] = "sma_crossover",
    symbols: Annotated[Symbols, Field(description="Symbols; empty: the strategy's universe.")] = None,
    start: Start = None,
    end: End = None,
) -> None:
    """Question a strategy's current version, by default over five years, and keep what is found.

    A check over the strategy's own universe that does not fail lets that version be activated.
    """
    for name in strategies_to_run(strategy):
        report, _ = checking.check_strategy(name, start=start, end=end, symbols=symbols)
        await publish("check-strategy", report)


async def evaluate(
    run: int, name: str, tries: list[dict[str, Any]], pool: TaskRunner[Any] | None, *, chunk: int
) -> None:
    """Evaluate one strategy's tries in chunks, in this process or on a runner; an artifact tells how far it is."""
    chunks = [list(part) for part in batched(tries, chunk)]
    if not chunks:
        return
    if pool is not None:
        await evaluate_chunks.with_options(task_runner=pool)(run, name, chunks)
        return
    async with Progress(PROGRESS, f"{len(tries)} tries of {name}") as progress:
        for done, part in enumerate(chunks, start=1):
            run_tries(run, part)
            await progress.tell(done / len(chunks), f"{done} of {len(chunks)} chunks of {name}")


@flow(flow_run_name="evaluate-chunks {name}", validate_parameters=False)
async def evaluate_chunks(run: int, name: str, chunks: list[list[dict[str, Any]]]) -> None:
    """Hand chunks of tries to this flow's task runner and wait for all of them."""
    waiting = [run_tries.submit(run, chunk) for chunk in chunks]
    await gathered(PROGRESS, waiting, f"{sum(map(len, chunks))} tries of {name}")
