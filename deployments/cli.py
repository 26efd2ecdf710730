"""The `trading` command."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from deployments.checking import check
from deployments.command_line import Json, one_line_errors
from deployments.data.commands import data_commands
from deployments.drill.commands import drill
from deployments.indicators import indicators
from deployments.orders.commands import order_commands, orders
from deployments.research import backtest, compare, sweep
from deployments.strategies.commands import strategy_commands
from deployments.strategies.explaining import explain
from deployments.trade.commands import add_trade_commands

if TYPE_CHECKING:
    from collections.abc import Callable

app = typer.Typer(
    name="trading",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help=(
        "Runs the trading system on this machine: PostgreSQL, Redis, the Prefect server, six services, "
        "the api, the dashboard and, without Alpaca keys, a simulated broker.\n\n"
        "First time?  [bold]trading demo[/bold]  starts everything and trades 60 sessions of real daily bars.\n\n"
        "State lives in TRADING_HOME; every setting is an environment variable or a line in .env: see "
        "[bold]trading config[/bold]."
    ),
)

app.add_typer(data_commands, name="data")
app.add_typer(strategy_commands, name="strategy")
app.command()(explain)
app.command()(indicators)
app.command("backtest")(backtest)
app.command("compare")(compare)
app.command("check")(check)
app.command("sweep", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(sweep)
app.add_typer(order_commands, name="order")
app.command()(orders)
add_trade_commands(app)
app.command()(drill)


def _show_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        print(f"trading {version('trading-system')}")
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True)
    ] = False,
) -> None: ...


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
    options_metavar="[OPTIONS]",
)
def simulator(context: typer.Context) -> None:
    """Serve a stand-in for Alpaca to any Alpaca client; `trading simulator --help` has its own options."""
    from simulator.__main__ import main

    raise typer.Exit(main(context.args))


@app.command()
@one_line_errors
def start(
    *,
    detach: Annotated[
        bool, typer.Option("--detach", "-d", help="Return when everything is healthy and keep it running.")
    ] = False,
) -> None:
    """Start the whole stack; without --detach, supervise it until Ctrl-C.

    The first start creates the databases and generates passwords (TRADING_HOME/secrets.env). A
    component that crashes is restarted, five times at most. Starting twice is harmless.
    """
    from deployments import terminal
    from deployments.stack import launch
    from deployments.stack.journal import AlreadyRunningError
    from trading.config import home

    progress = terminal.Progress()
    try:
        if detach:
            with progress:
                record = launch.start_detached(home(), on_change=progress)
            terminal.show_addresses(home(), record)
        else:
            terminal.log_to_stderr()
            with progress:
                launch.supervise(home(), on_change=progress, on_ready=lambda record: _supervising(progress, record))
    except AlreadyRunningError as error:
        terminal.say(f"{error}; nothing to do")
        terminal.show_addresses(home())


def _supervising(progress: Callable[..., None], record: object) -> None:
    from deployments import terminal
    from deployments.stack.journal import Record
    from trading.config import home

    progress(record)
    terminal.show_addresses(home(), record if isinstance(record, Record) else None)
    terminal.say("Ctrl-C stops everything")


@app.command()
@one_line_errors
def stop() -> None:
    """Stop the stack, the web layer first and the databases last.

    Running flows get 30 seconds to finish. Only processes that `start` started are ended, also when
    the supervisor itself was killed.
    """
    from deployments import terminal
    from deployments.stack import launch
    from trading.config import home

    with terminal.waiting("stopping"):
        stopped = launch.stop(home())
    terminal.say(f"stopped {', '.join(stopped)}" if stopped else f"nothing was running from {home()}")


@app.command()
@one_line_errors
def status(*, as_json: Json = False) -> None:
    """Show what runs: state, process, restarts and address of each component; exit code 1 if not all of it."""
    from deployments import terminal
    from deployments.stack import journal
    from trading.config import home

    record = journal.read(home())
    if as_json:
        print(json.dumps({"home": str(home()), **journal.payload(record)}, indent=2))
    else:
        terminal.show_status(home(), record)
    healthy = record.alive and record.phase == "running"
    if not healthy or any(unit.state not in {"healthy", "done"} for unit in record.units):
        raise typer.Exit(1)


@app.command()
@one_line_errors
def verify(*, as_json: Json = False) -> None:
    """Examine everything that must be right, in one table; exit code 1 when anything is not.

    Every component answers, migrations are at head, deployments equal prefect.yaml, a worker is online
    in each pool, blocks load, the automations that end dead runs are there, data is fresh.
    """
    from deployments import terminal
    from deployments.verification import verify as examine
    from trading.config import home

    with terminal.waiting("examining"):
        checks = examine(home())
    if as_json:
        print(json.dumps([check.as_dict() for check in checks], indent=2))
    else:
        terminal.show_checks(checks)
    if not all(check.ok for check in checks):
        raise typer.Exit(1)


@app.command()
@one_line_errors
def demo(
    *,
    sessions: Annotated[int, typer.Option(min=1, max=2000, help="Trading days to replay.")] = 60,
) -> None:
    """Trade past sessions of real daily bars against the simulated broker, and show the result.

    Starts the stack when it is not running. Resets the simulator to its opening cash, then runs the
    deployment replay/replay: each session's bars become signals, sized orders, fills and positions.
    """
    from deployments import terminal
    from deployments.demonstration import demonstrate
    from trading.config import home

    terminal.show_demonstration(home(), demonstrate(home(), sessions))


@app.command()
@one_line_errors
def config(*, as_json: Json = False) -> None:
    """Show every setting: its variable, the value in effect (secrets masked) and what it means."""
    from deployments import terminal
    from deployments.stack.plan import settings_in_use
    from trading.config import home

    rows = settings_in_use(home()).masked()
    if as_json:
        print(json.dumps([dict(zip(("variable", "value", "meaning"), row, strict=True)) for row in rows], indent=2))
    else:
        terminal.show_settings(rows)


if __name__ == "__main__":
    app()
