"""`trading backtest` and `trading sweep`: strategies over stored bars, without waiting for a worker."""

from __future__ import annotations

from itertools import batched
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deployments.command_line import Json, one_line_errors
from deployments.data.options import EndOption, StartOption, SymbolsOption, range_of, symbols_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from trading.costs import Costs
    from trading.report import Report
    from trading.research import Design

Capital = Annotated[float, typer.Option(min=1, max=1e12, help="Opening cash, USD.")]
CommissionBps = Annotated[float | None, typer.Option(min=0, max=1000, help="Commission, hundredths of a percent.")]
SlippageBps = Annotated[float | None, typer.Option(min=0, max=1000, help="Slippage, hundredths of a percent.")]
Name = Annotated[str, typer.Argument(help="Name of a stored strategy, such as sma_crossover.")]
Folds = Annotated[int | None, typer.Option(min=2, max=100, help="Judge on held-out folds: purged cross-validation.")]
Embargo = Annotated[int, typer.Option(min=0, max=1000, help="Sessions left out after each held-out fold.")]
EachSymbol = Annotated[
    bool, typer.Option("--each-symbol", help="Each symbol an account of its own, judged by their medians.")
]
OPENING_CASH = 100_000.0
MOST_VALUES = 1000


@one_line_errors
def backtest(
    name: Name,
    *,
    symbols: SymbolsOption = None,
    start: StartOption = None,
    end: EndOption = None,
    capital: Capital = OPENING_CASH,
    commission_bps: CommissionBps = None,
    slippage_bps: SlippageBps = None,
    as_json: Json = False,
) -> None:
    """Backtest a strategy over stored daily bars: metrics, costs, assumptions, and a page with its curve.

    Without --symbols over its universe; without --start over the last five years. Costs given here stand in place of
    the strategy's own. The result is stored, as backtest-strategy's is.

    Example:  trading backtest sma_crossover --symbols AAPL,MSFT,IBM --start 2001-01-01
    """
    chosen, (first, last) = symbols_of(symbols), range_of(start, end)
    from deployments import terminal
    from deployments.data import connection, display

    with connection.system(), terminal.waiting(f"backtesting {name}"):
        from tasks.strategy_engine import backtests
        from tasks.strategy_engine.signals import strategies_to_run

        strategies_to_run.fn(name)
        costs = _costs(commission_bps, slippage_bps)
        report, result = backtests.backtest.fn(
            name, start=first, end=last, capital=capital, costs=costs, symbols=chosen
        )
    if as_json:
        trades = result.trades.to_dict("records")
        display.as_json({**display.document_of(report), "costs": result.costs_paid, "trades": trades})
    else:
        display.show_report(report)
        display.say(display.sparkline(result.equity.tolist()))


@one_line_errors
def compare(
    names: Annotated[list[str], typer.Argument(metavar="NAME NAME ...", help="Names of stored strategies.")],
    *,
    symbols: SymbolsOption = None,
    start: StartOption = None,
    end: EndOption = None,
    capital: Capital = OPENING_CASH,
    commission_bps: CommissionBps = None,
    slippage_bps: SlippageBps = None,
    as_json: Json = False,
) -> None:
    """Backtest strategies on equal terms and rank them: the same sessions, capital and costs, in one table and page.

    Costs are the same for all, none where none are given; without --symbols each over its own universe.

    Example:  trading compare sma_crossover momentum_rotation rsi_reversion --start 2005-01-01 --commission-bps 10
    """
    chosen, (first, last) = symbols_of(symbols), range_of(start, end)
    from deployments import terminal
    from deployments.data import connection, display

    with connection.system(), terminal.waiting(f"comparing {len(names)} strategies"):
        from tasks.strategy_engine import comparing
        from tasks.strategy_engine.signals import strategies_to_run

        strategies_to_run.fn(None)
        report = comparing.compare_strategies.fn(
            names,
            start=first,
            end=last,
            capital=capital,
            costs=_costs(commission_bps, slippage_bps),
            symbols=chosen,
        )
    if as_json:
        display.as_json(display.document_of(report))
    else:
        display.show_report(report)


def _costs(commission_bps: float | None, slippage_bps: float | None) -> Costs | None:
    """Return the costs that were given, or None where none were."""
    from trading.costs import Costs

    given = {"commission_bps": commission_bps, "slippage_bps": slippage_bps}
    told = {name: value for name, value in given.items() if value is not None}
    return Costs(**told) if told else None


@one_line_errors
def sweep(
    context: typer.Context,
    name: Name,
    *,
    symbols: SymbolsOption = None,
    start: StartOption = None,
    end: EndOption = None,
    walk_forward: Annotated[
        str | None, typer.Option(metavar="TRAIN,TEST", help="Sessions to choose on and to judge on, such as 500,125.")
    ] = None,
    anchored: Annotated[bool, typer.Option("--anchored", help="Choose on everything from the first session on.")] = (
        False
    ),
    folds: Folds = None,
    embargo: Embargo = 0,
    each_symbol: EachSymbol = False,
    random: Annotated[
        int | None, typer.Option(min=1, max=100_000, help="Draw this many of the combinations; without: all.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the draw: the same seed draws the same.")] = 0,
    as_json: Json = False,
) -> None:
    """Try every combination of a strategy's parameters over stored daily bars and rank them.

    Each further option is a parameter with its values: --fast 5:50:5 is 5, 10 .. 50, --fast 5,8,13 those three. Every
    try is stored, so that the best Sharpe ratio is deflated for their number; the same again goes on where it was.

    With --walk-forward 500,125 the parameters that were best on 500 sessions trade the next 125, and so on: one
    account that never saw what it is judged on. With --folds 5 --embargo 10 each combination is judged on five parts
    held out in turn. With --each-symbol a crossover's lengths are tried on every symbol by itself, thousands of pairs
    over hundreds of symbols in seconds: which lengths hold for most of them.

    Example:  trading sweep sma_crossover --fast 5:50:5 --slow 20:200:10
    """
    parameters = parameters_of(context.args)
    windows = None if walk_forward is None else windows_of(walk_forward)
    chosen, (first, last) = symbols_of(symbols), range_of(start, end)
    from deployments.data import connection, display
    from trading.research import Design

    design = Design(
        parameters=parameters,
        draws=random,
        seed=seed,
        walk_forward=windows,
        anchored=anchored,
        folds=folds,
        embargo=embargo,
        each_symbol=each_symbol,
    )
    with connection.system():
        first_report, *others = _swept(name, design, chosen, first, last, quiet=as_json)
    if as_json:
        further = [display.document_of(report) for report in others]
        display.as_json({**display.document_of(first_report), **({"further": further} if further else {})})
        return
    for report in (first_report, *others):
        display.show_report(report)


def _swept(
    name: str,
    design: Design,
    symbols: Sequence[str] | None,
    first: date | None,
    last: date | None,
    *,
    quiet: bool,
) -> list[Report]:
    """Plan, evaluate in chunks and rank, as run_backtest does."""
    from deployments.data import display
    from tasks.analytics.ranking import rank_tries
    from tasks.analytics.research import plan_research, run_tries
    from tasks.strategy_engine.signals import strategies_to_run

    strategies_to_run.fn(name)
    run, tries = plan_research.fn(name, design, symbols=symbols, start=first, end=last)
    with display.progress("trying", quiet=quiet, counted="tries") as shown:
        done = 0
        for chunk in batched(tries, design.chunk):
            run_tries.fn(run, chunk)
            done += len(chunk)
            if shown is not None:
                shown(done / len(tries), done)
    return rank_tries.fn(run, name)


def windows_of(text: str) -> tuple[int, int]:
    """Return the two lengths of `--walk-forward 500,125`; typer.BadParameter for anything else."""
    try:
        train, test = (int(part) for part in text.split(","))
    except ValueError:
        raise typer.BadParameter(
            f"--walk-forward {text}: give sessions to choose on and to judge on: 500,125"
        ) from None
    return train, test


def parameters_of(words: Sequence[str]) -> dict[str, list[Any]]:
    """Return the values of `--fast 5:50:5 --slow 20,50` by parameter; typer.BadParameter for anything else."""
    found: dict[str, list[Any]] = {}
    rest = [part for word in words for part in (word.split("=", 1) if word.startswith("--") else [word])]
    if len(rest) % 2:
        raise typer.BadParameter(f"{rest[-1]}: give a parameter and its values, such as --fast 5:50:5")
    for option, values in batched(rest, 2):
        if not option.startswith("--"):
            raise typer.BadParameter(f"{option!r} is no option; give a parameter and its values, such as --fast 5:50:5")
        found[option[2:].replace("-", "_")] = values_of(option, values)
    if not found:
        raise typer.BadParameter("nothing to try; give a parameter and its values, such as --fast 5:50:5")
    return found


def values_of(option: str, text: str) -> list[Any]:
    """Return the numbers of first:last:step, both ends included, or of a list with commas."""
    try:
        if ":" not in text:
            return [_number(part) for part in text.split(",")]
        low, high, step = (_number(part) for part in text.split(":"))
    except ValueError:
        raise typer.BadParameter(
            f"{option} {text}: give first:last:step, such as 5:50:5, or numbers with commas"
        ) from None
    if step <= 0 or high < low or (high - low) / step >= MOST_VALUES:
        raise typer.BadParameter(
            f"{option} {text}: a step above zero, last not below first, at most {MOST_VALUES} values"
        )
    return [low + step * at for at in range(int((high - low) / step + 1e-9) + 1)]


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        return float(text)
