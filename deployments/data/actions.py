"""`trading data actions`."""

from __future__ import annotations

from typing import Annotated

import typer

from deployments.command_line import Json, one_line_errors


@one_line_errors
def actions(
    path: Annotated[str, typer.Argument(help="CSV or Parquet file.")],
    *,
    derive: Annotated[
        bool, typer.Option("--derive", help="Work them out of the file's close and adjusted close.")
    ] = False,
    symbol: Annotated[str | None, typer.Option(help="Symbol of a file that has no such column.")] = None,
    as_json: Json = False,
) -> None:
    """Import corporate actions: splits, cash dividends and spin-offs.

    The file has the columns symbol, ex_date, kind (split, dividend, spin_off) and ratio (new shares per old), cash
    (USD a share) or share (of the value that left). With --derive it has date, close and adj_close instead.

    Example:  trading data actions AAPL.csv --derive --symbol AAPL
    """
    from deployments.data import connection, display

    with connection.system():
        from tasks.data_ingestion.actions import import_actions

        report = import_actions.fn(path, derived=derive, symbol=symbol and symbol.upper())
    if as_json:
        display.as_json(display.document_of(report))
    else:
        display.show_report(report)
