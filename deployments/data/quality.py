"""`trading data quality`: the rules over stored bars, and what they find."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from deployments.command_line import Json, one_line_errors
from deployments.data.options import EndOption, StartOption, SymbolsOption, TimeframeOption, range_of, symbols_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from trading.bars import Timeframe
    from trading.report import Report

AT_ONCE = 2_000_000
"""Bars that are checked together; more are checked one period after the other, so that memory stays bounded."""


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
            bars=held.bars,
            on_failure=on_failure,
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
    bars: int,
    on_failure: Literal["quarantine", "warn", "fail"] = "quarantine",
    quiet: bool = False,
) -> Report:
    """Run the quality step over `start` .. `end`, period by period when there are many bars; return one report."""
    from deployments.data import display
    from tasks.data_ingestion.quality import check_quality

    periods = list(_periods(start, end, pieces=-(-bars // AT_ONCE)))
    reports = []
    with display.progress("checking", quiet=quiet) as shown:
        for first, last in periods:
            reports.append(check_quality.fn(symbols, timeframe=timeframe, start=first, end=last, on_failure=on_failure))
            if shown is not None:
                shown(len(reports) / len(periods), sum(int(each.figures["bars checked"]) for each in reports))
    return _together(reports)


def _periods(start: date, end: date, *, pieces: int) -> Iterator[tuple[date, date]]:
    from datetime import timedelta

    days = (end - start).days + 1
    length = max(1, -(-days // max(1, pieces)))
    for begin in range(0, days, length):
        yield start + timedelta(days=begin), min(end, start + timedelta(days=begin + length - 1))


def _together(reports: Sequence[Report]) -> Report:
    from trading.report import Report

    figures: dict[str, int] = {}
    for report in reports:
        for name, value in report.figures.items():
            figures[name] = value if name == "symbols" else figures.get(name, 0) + value
    rows = [row for report in reports for row in report.rows]
    return Report(reports[0].title, figures, rows, [note for report in reports for note in report.notes])
