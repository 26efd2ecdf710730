"""`trading data show`."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deployments.command_line import Json, one_line_errors
from deployments.data.options import EndOption, StartOption, TimeframeOption, range_of, symbols_of

if TYPE_CHECKING:
    import pandas as pd

SCREENFUL = 20


@one_line_errors
def show(
    symbol: Annotated[str, typer.Argument(help="Symbol, such as AAPL or BRK.B.")],
    *,
    timeframe: TimeframeOption = "1Day",
    last: Annotated[int, typer.Option("--last", "-n", min=1, help="Bars, the newest; with --start: all.")] = SCREENFUL,
    start: StartOption = None,
    end: EndOption = None,
    adjusted: Annotated[
        bool, typer.Option("--adjusted", help="Divide out the splits up to the last bar shown; without: as traded.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show the bars of a symbol with their quality, quarantined ones included, and a line of the closes.

    Example:  trading data show AAPL --last 10
    """
    (chosen,) = symbols_of([symbol]) or [""]
    first, until = range_of(start, end)
    from db import frames
    from deployments.data import connection, display, stored
    from trading.calendar import bar_timestamp

    with connection.database() as opened:
        held = stored.extent(opened, [chosen], timeframe=timeframe)
        bars = frames.newest(
            opened,
            [chosen],
            timeframe=timeframe,
            count=last if first is None else sys.maxsize,
            start=bar_timestamp(first) if first else None,
            end=bar_timestamp(until + timedelta(days=1)) - timedelta(microseconds=1) if until else None,
            adjustment="split" if adjusted else "raw",
            quarantined=True,
        )
    rows = _rows(bars)
    if as_json:
        display.as_json({"symbol": chosen, "timeframe": timeframe, "adjusted": adjusted, "bars": rows})
        return
    if not rows:
        display.say(f"no {timeframe} bars of {chosen} in that range; it has {held.first} to {held.last}")
        return
    display.table(rows, daily=timeframe == "1Day")
    closes = bars["close"].tolist()
    change = closes[-1] / closes[0] - 1 if closes[0] else float("nan")
    basis = "adjusted for splits" if adjusted else "as traded"
    display.say(f"\n{chosen} {timeframe}, {len(rows):,} bars, {basis}, close {change:+.2%}")
    display.say(display.sparkline(closes))


def _rows(bars: pd.DataFrame) -> list[dict[str, Any]]:
    columns = ["ts", "open", "high", "low", "close", "volume", "quality"]
    rows = bars[columns].astype(object).where(bars[columns].notna(), None).to_dict("records")
    return [
        {
            **{str(name): value for name, value in row.items()},
            "ts": row["ts"].to_pydatetime(),
            "volume": None if row["volume"] is None else round(row["volume"]),
        }
        for row in rows
    ]
