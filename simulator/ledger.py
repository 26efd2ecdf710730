"""The account in memory, written through to the state file."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

from simulator.books import ZERO, Account, Activity, EquityPoint, Order, Position, after_trade
from simulator.margin import Valuation

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, datetime
    from decimal import Decimal

    from simulator.market import Market
    from simulator.store import Store


class Ledger:
    """Account, positions and open orders; every change happens inside `transaction`."""

    def __init__(self, store: Store, market: Market) -> None:
        self.store, self.market = store, market
        self.account: Account
        self.positions: dict[str, Position] = {}
        self.open_orders: dict[str, Order] = {}
        self.reload()

    def reload(self) -> None:
        """Forget memory and read the file."""
        account = self.store.account()
        if account is not None:
            self.account = account
        self.positions = {position.symbol: position for position in self.store.positions()}
        self.open_orders = {}
        self._of_symbol: dict[str, dict[str, Order]] = {}
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
            self.reload()
            raise

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
            del self._of_symbol[order.symbol][order.id]
        return order

    def _keep(self, order: Order) -> None:
        self.open_orders[order.id] = order
        self._of_symbol.setdefault(order.symbol, {})[order.id] = order
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
        return list(self._of_symbol.get(symbol, {}).values())

    def fill(self, order: Order, *, qty: Decimal, price: Decimal, at: datetime) -> None:
        """Book one complete fill: order, position, cash and activity."""
        signed = qty * order.sign
        position = after_trade(self.positions.get(order.symbol), symbol=order.symbol, qty=signed, price=price)
        self.put_position(order.symbol, position)
        filled = {
            "status": "filled",
            "filled_qty": qty,
            "filled_avg_price": price,
            "filled_at": at,
            "updated_at": at,
        }
        self.put_order(order.model_copy(update=filled))
        amount = -signed * price
        self.change_account(cash=self.account.cash + amount)
        side = order.side
        fields = {"order_id": order.id, "side": side, "price": price, "net_amount": amount}
        self.record("FILL", at=at, symbol=order.symbol, qty=qty, **fields)

    def record(self, kind: str, *, at: datetime, symbol: str, qty: Decimal, **fields: Any) -> None:
        """Append an activity; its id is the same whenever the same account does the same things."""
        sequence = self.account.activities_written + 1
        self.change_account(activities_written=sequence)
        unique = uuid5(UUID(self.account.id), f"activity {sequence}")
        identity = f"{at:%Y%m%d%H%M%S}{at.microsecond // 1000:03d}::{unique}"
        activity = {
            "id": identity,
            "sequence": sequence,
            "type": kind,
            "at": at,
            "symbol": symbol,
            "qty": qty,
        }
        self.store.add_activity(Activity.model_validate({**activity, **fields}))

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
        )
