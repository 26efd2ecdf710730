"""`trading halt`, `resume` and `flatten`: a person's hand on the trading state."""

from __future__ import annotations

import getpass
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from deployments.command_line import Json, one_line_errors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tasks.execution.halting import Reach

Reason = Annotated[str, typer.Option("--reason", "-r", help="Why, for the record; at least three characters.")]
LEAST = 3


@one_line_errors
def halt(*, reason: Reason, as_json: Json = False) -> None:
    """Halt trading at once and cancel every open order; reductions of positions still pass.

    Needs the database and the broker only: it works while Prefect does not. `trading resume` ends it.

    Example:  trading halt --reason "prices look wrong"
    """
    _check(reason)
    changed = _write("HALTED", reason)
    cancelled = _cancel_at_once()
    from deployments.data import display
    from tasks.execution.halting import halt as halt_account

    with _reach() as reach:
        done = halt_account(reach, reason=reason, by=_person())
    figures = {
        "account": done.account,
        "state": "HALTED",
        "since": done.since,
        "changed": changed or done.changed,
        "cancelled": len(done.cancelled | cancelled),
    }
    if as_json:
        display.as_json(figures)
        return
    what = "trading is HALTED" if figures["changed"] else "trading was HALTED already"
    display.say(f"{what}, account {done.account}: {figures['cancelled']} open order(s) cancelled")
    display.say("`trading resume` lets it go on, `trading flatten` closes every position")


@one_line_errors
def resume(
    *,
    reason: Reason,
    despite_breaks: Annotated[
        bool, typer.Option("--despite-breaks", help="Also while the books and the broker differ without explanation.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Let trading go on after a halt; refused while a difference with the broker is unexplained.

    Example:  trading resume --reason "the feed is back"
    """
    _check(reason)
    from db.repositories import accounts, reconciliation, risk
    from deployments.data import connection, display
    from trading.errors import DataError

    with connection.database() as opened:
        account = accounts.newest(opened)
        if account is None:
            raise DataError("no account has been seen yet, so there is nothing to resume; run a trading cycle first")
        breaks = reconciliation.open_breaks(opened, account)
        if breaks and not despite_breaks:
            first = breaks[0]
            what = f"{first.kind} {first.subject}: ours {first.ours}, the broker's {first.brokers}"
            raise DataError(
                f"{len(breaks)} unexplained difference(s) with the broker ({what}); "
                "`trading reconcile` looks again, --accept takes over the broker's figures, --despite-breaks goes on"
            )
        changed = risk.set_trading_state(
            opened,
            account=account,
            state="ACTIVE",
            reason=reason,
            by=_person(),
            at=accounts.last_seen(opened, account),
        )
    if as_json:
        display.as_json({"account": account, "state": "ACTIVE", "changed": changed})
    else:
        display.say(f"trading {'is' if changed else 'was'} ACTIVE{'' if changed else ' already'}, account {account}")


@one_line_errors
def flatten(
    *,
    reason: Reason,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    wait: Annotated[float, typer.Option(min=0, max=500, help="Seconds to wait for the fills.")] = 30.0,
    as_json: Json = False,
) -> None:
    """Halt trading, cancel every open order, and close every position with a market order; show the fills.

    Within one halt no position is closed twice, however often this runs.

    Example:  trading flatten --reason "going away" --yes
    """
    _check(reason)
    if not yes:
        typer.confirm("Halt trading, cancel every order and close every position?", abort=True)
    _write("HALTED", reason)
    _cancel_at_once()
    from deployments.data import connection, display
    from tasks.execution.halting import halt as halt_account

    with _reach() as reach:
        halt_account(reach, reason=reason, by=_person())
    with connection.system():
        from tasks.execution.flattening import stand_down

        report = stand_down.fn(reason=reason, by=_person(), flatten=True, wait_seconds=wait)
    if as_json:
        display.as_json(display.document_of(report))
    else:
        display.show_report(report)


def _write(state: str, reason: str) -> bool:
    """Write the state before anything slow is loaded: from then on nothing is sent. Return whether it changed."""
    from db.repositories import accounts, risk
    from deployments.data import connection
    from trading.errors import DataError

    with connection.database() as opened:
        account = accounts.newest(opened)
        if account is None:
            raise DataError("no account has been seen yet, so there is no trading to halt; run a trading cycle first")
        at = accounts.last_seen(opened, account)
        return risk.set_trading_state(opened, account=account, state=state, reason=reason, by=_person(), at=at)


def _cancel_at_once() -> set[str]:
    """Cancel every open order before the broker's library is loaded, which takes seconds; what fails is tried again.

    Returns the broker's ids of the orders.
    """
    from api.broker import cancel_open_orders
    from db.engine import make_engine
    from db.repositories import accounts
    from deployments.stack.plan import settings_in_use
    from trading.config import home
    from trading.errors import UnavailableError

    settings = settings_in_use(home())
    engine = make_engine(settings.postgres.url(settings.postgres.trading_db))
    try:
        with engine.connect() as connection:
            account = accounts.newest(connection)
        return cancel_open_orders(settings.broker, engine, account or "")
    except UnavailableError:
        return set()  # `halt` asks again, and says what is wrong
    finally:
        engine.dispose()


@contextmanager
def _reach() -> Iterator[Reach]:
    """Yield the database and the broker as the settings name them; Prefect is not asked."""
    from blocks.catalogue import alpaca
    from db.engine import make_engine, make_lock_engine
    from deployments.data import connection
    from deployments.stack.plan import settings_in_use
    from tasks.broker import Broker
    from tasks.execution.halting import Reach
    from trading.config import home

    with connection.database():
        pass  # one line when nothing answers
    settings = settings_in_use(home())
    url = settings.postgres.url(settings.postgres.trading_db)
    engine = make_engine(url)
    try:
        yield Reach(engine, make_lock_engine(url), Broker(alpaca(settings).trading_client()))
    finally:
        engine.dispose()


def _check(reason: str) -> None:
    if len(reason.strip()) < LEAST:
        raise typer.BadParameter(f"--reason is {reason!r}; say why in at least {LEAST} characters")


def _person() -> str:
    """Return who asks, for the record."""
    try:
        return f"{getpass.getuser()} (command line)"
    except (OSError, KeyError, ImportError):  # an account without a name
        return "command line"
