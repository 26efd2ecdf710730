"""`trading data lives`: which company a ticker meant when."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from deployments.command_line import Json, one_line_errors
from deployments.data.options import range_of, symbols_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from db.repositories.lives import Life
    from trading.report import Report

Symbol = Annotated[str, typer.Argument(help="Symbol, such as AAPL or BRK.B.")]

life_commands = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help=(
        "Which company a ticker meant when: listed, renamed, delisted.\n\n"
        "Example:  [bold]trading data lives rename FB META --on 2022-06-09[/bold]"
    ),
)


@life_commands.command()
@one_line_errors
def show(
    symbols: Annotated[list[str] | None, typer.Argument(metavar="[SYMBOL]...", help="Symbols; without: all.")] = None,
    *,
    as_json: Json = False,
) -> None:
    """Show the recorded lives; a symbol without one is one company for ever."""
    from db.repositories.lives import lives
    from deployments.data import connection

    chosen = symbols_of(symbols)
    with connection.database() as opened:
        found = lives(opened, chosen)
    _show(found, as_json=as_json)


@life_commands.command("set")
@one_line_errors
def set_life(
    symbol: Symbol,
    *,
    listed: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="First day under the symbol.")
    ] = None,
    delisted: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="Last day under the symbol.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the company.")] = None,
    reason: Annotated[Literal["delisted", "merged"], typer.Option(help="What --delisted was.")] = "delisted",
    as_json: Json = False,
) -> None:
    """Record a company's time under a symbol, or change what is recorded of it.

    The life that begins on --listed, or holds one of the days, is changed; where there is none, it is another company.

    Example:  trading data lives set META --listed 2021-06-30 --delisted 2022-01-28 --name "Roundhill Metaverse ETF"
    """
    from db.repositories.lives import change, lives
    from deployments.data import connection

    (chosen,) = symbols_of([symbol]) or [""]
    (first, _), (last, _) = range_of(listed, None), range_of(delisted, None)
    if first is None and last is None and not name:
        raise typer.BadParameter("give --listed, --delisted or --name")
    with connection.database() as opened:
        change(opened, chosen, listed=first, delisted=last, name=name and name.strip(), reason=reason)
        found = lives(opened, [chosen])
    _show(found, as_json=as_json)


@life_commands.command()
@one_line_errors
def rename(
    symbol: Annotated[str, typer.Argument(metavar="OLD", help="Symbol up to the day before.")],
    new_symbol: Annotated[str, typer.Argument(metavar="NEW", help="Symbol from the day on.")],
    *,
    on: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="First day under the new name.")],
    as_json: Json = False,
) -> None:
    """Record that a company bears another symbol from a day on; its bars stay one series.

    Example:  trading data lives rename FB META --on 2022-06-09
    """
    from db.repositories.lives import lives
    from db.repositories.lives import rename as record
    from deployments.data import connection

    names = symbols_of([symbol, new_symbol]) or []
    if len(names) != 2:  # noqa: PLR2004 - an old name and a new one
        raise typer.BadParameter(f"{symbol} and {new_symbol} are not two symbols")
    range_of(on, None)
    with connection.database() as opened:
        record(opened, names[0], names[1], first_day=on.date())
        found = lives(opened, names)
    _show(found, as_json=as_json)


@life_commands.command("import")
@one_line_errors
def import_file(path: Annotated[str, typer.Argument(help="CSV file.")], *, as_json: Json = False) -> None:
    """Record the lives of a file, all of them or none.

    Its columns are symbol, and of listed, delisted, name and renamed_to what is known. A row with renamed_to says that
    delisted was the last day under the old name.

    Example:  trading data lives import lives.csv
    """
    from deployments.data import connection

    with connection.system():
        from tasks.data_ingestion.lives import import_lives

        report = import_lives.fn(path)
    _report(report, as_json=as_json)


@life_commands.command()
@one_line_errors
def derive(*, as_json: Json = False) -> None:
    """Record what the broker's list of assets and the stored renames tell; fetching does so for what it fetches."""
    from deployments.data import connection

    with connection.system():
        from tasks.data_ingestion.lives import derive_lives

        report = derive_lives.fn()
    _report(report, as_json=as_json)


def _report(report: Report, *, as_json: bool) -> None:
    from deployments.data import display

    if as_json:
        display.as_json(display.document_of(report))
    else:
        display.show_report(report)


def _show(found: Sequence[Life], *, as_json: bool) -> None:
    from deployments.data import display
    from trading.calendar import FIRST_DAY

    rows: list[dict[str, Any]] = [
        {
            "symbol": life.symbol,
            "listed": None if life.first_day == FIRST_DAY else life.first_day,
            "delisted": life.last_day,
            "ended by": None if life.last_day is None else life.reason,
            "asset": life.asset_id,
            "name": life.name,
        }
        for life in found
    ]
    if as_json:
        display.as_json(rows)
    elif rows:
        display.table(rows)
    else:
        display.say("no lives are recorded: each symbol is one company for ever")
