"""The broker behind one small surface: domain values out, and three ways a call can end.

Answered, refused (BrokerError: proof that nothing happened), or unavailable (nothing is known).
"""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

from tasks.request_budget import AnnouncedBudget
from trading.broker import BrokerAccount, BrokerActivity, BrokerFill, BrokerOrder, BrokerPosition, Clock
from trading.errors import BrokerError, UnavailableError
from trading.order_admission import Tradability

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from alpaca.trading.client import TradingClient

    from trading.order_terms import OrderTerms

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
    """An Alpaca account: clock, account, orders, fills, positions.

    `budget` is what the broker announces is left of the account's requests; cancellations may spend the last.
    """

    def __init__(self, client: TradingClient, budget: AnnouncedBudget | None = None) -> None:
        self._client = client
        self._budget = budget or AnnouncedBudget()

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

    def asset(self, symbol: str) -> Tradability | None:
        """Return what may be done with a symbol, or None where the broker knows none of that name."""
        what = f"asset {symbol}"
        try:
            raw = self._get(f"/assets/{quote(symbol, safe='')}", what=what)
        except BrokerError as error:
            if error.status == NOT_FOUND:
                return None
            raise
        flags = (bool(raw.get(name)) for name in ("tradable", "fractionable", "shortable"))
        return Tradability(symbol, *flags)

    def submit(self, terms: OrderTerms, *, client_order_id: str) -> BrokerOrder:
        """Post an order, once; the id makes a second post of it harmless."""
        body, what = terms.body(client_order_id), f"order {client_order_id}"
        self._budget.take()
        return order_of(call(lambda: self._client.post("/orders", body), what), what)

    def replace(self, broker_order_id: str, changes: Mapping[str, str], *, client_order_id: str) -> BrokerOrder:
        """Ask for an order's replacement by one with other terms, and return the new one.

        The answer is no proof that it took the old one's place: that is in what either becomes.
        """
        body, what = {**changes, "client_order_id": client_order_id}, f"replacement {client_order_id}"
        self._budget.take()
        return order_of(call(lambda: self._client.patch(f"/orders/{broker_order_id}", body), what), what)

    def find(self, client_order_id: str) -> BrokerOrder | None:
        """Return the order with our id, or None if the broker has none (now)."""
        what = f"look-up of order {client_order_id}"
        try:
            raw = self._get("/orders:by_client_order_id", {"client_order_id": client_order_id}, what=what)
        except BrokerError as error:
            if error.status == NOT_FOUND:
                return None
            raise
        return order_of(raw, what)

    def with_legs(self, broker_order_id: str) -> BrokerOrder:
        """Return an order with the exits that the broker keeps for it."""
        what = f"order {broker_order_id}"
        return order_of(self._get(f"/orders/{broker_order_id}", {"nested": "true"}, what=what), what)

    def orders(self, *, since: datetime, status: Literal["all", "open", "closed"] = "all") -> list[BrokerOrder]:
        """Return the orders submitted after `since`, oldest first; exits stand beside their entries."""
        found: dict[str, BrokerOrder] = {}
        after = since
        while True:
            query = {"status": status, "limit": LISTED, "direction": "asc", "after": after.isoformat()}
            page = [order_of(raw, "orders") for raw in self._get("/orders", query, what="orders")]
            fresh = [order for order in page if order.broker_order_id not in found]
            found |= {order.broker_order_id: order for order in page}
            if len(page) < LISTED or not fresh:
                return list(found.values())
            after = page[-1].submitted_at

    def cancel(self, broker_order_id: str) -> bool:
        """Ask for an order's cancellation; False when it can no longer be cancelled."""
        self._budget.take(reserve=0)
        try:
            call(lambda: self._client.delete(f"/orders/{broker_order_id}"), f"cancel {broker_order_id}")
        except BrokerError as error:
            if error.status in (NOT_FOUND, UNPROCESSABLE):
                return False
            raise
        return True

    def cancel_all(self) -> set[str]:
        """Ask for the cancellation of every open order; return the broker's ids of those it took on."""
        self._budget.take(reserve=0)
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
        self._budget.take()
        answer = call(lambda: self._client.get(path, query), what)
        if answer is None:
            raise UnavailableError(f"{what}: the broker sent an empty answer")
        return answer


def order_of(raw: Any, what: str) -> BrokerOrder:
    """Return an order of the broker's JSON.

    Raises
    ------
    UnavailableError
        It is none: nothing is known of what happened.
    """
    try:
        return BrokerOrder(
            broker_order_id=raw["id"],
            client_order_id=raw["client_order_id"],
            symbol=raw["symbol"],
            side=raw["side"],
            type=raw["type"],
            time_in_force=raw["time_in_force"],
            quantity=Decimal(raw["qty"] or raw["filled_qty"]),
            limit_price=_amount(raw, "limit_price"),
            status=raw["status"],
            filled_quantity=Decimal(raw["filled_qty"]),
            filled_average_price=_amount(raw, "filled_avg_price"),
            submitted_at=_time(raw["submitted_at"]),
            updated_at=_time(raw["updated_at"]),
            notional=_amount(raw, "notional"),
            stop_price=_amount(raw, "stop_price"),
            trail_price=_amount(raw, "trail_price"),
            trail_percent=_amount(raw, "trail_percent"),
            extended_hours=bool(raw.get("extended_hours")),
            order_class=raw.get("order_class") or "simple",
            replaces=raw.get("replaces"),
            replaced_by=raw.get("replaced_by"),
            legs=tuple(order_of(leg, what) for leg in raw.get("legs") or ()),
        )
    except (KeyError, TypeError, ArithmeticError, ValueError) as error:
        raise UnavailableError(f"{what}: the broker's answer is not an order; it is not known what happened") from error


def _amount(raw: Any, name: str) -> Decimal | None:
    value = raw.get(name)
    return Decimal(str(value)) if value else None


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
