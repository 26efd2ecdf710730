"""`trading data restore`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from deployments.command_line import Json, one_line_errors
from deployments.data.options import TimeframeOption, range_of


@one_line_errors
def restore(
    start: Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], metavar="START", help="First session.")],
    end: Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], metavar="END", help="Last session.")],
    *,
    timeframe: TimeframeOption = "1Day",
    as_json: Json = False,
) -> None:
    """Bring archived bars back into the table; the archives that hold a session of the range come as a whole.

    Bars are readable without this: it makes reading them faster, and lets them be corrected.

    Example:  trading data restore 2005-01-01 2005-12-31
    """
    first, last = range_of(start, end)
    from deployments.data import connection, display

    with connection.system():
        from tasks.data_ingestion.archive import restore_bars
        from trading.calendar import FIRST_DAY, LAST_DAY

        report = restore_bars.fn(timeframe=timeframe, start=first or FIRST_DAY, end=last or LAST_DAY)
    if as_json:
        display.as_json(display.document_of(report))
    else:
        display.show_report(report)
