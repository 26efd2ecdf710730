"""`trading strategy`: definitions in and out, what changed, and which of them trade."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from deployments.command_line import Json, one_line_errors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

Name = Annotated[str, typer.Argument(metavar="STRATEGY", help="Name of a strategy; see `trading strategy list`.")]

strategy_commands = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help=(
        "Strategies: their definitions as YAML, their versions, and which of them trade.\n\n"
        "Example:  [bold]trading strategy show rsi_reversion > mine.yaml[/bold], edit it, then "
        "[bold]trading strategy add mine.yaml[/bold]"
    ),
)


@strategy_commands.command("list")
@one_line_errors
def listed(*, as_json: Json = False) -> None:
    """Show every strategy: whether it trades, since when, and by whom."""
    from db.results import strategies as results
    from deployments.data import display

    with _opened() as connection:
        found = results.strategies(connection)
    rows = [
        {
            "strategy": row.name,
            "status": row.status,
            "rule": row.definition["rule"]["kind"],
            "capital": f"{row.definition['capital_fraction']:.0%}",
            "version": row.version,
            "since": row.updated_at,
            "by": row.updated_by,
        }
        for row in found
    ]
    if as_json:
        display.as_json(rows)
    else:
        display.table(rows)


@strategy_commands.command()
@one_line_errors
def show(
    name: Name,
    *,
    version: Annotated[str | None, typer.Option(help="A version, by the beginning of its hash.")] = None,
    history: Annotated[bool, typer.Option("--history", help="Who changed it, and when, instead.")] = False,
    as_json: Json = False,
) -> None:
    """Print a strategy's definition as YAML, ready to edit and to add again."""
    from db.repositories import strategies
    from db.results import strategies as results
    from deployments.data import display
    from trading.strategies import to_yaml

    with _opened() as connection:
        current = strategies.named(connection, name)
        strategy = current if version is None else strategies.of_version(connection, name, version)
        events = results.history(connection, name)
    if history:
        rows = [{"at": row.at, "by": row.actor, "did": row.action, "what": _briefly(row.detail)} for row in events]
        display.as_json(rows) if as_json else display.table(rows) if rows else display.say("nobody changed it")
    elif as_json:
        display.as_json({"version": strategy.version, "definition": strategy.model_dump(mode="json")})
    else:
        sys.stdout.write(to_yaml(strategy))


@strategy_commands.command()
@one_line_errors
def add(
    file: Annotated[typer.FileText, typer.Argument(help="A definition as YAML or JSON; - reads what is piped in.")],
) -> None:
    """Store a definition as a strategy's new version; a new strategy comes up paused, and so does a new version.

    Nothing is stored when anything in it is wrong.
    """
    from db.repositories import audit, inventory, strategies
    from db.results import strategies as results
    from deployments.data import display
    from trading.errors import InvalidValueError, UnknownNameError
    from trading.rules import Plugin
    from trading.rules.plugin import loaded
    from trading.strategies import difference, from_text

    try:
        text = file.read()
    except UnicodeDecodeError:
        raise InvalidValueError("the file", file.name, "text in UTF-8") from None
    strategy = from_text(text)
    if isinstance(strategy.rule, Plugin):
        loaded(strategy.rule.plugin)
    with _opened() as connection:
        was_active = strategy.name in {one.name for one in strategies.active(connection)}
        try:
            before = strategies.named(connection, strategy.name)
        except UnknownNameError:
            before = None
        known = inventory.symbols(connection, timeframe="1Day")
        for symbol in strategy.universe:
            if known and symbol not in known:
                raise UnknownNameError("symbol", symbol, known)
        version = strategies.save(connection, strategy, by=person())
        status = {row.name: row.status for row in results.strategies(connection)}[strategy.name]
        detail = {"version": version}
        audit.record(connection, actor=person(), action="strategy.defined", subject=strategy.name, detail=detail)
    if before is None:
        display.say(f"{strategy.name} {version} is new, and paused: `trading strategy activate {strategy.name}`")
        return
    changes = difference(before, strategy)
    display.say(
        f"{strategy.name} {before.version} -> {version}" if changes else f"{strategy.name} {version}: no change"
    )
    for change in changes:
        display.say(f"  {change}")
    if status == "paused" and was_active:
        display.say(f"it is paused: `trading check {strategy.name}`, then `trading strategy activate {strategy.name}`")


@strategy_commands.command()
@one_line_errors
def diff(
    name: Name,
    before: Annotated[str | None, typer.Argument(help="A version; without: the one before the current.")] = None,
    after: Annotated[str | None, typer.Argument(help="Another version; without: the current.")] = None,
    *,
    as_json: Json = False,
) -> None:
    """Show what differs between two versions of a strategy."""
    from db.repositories import strategies
    from db.results import strategies as results
    from deployments.data import display
    from trading.errors import DataError
    from trading.strategies import difference

    with _opened() as connection:
        new = strategies.of_version(connection, name, after) if after else strategies.named(connection, name)
        earlier = before or next(
            (row.version for row in results.versions(connection, name) if row.version != new.version), None
        )
        if earlier is None:
            raise DataError(f"{name} has one version only, {new.version}; there is nothing to compare it with")
        old = strategies.of_version(connection, name, earlier)
    changes = difference(old, new)
    if as_json:
        rows = [{"place": one.place, "before": one.before, "after": one.after} for one in changes]
        display.as_json({"before": old.version, "after": new.version, "changes": rows})
        return
    display.say(f"{name} {old.version} -> {new.version}{'' if changes else ': no difference'}")
    for change in changes:
        display.say(f"  {change}")


@strategy_commands.command()
@one_line_errors
def activate(
    name: Name,
    *,
    anyway: Annotated[bool, typer.Option("--anyway", help="Without a check that did not fail; takes --reason.")] = (
        False
    ),
    reason: Annotated[str | None, typer.Option(help="Why --anyway; kept in the audit trail with who said it.")] = None,
) -> None:
    """Let a strategy trade: it is evaluated on every completed bar.

    Its current version must have been questioned by `trading check` and not have failed; a warning is enough.

    Example:  trading check rsi_reversion && trading strategy activate rsi_reversion
    """
    if anyway != (reason is not None):
        raise typer.BadParameter('--anyway and --reason go together: --anyway --reason "a trial on paper"')
    _set(name, "active", anyway=reason)


@strategy_commands.command()
@one_line_errors
def pause(name: Name) -> None:
    """Let a strategy decide nothing; its positions stay as they are."""
    _set(name, "paused")


@strategy_commands.command()
@one_line_errors
def retire(name: Name) -> None:
    """Take a strategy out of use; its versions and results stay."""
    _set(name, "retired")


@strategy_commands.command()
@one_line_errors
def functions(
    word: Annotated[str | None, typer.Argument(help="Only functions with this in their name or description.")] = None,
    *,
    as_json: Json = False,
) -> None:
    """List what expressions can be written with."""
    from deployments.data import display
    from trading.errors import UnknownNameError
    from trading.expressions import FUNCTIONS

    rows = [
        {"function": function.usage(name), "gives": function.gives, "what": function.description}
        for name, function in FUNCTIONS.items()
        if word is None or word.lower() in f"{name} {function.description}".lower()
    ]
    if not rows:
        raise UnknownNameError("function", str(word), FUNCTIONS)
    display.as_json(rows) if as_json else display.table(rows)


def _set(name: str, status: str, *, anyway: str | None = None) -> None:
    from db.repositories import audit, strategies
    from deployments.data import display

    with _opened() as connection:
        strategies.set_status(connection, name, status, by=person(), anyway=anyway)
        detail = strategies.status_detail(status, anyway)
        audit.record(connection, actor=person(), action="strategy.status", subject=name, detail=detail)
    display.say(f"{name} is {status}")


@contextmanager
def _opened() -> Iterator[Connection]:
    """Yield a connection to the running system's database, the shipped strategies stored."""
    from db.repositories import strategies
    from deployments.data import connection
    from trading.strategies import ACTIVE, SHIPPED

    with connection.database() as opened:
        strategies.ship(opened, SHIPPED.values(), active=ACTIVE)
        yield opened


def person() -> str:
    """Return who is at the keyboard, as the operating system calls them."""
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # an account without a name, as in containers
        return "command line"


def _briefly(detail: dict[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in detail.items())
