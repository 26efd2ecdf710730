"""`trading check`: whether a strategy's backtest is to be believed."""

from __future__ import annotations

import typer

from deployments.command_line import Json, one_line_errors
from deployments.data.options import EndOption, StartOption, SymbolsOption, range_of, symbols_of
from deployments.research import Name


@one_line_errors
def check(
    name: Name,
    *,
    symbols: SymbolsOption = None,
    start: StartOption = None,
    end: EndOption = None,
    as_json: Json = False,
) -> None:
    """Question a strategy: look-ahead, warm-up, costs, delay, single symbols, neighbouring parameters, and luck.

    Each check gives pass, warn or fail, a figure and a sentence. The deflated Sharpe ratio counts every try that
    `trading sweep` recorded. What is found is kept: `trading strategy activate` asks for a check of the current
    version, over its own universe, that did not fail. Ends with 1 when a check fails.

    Example:  trading check momentum_rotation --start 2004-01-01
    """
    chosen, (first, last) = symbols_of(symbols), range_of(start, end)
    from deployments.data import connection, display
    from deployments.strategies.commands import person
    from trading.robustness.assessment import STEPS

    with connection.system(), display.progress("checking", quiet=as_json, counted="steps") as shown:
        from tasks.strategy_engine.checking import check_strategy
        from tasks.strategy_engine.signals import strategies_to_run

        strategies_to_run.fn(name)
        steps = iter(range(1, STEPS + 1))

        def tell(_: str) -> None:
            if shown is not None:
                done = next(steps)
                shown(done / STEPS, done)

        report, verdict = check_strategy.fn(name, start=first, end=last, symbols=chosen, by=person(), progress=tell)
    if as_json:
        display.as_json(display.document_of(report))
    else:
        display.show_report(report)
    if verdict == "fail":
        raise typer.Exit(1)
