"""`trading data export`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from deployments.command_line import Json, one_line_errors
from deployments.data.options import EndOption, StartOption, SymbolsOption, TimeframeOption, range_of, symbols_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    import pandas as pd
    from sqlalchemy import Connection

    from deployments.data.stored import Extent

BARS_AT_ONCE = 250_000


@one_line_errors
def export(
    path: Annotated[str, typer.Argument(help="File to write, or URL: .csv, .csv.gz or .parquet.")],
    *,
    symbols: SymbolsOption = None,
    timeframe: TimeframeOption = "1Day",
    start: StartOption = None,
    end: EndOption = None,
    adjusted: Annotated[
        bool, typer.Option("--adjusted", help="Divide out the splits up to --end; without: as traded.")
    ] = False,
    quarantined: Annotated[bool, typer.Option("--quarantined", help="With the bars that failed the rules.")] = False,
    form: Annotated[
        Literal["csv", "parquet"] | None, typer.Option("--format", help="Format; without: as the name ends.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    as_json: Json = False,
) -> None:
    """Write stored bars into one file that `trading data import` reads back as they were.

    Daily bars are dated by session; the times of others are in UTC, with their offset.

    Example:  trading data export bars.parquet --symbols AAPL,MSFT --start 2012-08-13
    """
    chosen, (first, last) = symbols_of(symbols), range_of(start, end)
    kind = form or _by_name(path)
    from deployments.data import connection, display, stored
    from deployments.data.bar_files import writing

    with connection.database() as opened:
        held = stored.extent(opened, chosen, timeframe=timeframe)
        begin, until = first or held.first, last or held.last
        with display.progress("exporting", quiet=as_json) as shown, writing(path, kind, replace=force) as write:
            count, written = 0, 0
            for some in _batches(held):
                read = _adjusted if adjusted else _bars
                bars = read(opened, some, timeframe=timeframe, start=begin, end=until, quarantined=quarantined)
                write(_dated(bars) if timeframe == "1Day" else bars)
                count, written = count + len(some), written + len(bars)
                if shown is not None:
                    shown(count / len(held.symbols), written)
    if as_json:
        display.as_json({"path": path, "symbols": len(held.symbols), "bars": written, "start": begin, "end": until})
    else:
        display.say(f"{written:,} {timeframe} bars of {len(held.symbols):,} symbols, {begin} to {until}, in {path}")


def _by_name(path: str) -> Literal["csv", "parquet"]:
    plain = path.lower()
    if plain.endswith((".parquet", ".pq")):
        return "parquet"
    if plain.endswith((".csv", ".csv.gz")):
        return "csv"
    raise typer.BadParameter(f"{path}: does not end in .csv, .csv.gz or .parquet; give --format")


def _batches(held: Extent) -> Iterator[tuple[str, ...]]:
    from itertools import batched

    average = max(1, held.bars // len(held.symbols))
    yield from batched(held.symbols, max(1, BARS_AT_ONCE // average))


def _bars(
    connection: Connection, symbols: tuple[str, ...], *, timeframe: str, start: date, end: date, quarantined: bool
) -> pd.DataFrame:
    from datetime import timedelta

    from db.repositories import bars as bars_repository
    from trading.calendar import bar_timestamp

    until = bar_timestamp(end + timedelta(days=1)) - timedelta(microseconds=1)
    found = bars_repository.read(
        connection, symbols, timeframe=timeframe, start=bar_timestamp(start), end=until, quarantined=quarantined
    )
    return found.drop(columns="quality")


def _adjusted(
    connection: Connection, symbols: tuple[str, ...], *, timeframe: str, start: date, end: date, quarantined: bool
) -> pd.DataFrame:
    from datetime import timedelta

    from db import frames
    from trading.calendar import bar_timestamp

    found = frames.load(
        connection,
        symbols,
        timeframe=timeframe,
        start=bar_timestamp(start),
        end=bar_timestamp(end + timedelta(days=1)) - timedelta(microseconds=1),
        adjustment="split",
        quarantined=quarantined,
    )
    return found.drop(columns="quality")


def _dated(bars: pd.DataFrame) -> pd.DataFrame:
    from trading.calendar import NEW_YORK

    sessions = bars["ts"].dt.tz_convert(NEW_YORK).dt.date
    return bars.drop(columns="ts").assign(date=sessions)[["symbol", "date", "open", "high", "low", "close", "volume"]]
