"""`trading data import`."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from deployments.command_line import Json, one_line_errors
from deployments.data.options import EndOption, StartOption, TimeframeOption, range_of, symbols_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tasks.data_ingestion.files.file_format import FileFormat
    from tasks.data_ingestion.files.importing import Imported
    from trading.bars import Timeframe
    from trading.report import Report


PathArgument = Annotated[str, typer.Argument(help="File, folder or fsspec URL: CSV or Parquet, packed or not.")]
OnlySymbols = Annotated[
    list[str] | None,
    typer.Option("--symbols", "-s", metavar="A,B", help="Import only these; without: all in the file."),
]
SymbolOption = Annotated[
    str | None, typer.Option(help="Symbol of a file that has no such column; without: its name (IBM.csv).")
]
MapOption = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="FIELD=COLUMN", help="Column of a field that is not guessed: close=Last."),
]
TimezoneOption = Annotated[
    str | None, typer.Option(help="Zone of times written without one: America/New_York, UTC. Dates need none.")
]
DayFirst = Annotated[
    bool | None, typer.Option("--day-first/--month-first", help="How 01/02/2012 is meant, where nothing shows it.")
]
AdjustedAsOf = Annotated[
    datetime | None,
    typer.Option(
        formats=["%Y-%m-%d"],
        metavar="DATE",
        help="The file has the splits up to this day divided out: store it as traded, by the recorded splits.",
    ),
]
TrustOption = Annotated[
    list[str] | None,
    typer.Option(metavar="A,B", help="Take these symbols' prices as they are, though stored ones contradict."),
]
SourceOption = Annotated[
    Literal["csv", "parquet"] | None, typer.Option(help="Format; without: as name and content say.")
]
Track = Annotated[bool, typer.Option("--track", help="Add the imported symbols to the tracked universe.")]
Check = Annotated[bool, typer.Option(help="Run the quality rules over what was imported.")]


@one_line_errors
def import_file(
    path: PathArgument,
    *,
    timeframe: TimeframeOption = "1Day",
    symbols: OnlySymbols = None,
    symbol: SymbolOption = None,
    columns: MapOption = None,
    timezone: TimezoneOption = None,
    day_first: DayFirst = None,
    adjusted_as_of: AdjustedAsOf = None,
    trust: TrustOption = None,
    start: StartOption = None,
    end: EndOption = None,
    source: SourceOption = None,
    track: Track = False,
    check: Check = True,
    as_json: Json = False,
) -> None:
    """Import bars from files; rows that cannot be read are listed with their line, the others are stored.

    Column names are guessed (date, ticker, o/h/l/c, vol, ...). Importing again writes only what is new or different,
    and an import that was interrupted goes on when it is repeated. A symbol whose prices are on another level than
    what is stored (adjusted for a split) is refused, the others are imported. The quality rules then look at every bar.

    Example:  trading data import prices.csv --map close=Last --symbol IBM
    """
    form = _form(symbol=symbol, columns=columns, timezone=timezone, day_first=day_first, adjusted_as_of=adjusted_as_of)
    chosen, (first, last) = symbols_of(symbols), range_of(start, end)
    from deployments.data import connection, display

    with connection.system():
        from tasks.data_ingestion.imports import import_bars

        with display.progress("importing", quiet=as_json) as shown:
            report, done = import_bars.fn(
                path,
                source=source,
                symbols=chosen,
                timeframe=timeframe,
                start=first,
                end=last,
                form=form,
                trusted=symbols_of(trust) or (),
                progress=shown,
            )
        tracked, checked = _followed(report, done, timeframe, track=track, check=check, quiet=as_json)
    if as_json:
        display.as_json(_document(report, done, checked, tracked))
    else:
        _show(checked, tracked)


def _form(
    *,
    symbol: str | None,
    columns: Sequence[str] | None,
    timezone: str | None,
    day_first: bool | None,
    adjusted_as_of: datetime | None,
) -> FileFormat:
    from pydantic import ValidationError

    from tasks.data_ingestion.files.file_format import FileFormat

    pairs = [word.partition("=") for word in columns or ()]
    for field, _, column in pairs:
        if not field or not column:
            raise typer.BadParameter(f"--map {field}: expected FIELD=COLUMN, such as close=Last")
    try:
        form = FileFormat(
            symbol=symbol and symbol.upper(),
            columns={field: column for field, _, column in pairs},
            timezone=timezone,
            day_first=day_first,
        )
    except ValidationError as error:
        first = error.errors()[0]
        words = str(first["msg"]).removeprefix("Value error, ")
        raise typer.BadParameter(f"--{first['loc'][0]}: {words}".replace("--columns", "--map")) from None
    return form.model_copy(update={"adjusted_as_of": adjusted_as_of and adjusted_as_of.date()})


def _followed(
    report: Report, done: Imported, timeframe: Timeframe, *, track: bool, check: bool, quiet: bool
) -> tuple[list[str], Report | None]:
    """Show what was imported, then track and check it where that is asked for."""
    from deployments.data import display

    if not quiet:
        display.show_report(report)
    tracked = _track(done) if track else []
    return tracked, _checked(done, timeframe, quiet=quiet) if check else None


def _track(done: Imported) -> list[str]:
    from deployments.data.connection import database
    from deployments.data.universe import track

    with database() as connection:
        track(connection, sorted(done.symbols))
    return sorted(done.symbols)


def _checked(done: Imported, timeframe: Timeframe, *, quiet: bool) -> Report | None:
    from deployments.data.quality import check
    from trading.calendar import session_of

    if done.first is None or done.last is None:
        return None
    return check(
        sorted(done.symbols),
        timeframe=timeframe,
        start=session_of(done.first),
        end=session_of(done.last),
        quiet=quiet,
    )


def _show(checked: Report | None, tracked: Sequence[str]) -> None:
    from deployments.data import display

    if tracked:
        display.say(f"Tracked: {len(tracked):,} symbols.")
    if checked is not None:
        display.say("")
        display.show_report(checked, most=10)


def _document(report: Report, done: Imported, checked: Report | None, tracked: Sequence[str]) -> dict[str, Any]:
    from deployments.data.display import document_of

    refused = [{**asdict(one), "ratio": one.ratio} for one in done.refused]
    quality = checked and document_of(checked)
    return {"import": document_of(report), "refused": refused, "quality": quality, "tracked": list(tracked)}
