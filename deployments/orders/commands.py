"""Placing, cancelling, replacing and listing orders from the command line."""

from __future__ import annotations

import getpass
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deployments.command_line import Json, one_line_errors

if TYPE_CHECKING:
    from sqlalchemy import Row

order_commands = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help=(
        "Orders by hand: they pass the same limits, are written down and sent once like a strategy's.\n\n"
        "Example:  [bold]trading order buy AAPL 10 --type limit --limit-price 180 --tif gtc[/bold]"
    ),
)

SymbolArgument = Annotated[str, typer.Argument(help="Symbol, such as AAPL or BRK.B.")]
SharesArgument = Annotated[str | None, typer.Argument(metavar="[SHARES]", help="Shares, up to 9 decimals.")]
OrderArgument = Annotated[int, typer.Argument(metavar="ID", help="The order's number, see `trading orders`.")]
Notional = Annotated[str | None, typer.Option("--notional", metavar="USD", help="An amount instead of shares.")]
Kind = Annotated[str, typer.Option("--type", help="market, limit, stop, stop_limit or trailing_stop.")]
Life = Annotated[str, typer.Option("--tif", help="Time in force: day, gtc, opg, cls, ioc or fok.")]
Price = Annotated[str | None, typer.Option(metavar="USD")]
Percent = Annotated[str | None, typer.Option(metavar="PERCENT", help="Distance of a trailing stop, 1 is 1 %.")]
Extended = Annotated[bool, typer.Option("--extended-hours", help="Also before the open and after the close.")]
Class = Annotated[str | None, typer.Option("--class", help="bracket, oco or oto; told from the exits where absent.")]
TakeProfit = Annotated[str | None, typer.Option("--take-profit", metavar="USD", help="Limit of the exit in profit.")]
StopLoss = Annotated[str | None, typer.Option("--stop-loss", metavar="USD", help="Stop of the exit at a loss.")]
StopLossLimit = Annotated[str | None, typer.Option("--stop-loss-limit", metavar="USD", help="Its limit, if any.")]


def _place(side: str, symbol: str, shares: str | None, exits: dict[str, str | None], **fields: Any) -> None:
    from deployments.data import connection, display
    from trading.order_terms import order_terms

    given = {name: price for name, price in exits.items() if price is not None}
    exits_asked_for = len(given.keys() - {"stop_loss_limit_price"})
    chosen = fields.pop("order_class") or {0: "simple", 1: "oto"}.get(exits_asked_for, "bracket")
    present = {name: value for name, value in fields.items() if value is not None}
    as_json = present.pop("as_json")
    terms = order_terms(symbol=symbol.upper(), side=side, quantity=shares, order_class=chosen, **present, **given)
    with connection.system():
        from tasks.execution.manual import place_order

        row = place_order(terms, by=getpass.getuser())
    if as_json:
        display.as_json(document_of(row))
        return
    display.say(said(row, terms.words()))
    if row.status == "rejected":
        raise typer.Exit(1)


def _placing(side: str, teaches: str) -> None:
    """Register the command that places an order of a side; `teaches` is its help."""

    @one_line_errors
    def place(
        symbol: SymbolArgument,
        shares: SharesArgument = None,
        *,
        notional: Notional = None,
        kind: Kind = "market",
        tif: Life = "day",
        limit_price: Price = None,
        stop_price: Price = None,
        trail_price: Price = None,
        trail_percent: Percent = None,
        extended_hours: Extended = False,
        order_class: Class = None,
        take_profit: TakeProfit = None,
        stop_loss: StopLoss = None,
        stop_loss_limit: StopLossLimit = None,
        as_json: Json = False,
    ) -> None:
        exits = _exits(take_profit, stop_loss, stop_loss_limit)
        prices = _prices(limit_price, stop_price, trail_price, trail_percent)
        shared = {"notional": notional, "type": kind, "time_in_force": tif, "extended_hours": extended_hours}
        _place(side, symbol, shares, exits, **prices, **shared, order_class=order_class, as_json=as_json)

    order_commands.command(side, help=teaches)(place)


_placing(
    "buy",
    "Buy shares, or for an amount.\n\nExample:  trading order buy AAPL 10 --type limit --limit-price 180 --tif gtc",
)
_placing(
    "sell",
    "Sell shares that are held, or sell short what is not, where the limits allow it.\n\n"
    "Example:  trading order sell AAPL 10 --type trailing_stop --trail-percent 2 --tif gtc",
)


def _exits(profit: str | None, loss: str | None, loss_limit: str | None) -> dict[str, str | None]:
    return {"take_profit_price": profit, "stop_loss_price": loss, "stop_loss_limit_price": loss_limit}


def _prices(limit: str | None, stop: str | None, trail: str | None, percent: str | None) -> dict[str, str | None]:
    return {"limit_price": limit, "stop_price": stop, "trail_price": trail, "trail_percent": percent}


@order_commands.command()
@one_line_errors
def cancel(order: OrderArgument, *, as_json: Json = False) -> None:
    """Cancel an order, and show what it is then: a fill may have come first.

    Example:  trading order cancel 42
    """
    from deployments.data import connection, display

    with connection.system():
        from tasks.execution.manual import cancel_order

        row = cancel_order(order)
    if as_json:
        display.as_json(document_of(row))
        return
    display.say(said(row, f"{row.side} {row.quantity.normalize():f} {row.symbol}"))


@order_commands.command()
@one_line_errors
def replace(
    order: OrderArgument,
    *,
    shares: Annotated[str | None, typer.Option("--shares", help="Shares in all, those filled included.")] = None,
    limit_price: Price = None,
    stop_price: Price = None,
    trail_price: Price = None,
    trail_percent: Percent = None,
    tif: Annotated[str | None, typer.Option("--tif", help="Time in force.")] = None,
    as_json: Json = False,
) -> None:
    """Replace an open order by one with other terms; the new one has a number of its own.

    Example:  trading order replace 42 --limit-price 181.50
    """
    from deployments.data import connection, display
    from trading.errors import InvalidValueError
    from trading.order_terms import decimal_of

    prices = {**_prices(limit_price, stop_price, trail_price, trail_percent), "quantity": shares}
    changes: dict[str, Any] = {}
    for name, value in prices.items():
        if value is not None:
            try:
                changes[name] = decimal_of(value)
            except ValueError as error:
                raise InvalidValueError(name, value, str(error)) from None
    if tif is not None:
        changes["time_in_force"] = tif
    if not changes:
        raise InvalidValueError("replace", "nothing", "at least one of --shares, --limit-price, --stop-price, --tif")
    with connection.system():
        from tasks.execution.manual import replace_order

        row = replace_order(order, changes, by=getpass.getuser())
    if as_json:
        display.as_json(document_of(row))
        return
    display.say(said(row, f"in place of order {order}"))
    if row.status == "rejected":
        raise typer.Exit(1)


@one_line_errors
def orders(
    *,
    everything: Annotated[bool, typer.Option("--all", help="Those that have ended, too.")] = False,
    last: Annotated[int, typer.Option("--last", "-n", min=1, help="How many, the newest first.")] = 50,
    as_json: Json = False,
) -> None:
    """Show open orders; with --all every order of the account.

    Example:  trading orders --all -n 10
    """
    from deployments.data import connection, display

    with connection.system():
        from tasks.execution.manual import list_orders

        found = list_orders(everything=everything)[:last]
    if as_json:
        display.as_json([document_of(row) for row in found])
        return
    if not found:
        display.say("no orders" if everything else "no open orders; --all shows those that have ended")
        return
    display.table([_shown(row) for row in found])


def said(row: Row[Any], what: str) -> str:
    """Return one line about an order."""
    problem = f": {row.problem}" if row.problem else ""
    filled = f", {row.filled_quantity.normalize():f} filled" if row.filled_quantity else ""
    return f"order {row.id} is {row.status}{filled}: {what}{problem}"


def _shown(row: Row[Any]) -> dict[str, Any]:
    price = next((value for value in (row.limit_price, row.stop_price) if value is not None), None)
    return {
        "id": row.id,
        "placed": row.intended_at,
        "strategy": row.strategy,
        "side": row.side,
        "symbol": row.symbol,
        "quantity": row.quantity,
        "filled": row.filled_quantity,
        "type": row.type,
        "tif": row.time_in_force,
        "price": price,
        "status": row.status,
        "exit of": str(row.parent_id or ""),
        "replaces": str(row.replaces_id or ""),
        "problem": row.problem or "",
    }


def document_of(row: Row[Any]) -> dict[str, Any]:
    """Return an order for programs: amounts as text, so that they stay exact."""
    return {
        name: f"{value.normalize():f}" if isinstance(value, Decimal) else value
        for name, value in row._mapping.items()  # noqa: SLF001 - SQLAlchemy's public name for it
    }
