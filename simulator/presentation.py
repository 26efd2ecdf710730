"""Records as Alpaca's JSON: amounts as text, cents where dollars are shown, times in RFC 3339."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from uuid import uuid5

from simulator.books import ZERO
from simulator.corporate_actions import NAMESPACE
from simulator.margin import MAINTENANCE
from simulator.sessions import exchange_day

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulator.books import Activity, Order, Position
    from simulator.exchange import Exchange

CENT = Decimal("0.01")
FINE = Decimal("0.000001")
ASSETS = {
    "AAPL": ("Apple Inc. Common Stock", "NASDAQ"),
    "FB": ("Facebook, Inc. Class A Common Stock", "NASDAQ"),
    "GOOG": ("Google Inc. Class A Common Stock", "NASDAQ"),
    "IBM": ("International Business Machines Corporation Common Stock", "NYSE"),
    "MSFT": ("Microsoft Corporation Common Stock", "NASDAQ"),
}
"""Names and exchanges of the built-in market; a symbol of a file is its own name, on the NYSE."""


def cents(amount: Decimal) -> str:
    """Return dollars and cents."""
    return f"{amount.quantize(CENT, rounding=ROUND_HALF_EVEN):f}"


def plain(amount: Decimal) -> str:
    """Return a number without exponent and without trailing zeros."""
    text = f"{amount:f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


def fine(amount: Decimal) -> str:
    """Return a number rounded to six decimals."""
    return plain(amount.quantize(FINE, rounding=ROUND_HALF_EVEN))


def stamp(at: datetime) -> str:
    """Return a time in UTC, microseconds only when there are some."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


@lru_cache(maxsize=20_000)
def asset_id(symbol: str) -> str:
    """Return the id of an asset, the same in every simulator."""
    return str(uuid5(NAMESPACE, f"asset {symbol}"))


def asset_exchange(symbol: str) -> str:
    """Return the exchange a symbol is listed on."""
    return ASSETS.get(symbol, (symbol, "NYSE"))[1]


def asset_json(symbol: str) -> dict[str, Any]:
    """Return an asset."""
    return {
        "id": asset_id(symbol),
        "class": "us_equity",
        "exchange": asset_exchange(symbol),
        "symbol": symbol,
        "name": ASSETS.get(symbol, (symbol, ""))[0],
        "status": "active",
        "tradable": True,
        "marginable": True,
        "shortable": True,
        "easy_to_borrow": True,
        "borrow_status": "easy_to_borrow",
        "fractionable": True,
        "maintenance_margin_requirement": float(MAINTENANCE * 100),
        "margin_requirement_long": plain(MAINTENANCE * 100),
        "margin_requirement_short": plain(MAINTENANCE * 100),
        "attributes": [],
    }


def account_json(exchange: Exchange) -> dict[str, Any]:
    """Return the account marked at the latest prices."""
    account, worth = exchange.ledger.account, exchange.ledger.valuation(exchange.now)
    day = exchange_day(exchange.now)
    past = [point for point in exchange.store.equity(limit=2) if point.day < day]
    last = past[-1] if past else None
    return {
        "id": account.id,
        "account_number": account.number,
        "status": "ACTIVE",
        "crypto_status": "INACTIVE",
        "currency": "USD",
        "cash": cents(account.cash),
        "equity": cents(worth.equity),
        "portfolio_value": cents(worth.equity),
        "last_equity": cents(last.equity if last else account.opening_cash),
        "long_market_value": cents(worth.long_value),
        "short_market_value": cents(worth.short_value),
        "position_market_value": cents(worth.gross),
        "initial_margin": cents(worth.initial_margin),
        "maintenance_margin": cents(worth.maintenance_margin),
        "last_maintenance_margin": cents(last.maintenance_margin if last else ZERO),
        "multiplier": plain(worth.multiplier),
        "buying_power": cents(worth.buying_power),
        "regt_buying_power": cents(worth.buying_power),
        "non_marginable_buying_power": cents(worth.excess),
        "options_buying_power": cents(worth.excess),
        "options_approved_level": 0,
        "options_trading_level": 0,
        "sma": "0",
        "accrued_fees": "0",
        "pending_reg_taf_fees": "0",
        "intraday_adjustments": "0",
        "pending_transfer_in": "0",
        "pending_transfer_out": "0",
        "balance_asof": (last.day if last else day).isoformat(),
        "created_at": stamp(account.created_at),
        "trading_blocked": False,
        "transfers_blocked": False,
        "account_blocked": False,
        "trade_suspended_by_user": exchange.ledger.configuration.suspend_trade,
        "shorting_enabled": exchange.ledger.configuration.shorting,
    }


def order_json(order: Order, *, status: str | None = None, legs: Sequence[Order] | None = None) -> dict[str, Any]:
    """Return an order; `status` overrides the recorded one in the answer to its own POST."""
    group = {} if order.group_id is None else {"group_id": order.group_id, "group_role": order.role}

    def moment(at: datetime | None) -> str | None:
        return None if at is None else stamp(at)

    def number(amount: Decimal | None) -> str | None:
        return None if amount is None else plain(amount)

    return {
        "id": order.id,
        "client_order_id": order.client_order_id,
        "created_at": stamp(order.submitted_at),
        "updated_at": stamp(order.updated_at),
        "submitted_at": stamp(order.submitted_at),
        "filled_at": moment(order.filled_at),
        "expired_at": moment(order.expired_at),
        "expires_at": stamp(order.expires_at),
        "canceled_at": moment(order.canceled_at),
        "failed_at": moment(order.failed_at),
        "replaced_at": moment(order.replaced_at),
        "replaced_by": order.replaced_by,
        "replaces": order.replaces,
        "asset_id": asset_id(order.symbol),
        "symbol": order.symbol,
        "asset_class": "us_equity",
        "notional": number(order.notional),
        "qty": number(order.qty),
        "filled_qty": plain(order.filled_qty),
        "filled_avg_price": number(order.filled_avg_price),
        "order_class": order.order_class,
        "order_type": order.type,
        "type": order.type,
        "side": order.side,
        "time_in_force": order.time_in_force,
        "limit_price": number(order.limit_price),
        "stop_price": number(order.stop),
        "status": status or order.status,
        "extended_hours": order.extended_hours,
        "legs": None if not legs else [order_json(leg) for leg in legs],
        "trail_percent": number(order.trail_percent),
        "trail_price": number(order.trail_price),
        "hwm": number(order.hwm),
        "position_intent": order.position_intent,
        **group,
    }


def position_json(exchange: Exchange, position: Position) -> dict[str, Any]:
    """Return a position marked at the latest price."""
    symbol, price = position.symbol, exchange.ledger.price(position.symbol, exchange.now)
    before = exchange.market.previous_close(symbol, exchange.now) or price
    value = position.qty * price
    gain, today = value - position.cost, value - position.session_cost
    return {
        "asset_id": asset_id(symbol),
        "symbol": symbol,
        "exchange": asset_exchange(symbol),
        "asset_class": "us_equity",
        "asset_marginable": True,
        "side": "long" if position.qty > 0 else "short",
        "qty": plain(position.qty),
        "qty_available": plain(exchange.available(position)),
        "avg_entry_price": fine(position.average),
        "cost_basis": cents(position.cost),
        "market_value": cents(value),
        "current_price": plain(price),
        "lastday_price": fine(before),
        "change_today": fine(price / before - 1),
        "unrealized_pl": cents(gain),
        "unrealized_plpc": fine(gain / abs(position.cost)),
        "unrealized_intraday_pl": cents(today),
        "unrealized_intraday_plpc": fine(today / abs(position.session_cost)),
    }


def activity_json(activity: Activity) -> dict[str, Any]:
    """Return a fill, without its client_order_id as at Alpaca, or a dividend or split."""
    common = {
        "id": activity.id,
        "activity_type": activity.type,
        "symbol": activity.symbol,
        "qty": plain(activity.qty),
    }
    if activity.type == "FILL":
        return {
            **common,
            "transaction_time": stamp(activity.at),
            "type": "partial_fill" if activity.leaves_qty else "fill",
            "price": plain(activity.price or ZERO),
            "side": activity.side,
            "leaves_qty": plain(activity.leaves_qty),
            "order_id": activity.order_id,
            "cum_qty": plain(activity.qty if activity.cum_qty is None else activity.cum_qty),
            "order_status": "partially_filled" if activity.leaves_qty else "filled",
        }
    per_share = {} if activity.per_share is None else {"per_share_amount": plain(activity.per_share)}
    return {
        **common,
        **per_share,
        "date": activity.at.date().isoformat(),
        "net_amount": cents(activity.net_amount),
        "description": "",
        "status": "executed",
        "created_at": stamp(activity.at),
        "currency": "USD",
    }
