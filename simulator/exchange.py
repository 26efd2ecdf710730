"""The broker behind the routes: one account, one clock, one market."""

from __future__ import annotations

import secrets
from datetime import date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import TYPE_CHECKING, Literal
from uuid import UUID, uuid5

from simulator.admission import admit, held_for_orders
from simulator.books import ZERO, Account, Order
from simulator.corporate_actions import NAMESPACE
from simulator.errors import (
    BadRequestError,
    ConflictError,
    DuplicateClientOrderIdError,
    EndOfDataError,
    NotFoundError,
    UnprocessableError,
)
from simulator.ledger import Ledger
from simulator.order_request import OrderRequest
from simulator.presentation import stamp
from simulator.stepping import happen
from trading.errors import ConfigurationError, InvalidValueError

if TYPE_CHECKING:
    from simulator.books import Position
    from simulator.market import Market
    from simulator.store import Store

GTC_LIFE = timedelta(days=90)
TICK = timedelta(microseconds=1)
PERCENT = Decimal(100)
Advance = Literal["open", "close", "session"]


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
        """Accept an order, committed when this returns, or raise Alpaca's refusal."""
        account, now = self.ledger.account, self.now
        sequence = self.ledger.orders_accepted + 1
        client_order_id = request.client_order_id or str(uuid5(UUID(account.id), f"client {sequence}"))
        if self.store.order(client_order_id=client_order_id) is not None:
            raise DuplicateClientOrderIdError
        admission = admit(self.ledger, request, now)
        # lists are paged by time: no two orders have the same one
        at = max(now, self._last_submitted + TICK)
        order = Order(
            id=str(uuid5(UUID(account.id), f"order {client_order_id}")),
            client_order_id=client_order_id,
            sequence=sequence,
            symbol=request.symbol,
            side=request.side,
            type=request.type,
            time_in_force=request.time_in_force,
            qty=request.qty,
            notional=request.notional,
            limit_price=request.limit_price,
            extended_hours=request.extended_hours,
            position_intent=admission.position_intent,
            reserved=admission.reserved,
            status="new" if self.market.sessions.is_open(now) else "accepted",
            submitted_at=at,
            updated_at=at,
            expires_at=self._expiry(request, now),
        )
        with self.ledger.transaction():
            self.ledger.put_order(order)
        self._last_submitted = at
        return order

    def _expiry(self, request: OrderRequest, now: datetime) -> datetime:
        sessions = self.market.sessions
        day = sessions.trading_day(now)
        if request.time_in_force == "gtc":
            day = sessions.at_or_before(day + GTC_LIFE)
        return sessions.close_of(day)

    def order(self, order_id: str) -> Order:
        """Return an order by the broker's id."""
        order = self.store.order(order_id=order_id)
        if order is None:
            raise NotFoundError(f"order not found for {order_id}")
        return order

    def cancel(self, order_id: str) -> Order:
        """Cancel an open order."""
        order = self.order(order_id)
        if not order.is_open:
            raise UnprocessableError(f'order is already in "{order.status}" state')
        with self.ledger.transaction():
            fields = {"status": "canceled", "canceled_at": self.now, "updated_at": self.now}
            return self.ledger.put_order(order.model_copy(update=fields))

    def position(self, symbol: str) -> Position:
        """Return an open position."""
        position = self.ledger.positions.get(symbol)
        if position is None:
            raise NotFoundError("position does not exist")
        return position

    def available(self, position: Position) -> Decimal:
        """Return the shares, negative when short, that no open order claims."""
        side = "sell" if position.qty > 0 else "buy"
        orders = self.ledger.orders_in(position.symbol)
        claimed = held_for_orders(orders, self.ledger.price(position.symbol, self.now), side)
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
