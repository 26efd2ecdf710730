"""`trading data gaps`."""

from __future__ import annotations

from dataclasses import asdict
from itertools import batched
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deployments.command_line import Json, one_line_errors
from deployments.data.options import EndOption, StartOption, SymbolsOption, TimeframeOption, range_of, symbols_of

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy import Connection

    from deployments.data.stored import Extent
    from trading.gaps import Gap

SYMBOLS_AT_ONCE = 50


@one_line_errors
def gaps(
    *,
    symbols: SymbolsOption = None,
    timeframe: TimeframeOption = "1Day",
    start: StartOption = None,
    end: EndOption = None,
    most: Annotated[int, typer.Option(min=1, help="Gaps to print at the most.")] = 50,
    as_json: Json = False,
) -> None:
    """Show which bars are missing against the exchange's calendar, as ranges by symbol.

    Without --start a symbol is looked at from its first bar; without --end to the newest bar of all.

    Example:  trading data gaps --symbols AAPL,MSFT --start 2012-08-13
    """
    chosen, (first, last) = symbols_of(symbols), range_of(start, end)
    from deployments.data import connection, display
    from deployments.data.stored import extent

    with connection.database() as opened:
        held = extent(opened, chosen, timeframe=timeframe)
        found = _found(opened, held, timeframe=timeframe, start=first, end=last)
    found.sort(key=lambda gap: (-gap.bars, gap.symbol, gap.first))
    sessions = f"{first or held.first} to {last or held.last}"
    if as_json:
        display.as_json({"timeframe": timeframe, "symbols": len(held.symbols), "gaps": [asdict(gap) for gap in found]})
        return
    if found:
        display.table([_row(gap) for gap in found[:most]], daily=timeframe == "1Day")
    if len(found) > most:
        display.say(f"... and {len(found) - most:,} more; --most prints more, --json all")
    short = len({gap.symbol for gap in found})
    missing = sum(gap.bars for gap in found)
    display.say(
        f"\n{missing:,} {timeframe} bars missing in {len(found):,} gaps of {short:,} symbols; "
        f"{len(held.symbols) - short:,} symbols are complete, {sessions}"
    )


def _found(connection: Connection, held: Extent, *, timeframe: str, start: date | None, end: date | None) -> list[Gap]:
    from datetime import timedelta

    from db.repositories import bars as bars_repository
    from trading.calendar import bar_timestamp, completed_bars
    from trading.gaps import find_gaps

    until = bar_timestamp((end or held.last) + timedelta(days=1))
    expected = completed_bars(timeframe, bar_timestamp(start or held.first), until)
    found: list[Gap] = []
    for some in batched(held.symbols, SYMBOLS_AT_ONCE):
        for symbol, times in bars_repository.stored(connection, some, timeframe=timeframe).items():
            due = expected if start or not len(times) else expected[expected.searchsorted(times[0]) :]
            found += find_gaps(symbol, due, times)
    return found


def _row(gap: Gap) -> dict[str, Any]:
    return {
        "symbol": gap.symbol,
        "from": gap.first,
        "to": gap.last,
        "bars": gap.bars,
        "": "" if gap.ends else "nothing after it",
    }
