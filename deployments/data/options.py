"""The options that several of the commands take, and what their words mean."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from trading.bars import Timeframe

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

SYMBOL = re.compile(r"^[A-Z][A-Z0-9]{0,9}([./-][A-Z0-9]{1,4})?$")

TimeframeOption = Annotated[Timeframe, typer.Option("--timeframe", "-t", help="Length of a bar.")]
SymbolsOption = Annotated[
    list[str] | None,
    typer.Option("--symbols", "-s", metavar="A,B", help="Symbols, separated by commas; without: all that have bars."),
]
StartOption = Annotated[
    datetime | None, typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="First session, such as 2012-08-13.")
]
EndOption = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="Last session.")]


def symbols_of(words: Sequence[str] | None) -> list[str] | None:
    """Return the symbols of `--symbols A,B --symbols C` in capitals; None without any."""
    found = [symbol.strip().upper() for word in words or () for symbol in word.split(",") if symbol.strip()]
    for symbol in found:
        if not SYMBOL.match(symbol):
            raise typer.BadParameter(f"{symbol!r} is not a symbol, such as AAPL or BRK.B")
    return list(dict.fromkeys(found)) or None


def range_of(start: datetime | None, end: datetime | None) -> tuple[date | None, date | None]:
    """Return the sessions of `--start` and `--end`."""
    from trading.calendar import FIRST_DAY, LAST_DAY

    first, last = start and start.date(), end and end.date()
    for day in (first, last):
        if day is not None and not FIRST_DAY <= day <= LAST_DAY:
            raise typer.BadParameter(f"{day} is not from {FIRST_DAY} to {LAST_DAY}")
    if first and last and first > last:
        raise typer.BadParameter(f"--start {first} is after --end {last}")
    return first, last
