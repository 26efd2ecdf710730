"""The account in memory, written through to the state file."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

from simulator.books import ZERO, Account, Activity, EquityPoint, Order, Position, after_trade
from simulator.configuration import Configuration
from simulator.faults.register import Faults
from simulator.frictions import Frictions
from simulator.margin import Valuation
from simulator.store import instant

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from datetime import date, datetime
    from decimal import Decimal

    from simulator.books import Side
    from simulator.market import Market
    from simulator.store import Store


CONFIGURATION = "account configuration"


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to an order, in the words of Alpaca's trade updates; a fill comes with its activity."""

    event: str
    order: Order
    at: datetime
    fill: Activity | None = None
    position_qty: Decimal | None = None


class Ledger:
    """Account, positions and open orders; every change happens inside `transaction`.

    `listeners` are told of the changes of orders, each once, after the commit that holds them.
    """

    def __init__(self, store: Store, market: Market) -> None:
        self.store, self.market = store, market
        self.frictions, self.faults = Frictions(), Faults()
        self.listeners: list[Callable[[Change], None]] = []
        self._changes: list[Change] = []
        self.account: Account
        self.positions: dict[str, Position] = {}
        self.open_orders: dict[str, Order] = {}
        self.reload()

    def reload(self) -> None:
        """Forget memory and read the file."""
        account = self.store.account()
        if account is not None:
            self.account = account
        settings = self.store.fact(CONFIGURATION)
        self.configuration = Configuration() if settings is None else Configuration.model_validate_json(settings)
        self.positions = {position.symbol: position for position in self.store.positions()}
        self.open_orders = {}
        self._of_symbol: dict[tuple[str, Side], dict[str, Order]] = {}
        self._reserved = ZERO
        self.orders_accepted = self.store.last_sequence()
        for order in self.store.orders("is_open"):
            self._keep(order)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make the changes inside one commit; after an error memory is what the file says."""
        try:
            with self.store.transaction():
                yield
        except BaseException:
            self._changes.clear()
            self.reload()
            raise
        changes, self._changes = self._changes, []
        for change in changes:
            for listener in self.listeners:
                listener(change)

    def configure(self, configuration: Configuration) -> None:
        """Change the account's settings."""
        self.configuration = configuration
        self.store.set_fact(CONFIGURATION, configuration.model_dump_json())

    def announce(self, event: str, order: Order, at: datetime, fill: Activity | None = None) -> None:
        """Tell the listeners after the commit."""
        held = self.positions.get(order.symbol)
        position_qty = None if fill is None else held.qty if held else ZERO
        self._changes.append(Change(event, order, at, fill, position_qty))

    def change_account(self, **fields: Any) -> None:
        """Replace fields of the account."""
        self.account = self.account.model_copy(update=fields)
        self.store.save_account(self.account)

    def put_order(self, order: Order) -> Order:
        """Write an order and keep it at hand while it is open."""
        self.store.save_order(order)
        self.orders_accepted = max(self.orders_accepted, order.sequence)
        before = self.open_orders.get(order.id)
        if before is not None:
            self._reserved -= before.reserved
        if order.is_open:
            self._keep(order)
        elif before is not None:
            del self.open_orders[order.id]
            del self._of_symbol[order.symbol, order.side][order.id]
        return order

    def _keep(self, order: Order) -> None:
        self.open_orders[order.id] = order
        self._of_symbol.setdefault((order.symbol, order.side), {})[order.id] = order
        self._reserved += order.reserved

    def put_position(self, symbol: str, position: Position | None) -> None:
        """Write a position; None is flat."""
        self.store.save_position(symbol, position)
        if position is None:
            self.positions.pop(symbol, None)
        else:
            self.positions[symbol] = position

    def orders_in(self, symbol: str) -> list[Order]:
        """Return the open orders of a symbol, oldest first."""
        both = [*self.orders_on(symbol, "buy"), *self.orders_on(symbol, "sell")]
        return sorted(both, key=lambda order: order.sequence)

    def orders_on(self, symbol: str, side: Side) -> Collection[Order]:
        """Return the open orders of a symbol on one side, oldest first."""
        return self._of_symbol.get((symbol, side), {}).values()

    def group(self, group_id: str) -> list[Order]:
        """Return the open orders of a bracket, oco or oto."""
        return [order for order in self.open_orders.values() if order.group_id == group_id]

    def traded(self, symbol: str, day: date) -> Decimal:
        """Return the shares of a symbol that the account traded since a session's open."""
        since = instant(self.market.sessions.open_of(day))
        fills = self.store.activities("type = 'FILL' AND at >= ?", (since,), tail="")
        return sum((fill.qty for fill in fills if fill.symbol == symbol), start=ZERO)

    def fill(self, order: Order, *, qty: Decimal, price: Decimal, leaves: Decimal, at: datetime) -> Order:
        """Book one fill: order, position, cash and activity; `leaves` is what of the order remains to fill."""
        signed = qty * order.sign
        position = after_trade(self.positions.get(order.symbol), symbol=order.symbol, qty=signed, price=price)
        self.put_position(order.symbol, position)
        amount = -signed * price
        self.change_account(cash=self.account.cash + amount)
        filled = self.put_order(order.model_copy(update=_filled(order, qty, price, leaves, at)))
        fields = {"order_id": order.id, "side": order.side, "price": price, "net_amount": amount}
        fields |= {"cum_qty": filled.filled_qty, "leaves_qty": leaves}
        activity = self.record("FILL", at=at, symbol=order.symbol, qty=qty, **fields)
        self.announce("partial_fill" if leaves else "fill", filled, at, activity)
        return filled

    def record(self, kind: str, *, at: datetime, symbol: str, qty: Decimal, **fields: Any) -> Activity:
        """Append an activity; its id is the same whenever the same account does the same things."""
        sequence = self.account.activities_written + 1
        self.change_account(activities_written=sequence)
        unique = uuid5(UUID(self.account.id), f"activity {sequence}")
        identity = f"{at:%Y%m%d%H%M%S}{at.microsecond // 1000:03d}::{unique}"
        known = {"id": identity, "sequence": sequence, "type": kind, "at": at, "symbol": symbol, "qty": qty}
        activity = Activity.model_validate({**known, **fields})
        self.store.add_activity(activity)
        return activity

    def record_equity(self, day: date, at: datetime) -> None:
        """Write the account's value at a session's close."""
        worth = self.valuation(at)
        point = EquityPoint(day=day, equity=worth.equity, maintenance_margin=worth.maintenance_margin)
        self.store.save_equity(point)

    def price(self, symbol: str, now: datetime) -> Decimal:
        """Return the latest price of a symbol that is held."""
        mark = self.market.mark(symbol, now)
        position = self.positions[symbol]
        return mark.price if mark is not None else position.average

    def valuation(self, now: datetime) -> Valuation:
        """Return the account marked at the latest prices."""
        values = [position.qty * self.price(position.symbol, now) for position in self.positions.values()]
        return Valuation(
            cash=self.account.cash,
            long_value=sum((value for value in values if value > 0), start=ZERO),
            short_value=sum((value for value in values if value < 0), start=ZERO),
            reserved=self._reserved,
            multiplier=self.configuration.multiplier,
        )


def _filled(order: Order, qty: Decimal, price: Decimal, leaves: Decimal, at: datetime) -> dict[str, Any]:
    """Return the fields of an order that a fill changes; a cancelled order stays so until a late fill completes it."""
    total = order.filled_qty + qty
    partly = order.status if order.status in {"pending_cancel", "canceled", "expired"} else "partially_filled"
    return {
        "status": partly if leaves else "filled",
        "filled_qty": total,
        "filled_avg_price": price if not order.filled_qty else (order.filled_value + qty * price) / total,
        "filled_at": order.filled_at if leaves else at,
        "reserved": order.reserved * leaves / (leaves + qty),
        "updated_at": at,
    }
