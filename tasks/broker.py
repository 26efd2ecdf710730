"""The broker behind one small surface: domain values out, and three ways a call can end.

Answered, refused (BrokerError: proof that nothing happened), or unavailable (nothing is known).
"""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from trading.broker import BrokerAccount, BrokerActivity, BrokerFill, BrokerOrder, BrokerPosition, Clock
from trading.errors import BrokerError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from alpaca.trading.client import TradingClient

REFUSALS = frozenset({400, 401, 403, 404, 422})
"""HTTP statuses that prove a call had no effect; any other failure proves nothing."""

PAGE = 100
LISTED = 500
NOT_FOUND = 404
CANCELLING = (200, 207)
UNPROCESSABLE = 422


def call[Result](action: Callable[[], Result], what: str) -> Result:
    """Make a call to Alpaca and sort its failures.

    Raises
    ------
    BrokerError
        Refused: the message is the broker's own.
    UnavailableError
        Timeout, lost connection, 429, 5xx or an unreadable body: what happened is not known.
    """
    from alpaca.common.exceptions import APIError
    from requests.exceptions import RequestException

    try:
        return action()
    except APIError as error:
        status = error.status_code
        if status not in REFUSALS:
            raise UnavailableError(f"{what}: the broker answered {status}; it is not known what happened") from error
        code, message = _reason(str(error))
        raise BrokerError(f"{what}: refused by the broker ({status}): {message}", status=status, code=code) from error
    except (RequestException, ValueError, AttributeError) as error:
        name = type(error).__name__
        raise UnavailableError(f"{what}: no readable answer from the broker ({name}); is it reachable?") from error


def _reason(body: str) -> tuple[int | None, str]:
    try:
        document = json.loads(body)
        return document.get("code"), str(document.get("message", body))
    except (ValueError, AttributeError):
        return None, body[:200]


class Broker:
    """An Alpaca account: clock, account, orders, fills, positions."""

    def __init__(self, client: TradingClient) -> None:
        self._client = client

    def clock(self) -> Clock:
        """Return the broker's clock."""
        raw = self._get("/clock", what="clock")
        return Clock(_time(raw["timestamp"]), raw["is_open"], _time(raw["next_open"]), _time(raw["next_close"]))

    def account(self) -> BrokerAccount:
        """Return the account's figures."""
        raw = self._get("/account", what="account")
        return BrokerAccount(
            number=raw["account_number"],
            equity=Decimal(raw["equity"]),
            cash=Decimal(raw["cash"]),
            buying_power=Decimal(raw["buying_power"]),
            long_value=Decimal(raw["long_market_value"]),
            short_value=Decimal(raw["short_market_value"]),
        )

    def assets(self) -> list[dict[str, Any]]:
        """Return every US equity the broker lists, as its JSON."""
        raw: list[dict[str, Any]] = self._get("/assets", {"asset_class": "us_equity"}, what="assets")
        return raw

    def submit(
        self,
        *,
        client_order_id: str,
        symbol: str,
        side: str,
        quantity: Decimal,
        order_type: str,
        time_in_force: str,
        limit_price: Decimal | None = None,
    ) -> BrokerOrder:
        """Post an order, once; the id makes a second post of it harmless."""
        body = {
            "client_order_id": client_order_id,
            "symbol": symbol,
            "side": side,
            "qty": f"{quantity.normalize():f}",
            "type": order_type,
            "time_in_force": time_in_force,
        }
        if limit_price is not None:
            body["limit_price"] = f"{limit_price.normalize():f}"
        what = f"order {client_order_id}"
        return _order(call(lambda: self._client.post("/orders", body), what), what)

    def find(self, client_order_id: str) -> BrokerOrder | None:
        """Return the order with our id, or None if the broker has none (now)."""
        what = f"look-up of order {client_order_id}"
        try:
            raw = self._get("/orders:by_client_order_id", {"client_order_id": client_order_id}, what=what)
        except BrokerError as error:
            if error.status == NOT_FOUND:
                return None
            raise
        return _order(raw, what)

    def orders(self, *, since: datetime) -> list[BrokerOrder]:
        """Return every order submitted after `since`, oldest first."""
        found: dict[str, BrokerOrder] = {}
        after = since
        while True:
            query = {"status": "all", "limit": LISTED, "direction": "asc", "after": after.isoformat()}
            page = [_order(raw, "orders") for raw in self._get("/orders", query, what="orders")]
            fresh = [order for order in page if order.broker_order_id not in found]
            found |= {order.broker_order_id: order for order in page}
            if len(page) < LISTED or not fresh:
                return list(found.values())
            after = page[-1].submitted_at

    def cancel(self, broker_order_id: str) -> bool:
        """Ask for an order's cancellation; False when it can no longer be cancelled."""
        try:
            call(lambda: self._client.delete(f"/orders/{broker_order_id}"), f"cancel {broker_order_id}")
        except BrokerError as error:
            if error.status in (NOT_FOUND, UNPROCESSABLE):
                return False
            raise
        return True

    def cancel_all(self) -> set[str]:
        """Ask for the cancellation of every open order; return the broker's ids of those it took on."""
        answer: Any = call(lambda: self._client.delete("/orders"), "cancel all orders") or []
        try:
            return {str(raw["id"]) for raw in answer if raw["status"] in CANCELLING}
        except (KeyError, TypeError) as error:
            raise UnavailableError("cancel all orders: the broker's answer is no list of orders") from error

    def fills(self, *, since: datetime) -> list[BrokerFill]:
        """Return every execution at or after `since`, oldest first."""
        return list(self._fill_pages(since))

    def _fill_pages(self, since: datetime) -> Iterator[BrokerFill]:
        query: dict[str, Any] = {"after": since.isoformat(), "direction": "asc", "page_size": PAGE}
        while True:
            page = _each(self._get("/account/activities/FILL", query, what="fills"), _fill, "fills")
            yield from page
            if len(page) < PAGE:
                return
            query["page_token"] = page[-1].execution_id

    def activities(self, *, since: datetime) -> list[BrokerActivity]:
        """Return dividends, splits, fees, transfers and interest after `since`, oldest first."""
        found: list[BrokerActivity] = []
        query: dict[str, Any] = {"category": "non_trade_activity", "direction": "asc", "page_size": PAGE}
        query["after"] = since.isoformat()
        while True:
            page = self._get("/account/activities", query, what="activities")
            found += _each(page, _activity, "activities")
            if len(page) < PAGE:
                return found
            query["page_token"] = found[-1].activity_id

    def positions(self) -> list[BrokerPosition]:
        """Return what the account holds; a failed call raises, it is never an empty list."""
        return _each(self._get("/positions", what="positions"), _position, "positions")

    def _get(self, path: str, query: dict[str, Any] | None = None, *, what: str) -> Any:
        answer = call(lambda: self._client.get(path, query), what)
        if answer is None:
            raise UnavailableError(f"{what}: the broker sent an empty answer")
        return answer


def _order(raw: Any, what: str) -> BrokerOrder:
    try:
        return BrokerOrder(
            broker_order_id=raw["id"],
            client_order_id=raw["client_order_id"],
            symbol=raw["symbol"],
            side=raw["side"],
            type=raw["type"],
            time_in_force=raw["time_in_force"],
            quantity=Decimal(raw["qty"] or raw["filled_qty"]),
            limit_price=Decimal(raw["limit_price"]) if raw.get("limit_price") else None,
            status=raw["status"],
            filled_quantity=Decimal(raw["filled_qty"]),
            filled_average_price=Decimal(raw["filled_avg_price"]) if raw.get("filled_avg_price") else None,
            submitted_at=_time(raw["submitted_at"]),
            updated_at=_time(raw["updated_at"]),
        )
    except (KeyError, TypeError, ArithmeticError, ValueError) as error:
        raise UnavailableError(f"{what}: the broker's answer is not an order; it is not known what happened") from error


def _each[Item](page: Any, read: Callable[[Any], Item], what: str) -> list[Item]:
    """Return the items of a page; a page that is no list of them says nothing at all."""
    if not isinstance(page, list):
        raise UnavailableError(f"{what}: the broker's answer is no list; it is not known what the account has")
    try:
        return [read(raw) for raw in page]
    except (KeyError, TypeError, ArithmeticError, ValueError) as error:
        raise UnavailableError(f"{what}: the broker's answer cannot be read ({type(error).__name__})") from error


def _fill(raw: Any) -> BrokerFill:
    return BrokerFill(
        execution_id=raw["id"],
        broker_order_id=raw["order_id"],
        symbol=raw["symbol"],
        side="buy" if raw["side"] == "buy" else "sell",
        quantity=Decimal(raw["qty"]),
        price=Decimal(raw["price"]),
        at=_time(raw["transaction_time"]),
    )


def _position(raw: Any) -> BrokerPosition:
    return BrokerPosition(raw["symbol"], Decimal(raw["qty"]), Decimal(raw["current_price"]))


def _activity(raw: Any) -> BrokerActivity:
    def number(name: str) -> Decimal | None:
        return Decimal(raw[name]) if raw.get(name) not in {None, ""} else None

    return BrokerActivity(
        activity_id=raw["id"],
        kind=raw["activity_type"],
        symbol=raw.get("symbol") or None,
        day=date.fromisoformat(raw["date"][:10]),
        net_amount=Decimal(raw["net_amount"]),
        quantity=number("qty"),
        per_share=number("per_share_amount"),
    )


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
