"""`trading data gaps`."""

from __future__ import annotations

from dataclasses import asdict
from itertools import batched
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deployments.command_line import Json, one_line_errors
from deployments.data.options import EndOption, StartOption, SymbolsOption, TimeframeOption, range_of, symbols_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    import pandas as pd
    from sqlalchemy import Connection

    from db.repositories.spells import Spell
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

    Without --start a symbol is looked at from its first bar; without --end to the newest bar of all. A symbol means
    the company it meant at the end; before it was listed and after it was delisted nothing is missing.

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
    from db.repositories.spells import names, own_times, spells
    from trading.calendar import bar_timestamp, completed_bars
    from trading.gaps import find_gaps

    day = end or held.last
    expected = completed_bars(timeframe, bar_timestamp(start or held.first), bar_timestamp(day + timedelta(days=1)))
    assets = _each_once(spells(connection, held.symbols, day))
    found: list[Gap] = []
    for some in batched(assets, SYMBOLS_AT_ONCE):
        own = {symbol: assets[symbol] for symbol in some}
        stored = bars_repository.stored(connection, names(own), timeframe=timeframe)
        for symbol, pieces in own.items():
            times = own_times(stored, pieces)
            found += find_gaps(symbol, due(expected, times, pieces, from_first_bar=start is None), times)
    return found


def due(
    expected: pd.DatetimeIndex, times: pd.DatetimeIndex, pieces: Sequence[Spell], *, from_first_bar: bool
) -> pd.DatetimeIndex:
    """Return which of the expected bars an asset should have: those of its life, from its first bar on or not."""
    from db.repositories.spells import moments

    borne = [spell for spell in pieces if spell.borne]
    first, after = moments(borne[0])[0], moments(borne[-1])[1]
    begin = times[0] if from_first_bar and len(times) else first
    low = 0 if begin is None else expected.searchsorted(begin)
    return expected[low : len(expected) if after is None else expected.searchsorted(after)]


def _each_once(found: Mapping[str, Sequence[Spell]]) -> dict[str, Sequence[Spell]]:
    """Return each asset once, under the name that it bore last; names that mean nothing yet are left out."""
    named: dict[Sequence[Spell], str] = {}
    for symbol, pieces in found.items():
        borne = [spell.symbol for spell in pieces if spell.borne]
        if borne and (pieces not in named or symbol == borne[-1]):
            named[pieces] = symbol
    return {symbol: pieces for pieces, symbol in named.items()}


def _row(gap: Gap) -> dict[str, Any]:
    return {
        "symbol": gap.symbol,
        "from": gap.first,
        "to": gap.last,
        "bars": gap.bars,
        "": "" if gap.ends else "nothing after it",
    }
