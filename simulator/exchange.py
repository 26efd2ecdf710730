"""The broker behind the routes: one account, one clock, one market."""

from __future__ import annotations

import secrets
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Literal
from uuid import UUID, uuid5

from simulator.admission import admit, held_for_orders
from simulator.books import ZERO, Account
from simulator.corporate_actions import NAMESPACE
from simulator.errors import (
    BadRequestError,
    ConflictError,
    DuplicateClientOrderIdError,
    EndOfDataError,
    NotFoundError,
    UnprocessableError,
)
from simulator.execution import act, end, late_fill
from simulator.faults.models import LateFill, Reject, StuckCancel
from simulator.ledger import Ledger
from simulator.matching.session import NEVER_RESTING
from simulator.order_request import OrderRequest
from simulator.placing import Terms, new_orders, replace_order
from simulator.presentation import stamp
from simulator.stepping import happen
from trading.errors import ConfigurationError, InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulator.books import Order, Position
    from simulator.market import Market
    from simulator.replacement import Replacement
    from simulator.store import Store

GTC_LIFE = timedelta(days=90)
TICK = timedelta(microseconds=1)
PERCENT = Decimal(100)
Advance = Literal["open", "close", "session"]


def _at_once(seconds: float, action: Callable[[], None]) -> None:
    """Do something without waiting: what `later` is where no event loop runs."""
    del seconds
    action()


def check_opening(market: Market, start: date, cash: Decimal) -> None:
    """Refuse an account that cannot be opened.

    Raises
    ------
    InvalidValueError
        `start` is outside the data, or `cash` is not positive.
    """
    if not market.first <= start < market.last:
        span = f"a day from {market.first} to before {market.last}, the span of the data"
        raise InvalidValueError("start", start.isoformat(), span)
    if not cash.is_finite() or cash <= 0:
        raise InvalidValueError("cash", f"{cash}", "a positive amount of dollars")


class Exchange:
    """Accepts and cancels orders, moves the clock, starts again; reads are on `ledger`."""

    def __init__(self, market: Market, store: Store, *, start: date, cash: Decimal, seed: str | None = None) -> None:
        """Take up what the state file holds, or begin at `start` with `cash` in a new one.

        Raises
        ------
        ConfigurationError
            The state file was made with other data.
        InvalidValueError
            `start` is outside the data, or `cash` is not positive.
        """
        self.market, self.store, self._start, self._cash = market, store, start, cash
        self.ledger = Ledger(store, market)
        self.later: Callable[[float, Callable[[], None]], None] = _at_once
        if store.account() is None:
            check_opening(self.market, start, cash)
            with self.ledger.transaction():
                store.set_fact("market", market.fingerprint)
                store.set_fact("seed", seed or secrets.token_hex(8))
                self._begin(start, cash, generation=1)
        elif store.fact("market") != market.fingerprint:
            raise ConfigurationError(
                f"{store.path} was made with other market data; give the same --data, or another --state"
            )
        self.ledger.faults.reseed(self.store.fact("seed") or "")
        self._last_submitted = max(
            (order.submitted_at for order in store.orders(tail="ORDER BY sequence DESC LIMIT 1")),
            default=self.now,
        )

    @property
    def now(self) -> datetime:
        """What the clock says, UTC."""
        return self.ledger.account.clock

    def _begin(self, start: date, cash: Decimal, *, generation: int) -> None:
        """Open an account at the close of a session."""
        day = self.market.sessions.at_or_before(start)
        at = self.market.sessions.close_of(day)
        seed = self.store.fact("seed")
        number = "PA" + sha256(f"{seed} {generation}".encode()).hexdigest()[:10].upper()
        identity = str(uuid5(NAMESPACE, f"account {number}"))
        account = Account(
            id=identity,
            number=number,
            generation=generation,
            created_at=at,
            opening_cash=cash,
            cash=cash,
            clock=at,
        )
        self.store.clear()
        self.store.save_account(account)
        self.ledger.reload()
        self.ledger.record_equity(day, at)

    def reset(self, *, start: date | None = None, cash: Decimal | None = None) -> Account:
        """Forget everything and open a new account; without arguments where the first one began."""
        start, cash = start or self._start, cash if cash is not None else self._cash
        check_opening(self.market, start, cash)
        self.ledger.faults.disarm()
        self.ledger.faults.reseed(self.store.fact("seed") or "")
        with self.ledger.transaction():
            self._begin(start, cash, generation=self.ledger.account.generation + 1)
        self._last_submitted = self.now
        return self.ledger.account

    def advance_to(self, to: datetime) -> None:
        """Move the clock forward through every open and close on the way.

        Raises
        ------
        ConflictError
            `to` is earlier than the clock, or past the last session with data.
        """
        if to < self.now:
            shown = f"{stamp(self.now)} and cannot go back to {to.isoformat()}"
            raise ConflictError(f"the clock stands at {shown}: only POST /simulator/reset can")
        if to >= self.market.end:
            raise EndOfDataError(self.market.last)
        for event in list(self.market.sessions.events(self.now, to)):
            happen(self.ledger, event)
        if to > self.now:
            with self.ledger.transaction():
                self.ledger.change_account(clock=to)

    def advance(self, step: Advance) -> None:
        """Move to the next open, the next close, or the close of the next session to open."""
        sessions = self.market.sessions
        if step == "open":
            self.advance_to(sessions.next_open(self.now))
        elif step == "close":
            self.advance_to(sessions.next_close(self.now))
        else:
            self.advance_to(sessions.next_close(sessions.next_open(self.now)))

    def place(self, request: OrderRequest) -> Order:
        """Accept an order, committed when this returns, or raise Alpaca's refusal.

        The answer is the order as it was accepted; what it met at once, at a quote, is in the books.
        """
        now = self.now
        client_order_id = self._new_client_id(request.client_order_id)
        admission = admit(self.ledger, request, now)
        sequence = self.ledger.orders_accepted + 1
        # lists are paged by time: no two orders have the same one
        at = max(now, self._last_submitted + TICK)
        terms = Terms(
            account_id=self.ledger.account.id,
            sequence=sequence,
            at=at,
            expires_at=self._expiry(request, now),
            status="new" if self.market.sessions.is_open(now) else "accepted",
            mark=self.market.mark(request.symbol, now),
        )
        order, *legs = new_orders(request, admission, client_order_id, terms)
        with self.ledger.transaction():
            for one in (order, *legs):
                self.ledger.put_order(one)
            self.ledger.announce("pending_new", order, at)
            if self.ledger.faults.first(Reject, lambda fault: fault.hits(order)) is not None:
                end(self.ledger, order, "rejected", at)
            else:
                self.ledger.announce(order.status, order, at)
                self._meet_quote(order, at)
        self._last_submitted = at + len(legs) * TICK
        return order

    def _new_client_id(self, wanted: str | None) -> str:
        """Return the client's id, or one made for it; an id is used once, for ever."""
        sequence = self.ledger.orders_accepted + 1
        chosen = wanted or str(uuid5(UUID(self.ledger.account.id), f"client {sequence}"))
        if self.store.order(client_order_id=chosen) is not None:
            raise DuplicateClientOrderIdError
        return chosen

    def _meet_quote(self, order: Order, at: datetime) -> None:
        """Let an order meet the latest price where it may at once: ioc and fok always, others if matching says so."""
        sessions = self.market.sessions
        day, mark = sessions.current(self.now), self.market.mark(order.symbol, self.now)
        moment = order.time_in_force in NEVER_RESTING
        quoted = self.ledger.frictions.matching == "quote" and order.time_in_force in {"day", "gtc"}
        if day is None and quoted and order.extended_hours and sessions.in_extended_hours(self.now):
            day = sessions.last_closed(self.now)
        if day is None or not (moment or quoted):
            return
        if mark is not None:
            for one in (order, *(self.ledger.open_orders[leg] for leg in order.leg_ids)):
                current = self.ledger.open_orders.get(one.id)
                if current is not None and current.is_active:
                    act(self.ledger, current, mark.price, day=day, at=at)
        if moment and order.id in self.ledger.open_orders:
            end(self.ledger, self.ledger.open_orders[order.id], "canceled", at)

    def _expiry(self, request: OrderRequest, now: datetime) -> datetime:
        sessions = self.market.sessions
        day = sessions.trading_day(now)
        if request.time_in_force == "gtc":
            day = sessions.at_or_before(day + GTC_LIFE)
        return sessions.close_of(day)

    def replace(self, order_id: str, changes: Replacement) -> Order:
        """Accept a new order in the place of an open one; the answer is the new order.

        Raises
        ------
        UnprocessableError
            The order is final, not yet at the exchange, or of a kind that is not replaced; or the new terms are
            not allowed.
        ForbiddenError
            The new terms need more buying power or shares than there are.
        """
        order, now = self.order(order_id), self.now
        request = changes.applied(order)
        client_order_id = self._new_client_id(changes.client_order_id)
        admission = admit(self.ledger, request, now, instead_of=order) if order.is_active else None
        at = max(now, self._last_submitted + TICK)
        new = order.model_copy(
            update={
                **changes.terms(request),
                "id": str(uuid5(UUID(self.ledger.account.id), f"order {client_order_id}")),
                "client_order_id": client_order_id,
                "sequence": self.ledger.orders_accepted + 1,
                "status": "held" if order.status == "held" else "new",
                "reserved": admission.reserved if admission else order.reserved,
                "submitted_at": at,
                "updated_at": at,
                # sent after the open, even while the clock still stands at it
                "active_at": None if order.active_at is None else at + TICK,
                "expires_at": self._expiry(request, now),
                "filled_qty": ZERO,
                "filled_avg_price": None,
                "replaces": order.id,
            }
        )
        with self.ledger.transaction():
            replace_order(self.ledger, order, new, at)
            self._meet_quote(new, at)
        self._last_submitted = at
        return new

    def order(self, order_id: str) -> Order:
        """Return an order by the broker's id."""
        order = self.store.order(order_id=order_id)
        if order is None:
            raise NotFoundError(f"order not found for {order_id}")
        return order

    def cancel(self, order_id: str) -> Order:
        """Cancel an open order."""
        order = self.order(order_id)
        if not order.is_open or order.status == "pending_cancel":
            raise UnprocessableError(f'order is already in "{order.status}" state')
        late = self.ledger.faults.first(LateFill, lambda fault: fault.hits(order))
        stuck = self.ledger.faults.first(StuckCancel, lambda fault: fault.hits(order))
        with self.ledger.transaction():
            pending = order.model_copy(update={"status": "pending_cancel", "updated_at": self.now})
            self.ledger.announce("pending_cancel", pending, self.now)
            if stuck is not None:
                return self.ledger.put_order(pending)
            canceled = end(self.ledger, order, "canceled", self.now)
        if late is not None:
            self.later(late.seconds, partial(self._fill_late, order_id, Decimal(str(late.fraction))))
        return canceled

    def cancel_all(self) -> list[str]:
        """Cancel every open order; return the ids of those, exits that went with their entry included."""
        before = [order.id for order in self.ledger.open_orders.values() if order.status != "pending_cancel"]
        for order_id in before:
            order = self.ledger.open_orders.get(order_id)
            if order is not None and order.status != "pending_cancel":
                self.cancel(order_id)
        return before

    def legs(self, order: Order) -> list[Order]:
        """Return the orders that were sent with an order, replaced ones by what replaced them."""
        return [self._latest(leg) for leg in order.leg_ids]

    def _latest(self, order_id: str) -> Order:
        order = self.order(order_id)
        while order.replaced_by is not None:
            order = self.order(order.replaced_by)
        return order

    def _fill_late(self, order_id: str, fraction: Decimal) -> None:
        """Fill an order after its cancel was confirmed, unless a reset has forgotten it."""
        order = self.store.order(order_id=order_id)
        mark = None if order is None else self.market.mark(order.symbol, self.now)
        if order is not None and mark is not None:
            with self.ledger.transaction():
                late_fill(self.ledger, order, mark.price, fraction=fraction, at=self.now)

    def position(self, symbol: str) -> Position:
        """Return an open position."""
        position = self.ledger.positions.get(symbol)
        if position is None:
            raise NotFoundError("position does not exist")
        return position

    def available(self, position: Position) -> Decimal:
        """Return the shares, negative when short, that no open order claims."""
        orders = self.ledger.orders_on(position.symbol, "sell" if position.qty > 0 else "buy")
        claimed = held_for_orders(orders, self.ledger.price(position.symbol, self.now))
        left = max(abs(position.qty) - claimed, ZERO)
        return left if position.qty > 0 else -left

    def close_position(self, symbol: str, *, qty: Decimal | None = None, percentage: Decimal | None = None) -> Order:
        """Place the market order that closes a position, or the given part of it."""
        position = self.position(symbol)
        if qty is not None and percentage is not None:
            raise BadRequestError("only one of qty and percentage is allowed")
        size = qty if qty is not None else abs(position.qty)
        if percentage is not None:
            if not 0 < percentage <= PERCENT:
                raise UnprocessableError("percentage must be > 0 and <= 100")
            size = round(abs(position.qty) * percentage / PERCENT, 9)
        if size <= 0:
            raise UnprocessableError("qty must be > 0")
        side: Literal["buy", "sell"] = "sell" if position.qty > 0 else "buy"
        return self.place(OrderRequest(symbol=symbol, side=side, type="market", time_in_force="day", qty=size))
