"""`trading data quality`: the rules over stored bars, and what they find."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from deployments.command_line import Json, one_line_errors
from deployments.data.options import EndOption, StartOption, SymbolsOption, TimeframeOption, range_of, symbols_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from trading.bars import Timeframe
    from trading.report import Report


@one_line_errors
def quality(
    *,
    symbols: SymbolsOption = None,
    timeframe: TimeframeOption = "1Day",
    start: StartOption = None,
    end: EndOption = None,
    on_failure: Annotated[
        Literal["quarantine", "warn", "fail"],
        typer.Option(help="quarantine: strategies never see a bad bar; warn: it is marked suspect; fail: stop at one."),
    ] = "quarantine",
    compare_feed: Annotated[
        Literal["iex", "sip"] | None, typer.Option(help="Fetch this feed's bars of the range and compare with them.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Run every quality rule over stored bars; show how much each rule finds, and the first findings.

    Example:  trading data quality --symbols AAPL,MSFT --start 2012-08-13
    """
    chosen, (first, last) = symbols_of(symbols), range_of(start, end)
    from deployments.data import connection, display
    from deployments.data.stored import extent

    with connection.database() as opened:
        held = extent(opened, chosen, timeframe=timeframe)
    with connection.system():
        report = check(
            held.symbols,
            timeframe=timeframe,
            start=first or held.first,
            end=last or held.last,
            on_failure=on_failure,
            compare_feed=compare_feed,
            quiet=as_json,
        )
    if as_json:
        display.as_json(display.document_of(report))
    else:
        display.show_report(report)


def check(
    symbols: Sequence[str],
    *,
    timeframe: Timeframe,
    start: date,
    end: date,
    on_failure: Literal["quarantine", "warn", "fail"] = "quarantine",
    compare_feed: Literal["iex", "sip"] | None = None,
    quiet: bool = False,
) -> Report:
    """Run the quality step over `start` .. `end` with a progress bar."""
    from deployments.data import display
    from tasks.data_ingestion.quality import check_quality

    with display.progress("checking", quiet=quiet) as shown:
        return check_quality.fn(
            symbols,
            timeframe=timeframe,
            start=start,
            end=end,
            on_failure=on_failure,
            compare_feed=compare_feed,
            progress=shown,
        )
