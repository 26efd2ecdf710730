"""`trading data universe`: the symbols the system looks at, with their tags and sectors."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from deployments.command_line import Json, one_line_errors
from deployments.data.options import symbols_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    import pandas as pd
    from sqlalchemy import Connection

WINDOW = 20
Names = Annotated[list[str], typer.Argument(metavar="SYMBOL...", help="Symbols, such as AAPL MSFT BRK.B.")]

universe_commands = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help=(
        "The tracked universe: what flows work on when no symbols are given.\n\n"
        "Example:  [bold]trading data universe top 50 --as-of 2015-01-02 --track[/bold]"
    ),
)


@universe_commands.command("list")
@one_line_errors
def listed(
    *,
    tag: Annotated[str | None, typer.Option(help="Only symbols with this tag.")] = None,
    sector: Annotated[str | None, typer.Option(help="Only symbols of this sector.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Symbols that are not tracked, too.")] = False,
    as_json: Json = False,
) -> None:
    """Show the tracked symbols with sector and tags."""
    from db.repositories import listings
    from deployments.data import connection, display

    with connection.database() as opened:
        found = listings.assets(opened, tracked=not everything, tag=tag, sector=sector)
    rows = [{**row, "tags": ", ".join(row["tags"])} for row in found]
    if as_json:
        display.as_json(found)
        return
    if rows:
        display.table(rows)
    display.say(f"\n{len(rows):,} symbols" if rows else "no symbols; add some with `trading data universe add SYMBOL`")


@universe_commands.command()
@one_line_errors
def add(symbols: Names) -> None:
    """Track symbols: those the broker knows, and those with imported bars."""
    from deployments.data import connection, display

    names = symbols_of(symbols) or []
    with connection.database() as opened:
        track(opened, names)
    display.say(f"tracked: {', '.join(names)}")


@universe_commands.command()
@one_line_errors
def remove(symbols: Names) -> None:
    """Track symbols no longer; their bars, tags and sectors stay."""
    from db.repositories import assets
    from deployments.data import connection, display

    names = symbols_of(symbols) or []
    with connection.database() as opened:
        for name in names:
            assets.update(opened, name, tracked=False)
    display.say(f"not tracked: {', '.join(names)}")


@universe_commands.command()
@one_line_errors
def tag(
    symbol: Annotated[str, typer.Argument(help="Symbol.")],
    tags: Annotated[list[str] | None, typer.Argument(metavar="TAG...", help="Its tags from now on.")] = None,
) -> None:
    """Set the tags of a symbol.

    Example:  trading data universe tag AAPL mega-cap dividend
    """
    from db.repositories import assets
    from deployments.data import connection, display

    (name,) = symbols_of([symbol]) or [""]
    chosen = sorted({word.strip().lower() for word in tags or () if word.strip()})
    with connection.database() as opened:
        assets.update(opened, name, tags=chosen)
    display.say(f"{name}: {', '.join(chosen) or 'no tags'}")


@universe_commands.command()
@one_line_errors
def sector(
    symbol: Annotated[str, typer.Argument(help="Symbol.")],
    name: Annotated[str, typer.Argument(metavar="SECTOR", help='Its sector, such as "Health Care".')],
) -> None:
    """Set the sector of a symbol."""
    from db.repositories import assets
    from deployments.data import connection, display

    (chosen,) = symbols_of([symbol]) or [""]
    with connection.database() as opened:
        assets.update(opened, chosen, sector=name.strip())
    display.say(f"{chosen}: {name.strip()}")


@universe_commands.command()
@one_line_errors
def top(
    count: Annotated[int, typer.Argument(metavar="N", min=1, help="How many.")],
    *,
    as_of: Annotated[
        datetime | None,
        typer.Option("--as-of", formats=["%Y-%m-%d"], metavar="DATE", help="As known after this session's close."),
    ] = None,
    sessions: Annotated[int, typer.Option(min=1, max=252, help="Sessions that are averaged.")] = WINDOW,
    track_them: Annotated[bool, typer.Option("--track", help="Add them to the tracked universe.")] = False,
    as_json: Json = False,
) -> None:
    """Show the N symbols with the most dollars traded a session, as of a date; nothing after it is looked at.

    Example:  trading data universe top 20 --as-of 2015-01-02
    """
    from deployments.data import connection, display

    with connection.database() as opened:
        day, dollars = _most_traded(opened, count, as_of and as_of.date(), sessions)
        if track_them:
            track(opened, list(dollars.index))
    rows = [
        {"rank": rank, "symbol": symbol, "dollars a session": round(value)}
        for rank, (symbol, value) in enumerate(dollars.items(), start=1)
    ]
    if as_json:
        display.as_json({"as_of": day, "sessions": sessions, "tracked": track_them, "symbols": rows})
        return
    display.table(rows)
    display.say(f"\nmean of the {sessions} sessions to {day}{'; tracked' if track_them else ''}")


def _most_traded(connection: Connection, count: int, as_of: date | None, window: int) -> tuple[date, pd.Series[float]]:
    from db.repositories import bars as bars_repository
    from deployments.data.stored import extent
    from trading.calendar import bar_timestamp, sessions
    from trading.errors import DataError
    from trading.universes import by_dollar_volume

    held = extent(connection, None, timeframe="1Day")
    days = [day for day in sessions(held.first, as_of or held.last) if as_of is None or day <= as_of][-window:]
    if not days:
        raise DataError(f"no daily bars up to {as_of}; the first are of {held.first}")
    first, last = bar_timestamp(days[0]), bar_timestamp(days[-1])
    bars = bars_repository.read(connection, held.symbols, timeframe="1Day", start=first, end=last)
    if bars.empty:
        raise DataError(f"no daily bars from {days[0]} to {days[-1]}; the newest are of {held.last}")
    return days[-1], by_dollar_volume(bars, top=count, sessions=len(days))


def track(connection: Connection, symbols: Sequence[str]) -> None:
    """Track symbols; one with bars that the broker does not know is listed as not tradable.

    Raises
    ------
    UnknownNameError
        A symbol is neither the broker's nor has bars.
    """
    from db.repositories import assets, inventory
    from trading.errors import UnknownNameError

    known = set(assets.known(connection))
    absent = [symbol for symbol in symbols if symbol not in known]
    if absent:
        stored = set(inventory.symbols(connection, timeframe="1Day"))
        for symbol in absent:
            if symbol not in stored:
                raise UnknownNameError("symbol", symbol, known | stored)
        assets.record_imported(connection, absent)
    assets.track(connection, symbols)
