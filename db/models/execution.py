"""The books: accounts, orders and their events, fills, positions, equity, reconciliation."""

from __future__ import annotations

from datetime import date

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import (
    Base,
    Document,
    FlowRun,
    Key,
    Moment,
    Money,
    Price,
    Quantity,
    Ratio,
    RecordedAt,
    one_of,
    positive,
)

SCHEMA = "execution"
EXTERNAL = "external"
"""The strategy name of orders and positions that somebody else made at the broker."""
MANUAL = "manual"
"""The strategy name of orders that a person placed through this system."""


class Account(Base):
    """A broker account; books of different accounts never mix.

    `first_seen_at` and `last_seen_at` are the broker's time, `used_at` is this machine's.
    """

    __tablename__ = "accounts"
    __table_args__ = (one_of("kind", "simulator", "paper", "live"), {"schema": SCHEMA})

    account: Mapped[str] = mapped_column(Text, primary_key=True)
    kind: Mapped[str]
    opening_equity: Mapped[Money]
    opening_cash: Mapped[Money]
    first_seen_at: Mapped[Moment]
    last_seen_at: Mapped[Moment]
    used_at: Mapped[RecordedAt]


class Order(Base):
    """An order from intent to its final state; committed before it is sent.

    `quantity` of an order by amount is an estimate until it is filled. `parent_id` is the entry of an exit that
    the broker keeps for it; `replaces_id` the order this one took the place of. A decision's first order has
    `sequence` 0. `seen_at` is the broker's time of the newest report of it.
    """

    __tablename__ = "orders"
    __table_args__ = (
        UniqueConstraint("client_order_id"),
        UniqueConstraint("account", "broker_order_id"),
        UniqueConstraint("risk_decision_id", "sequence"),
        one_of("side", "buy", "sell"),
        one_of("order_class", "simple", "bracket", "oco", "oto"),
        CheckConstraint("quantity > 0 OR notional > 0", name="size"),
        CheckConstraint(
            "filled_quantity >= 0 AND (filled_quantity <= quantity OR notional > 0)", name="filled_quantity"
        ),
        Index("ix_orders_account_status", "account", "status"),
        Index("ix_orders_parent_id", "parent_id", postgresql_where="parent_id IS NOT NULL"),
        {"schema": SCHEMA},
    )

    id: Mapped[Key]
    account: Mapped[str] = mapped_column(ForeignKey(Account.account))
    risk_decision_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("risk_management.risk_decisions.id"))
    client_order_id: Mapped[str]
    broker_order_id: Mapped[str | None]
    strategy: Mapped[str]
    strategy_version: Mapped[str | None] = mapped_column(ForeignKey("strategy_engine.strategy_versions.version"))
    symbol: Mapped[str]
    side: Mapped[str]
    type: Mapped[str]
    time_in_force: Mapped[str]
    quantity: Mapped[Quantity]
    notional: Mapped[Money | None]
    limit_price: Mapped[Price | None]
    stop_price: Mapped[Price | None]
    trail_price: Mapped[Price | None]
    trail_percent: Mapped[Price | None]
    extended_hours: Mapped[bool] = mapped_column(server_default="false")
    order_class: Mapped[str] = mapped_column(server_default="simple")
    take_profit_price: Mapped[Price | None]
    stop_loss_price: Mapped[Price | None]
    stop_loss_limit_price: Mapped[Price | None]
    sequence: Mapped[int] = mapped_column(server_default="0")
    parent_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("execution.orders.id"))
    replaces_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("execution.orders.id"))
    placed_by: Mapped[str | None]
    bar_ts: Mapped[Moment | None]
    status: Mapped[str]
    filled_quantity: Mapped[Quantity] = mapped_column(server_default="0")
    filled_average_price: Mapped[Price | None]
    problem: Mapped[str | None]
    seen_at: Mapped[Moment | None]
    intended_at: Mapped[Moment]
    submitted_at: Mapped[Moment | None]
    closed_at: Mapped[Moment | None]
    flow_run_id: Mapped[FlowRun]
    recorded_at: Mapped[RecordedAt]


class OrderEvent(Base):
    """A change of an order's state; `key` makes a repeated report of it harmless."""

    __tablename__ = "order_events"
    __table_args__ = (UniqueConstraint("order_id", "key"), {"schema": SCHEMA})

    id: Mapped[Key]
    order_id: Mapped[int] = mapped_column(BigInteger, ForeignKey(Order.id))
    key: Mapped[str]
    event: Mapped[str]
    status: Mapped[str]
    at: Mapped[Moment]
    detail: Mapped[Document]
    flow_run_id: Mapped[FlowRun]
    recorded_at: Mapped[RecordedAt]


class Fill(Base):
    """An execution, counted once by the broker's execution id; `applied_at` when it entered a position."""

    __tablename__ = "fills"
    __table_args__ = (
        UniqueConstraint("account", "execution_id"),
        one_of("side", "buy", "sell"),
        positive("quantity"),
        positive("price"),
        Index("ix_fills_unapplied", "account", postgresql_where="applied_at IS NULL"),
        {"schema": SCHEMA},
    )

    id: Mapped[Key]
    account: Mapped[str] = mapped_column(ForeignKey(Account.account))
    order_id: Mapped[int] = mapped_column(BigInteger, ForeignKey(Order.id))
    execution_id: Mapped[str]
    strategy: Mapped[str]
    symbol: Mapped[str]
    side: Mapped[str]
    quantity: Mapped[Quantity]
    price: Mapped[Price]
    filled_at: Mapped[Moment]
    applied_at: Mapped[Moment | None]
    flow_run_id: Mapped[FlowRun]
    recorded_at: Mapped[RecordedAt]


class Position(Base):
    """What one strategy holds of one symbol in one account; signed, average cost.

    `realised_pnl` is against the average cost, `fifo_realised_pnl` first in first out; `income` is what dividends
    brought, or cost a short seller. All USD; what is in `lots` adds up to `quantity`.
    """

    __tablename__ = "positions"
    __table_args__ = (PrimaryKeyConstraint("account", "strategy", "symbol"), {"schema": SCHEMA})

    account: Mapped[str] = mapped_column(ForeignKey(Account.account))
    strategy: Mapped[str] = mapped_column(Text)
    symbol: Mapped[str] = mapped_column(Text)
    quantity: Mapped[Quantity]
    average_cost: Mapped[Price]
    realised_pnl: Mapped[Money]
    fifo_realised_pnl: Mapped[Money] = mapped_column(server_default="0")
    income: Mapped[Money] = mapped_column(server_default="0")
    market_price: Mapped[Price | None]
    market_value: Mapped[Money | None]
    unrealised_pnl: Mapped[Money | None]
    marked_at: Mapped[Moment | None]


class Lot(Base):
    """Shares of a position that were opened together: signed quantity left, and what those cost in all (USD)."""

    __tablename__ = "lots"
    __table_args__ = (
        PrimaryKeyConstraint("account", "strategy", "symbol", "ordinal"),
        CheckConstraint("quantity <> 0", name="quantity_not_zero"),
        {"schema": SCHEMA},
    )

    account: Mapped[str] = mapped_column(ForeignKey(Account.account))
    strategy: Mapped[str] = mapped_column(Text)
    symbol: Mapped[str] = mapped_column(Text)
    ordinal: Mapped[int]
    opened_at: Mapped[Moment]
    fill_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey(Fill.id))
    quantity: Mapped[Quantity]
    cost: Mapped[Money]


class BookEntry(Base):
    """What changed the books besides fills, once per `key`: a corporate action's share of a strategy, an adjustment.

    The terms never change: a split's `ratio`, a dividend's `rate`, the `shares` and `price` of cash in lieu and of
    adjustments, a spin-off's `ratio` (shares of `new_symbol` for each), the `new_symbol` of a rename. Only a spin-off's
    `share` of the cost may become known later. What the two brought is in entries `received` of the new symbol, which
    have no terms. `quantity` and `cash` are what they came to. `activity_id` is the broker's line that confirms it;
    a line may confirm the entries of several strategies.
    """

    __tablename__ = "book_entries"
    __table_args__ = (
        UniqueConstraint("account", "strategy", "key"),
        one_of("kind", "split", "dividend", "cash_in_lieu", "adjustment", "cash", "spin_off", "rename", "received"),
        CheckConstraint(
            "kind NOT IN ('spin_off', 'rename') OR (new_symbol IS NOT NULL AND (kind = 'rename' OR ratio > 0))",
            name="new_symbol_given",
        ),
        CheckConstraint("kind <> 'split' OR ratio > 0", name="ratio_given"),
        CheckConstraint("kind <> 'dividend' OR rate > 0", name="rate_given"),
        CheckConstraint(
            "kind NOT IN ('cash_in_lieu', 'adjustment') OR (shares IS NOT NULL AND price IS NOT NULL)",
            name="shares_given",
        ),
        {"schema": SCHEMA},
    )

    id: Mapped[Key]
    account: Mapped[str] = mapped_column(ForeignKey(Account.account))
    key: Mapped[str]
    kind: Mapped[str]
    strategy: Mapped[str]
    symbol: Mapped[str]
    at: Mapped[Moment]
    ratio: Mapped[Ratio | None]
    rate: Mapped[Price | None]
    shares: Mapped[Quantity | None]
    price: Mapped[Price | None]
    share: Mapped[Ratio | None]
    new_symbol: Mapped[str | None]
    quantity: Mapped[Quantity]
    cash: Mapped[Money]
    explanation: Mapped[str]
    activity_id: Mapped[str | None]
    flow_run_id: Mapped[FlowRun]
    recorded_at: Mapped[RecordedAt]


class EquitySnapshot(Base):
    """The account at one session: the broker's own figures, the newest of the session."""

    __tablename__ = "equity_snapshots"
    __table_args__ = (PrimaryKeyConstraint("account", "session"), {"schema": SCHEMA})

    account: Mapped[str] = mapped_column(ForeignKey(Account.account))
    session: Mapped[date]
    at: Mapped[Moment]
    equity: Mapped[Money]
    cash: Mapped[Money]
    buying_power: Mapped[Money]
    long_value: Mapped[Money]
    short_value: Mapped[Money]
    flow_run_id: Mapped[FlowRun]


class ReconciliationRun(Base):
    """One comparison of the books with the broker."""

    __tablename__ = "reconciliation_runs"
    __table_args__ = (
        UniqueConstraint("account", "at"),
        one_of("verdict", "clean", "corrected", "broken"),
        {"schema": SCHEMA},
    )

    id: Mapped[Key]
    account: Mapped[str] = mapped_column(ForeignKey(Account.account))
    session: Mapped[date]
    at: Mapped[Moment]
    verdict: Mapped[str]
    orders_checked: Mapped[int]
    fills_checked: Mapped[int]
    positions_checked: Mapped[int]
    flow_run_id: Mapped[FlowRun]
    recorded_at: Mapped[RecordedAt]


class ReconciliationBreak(Base):
    """A difference between the books and the broker, and what was done about it."""

    __tablename__ = "reconciliation_breaks"
    __table_args__ = (
        UniqueConstraint("account", "kind", "subject", "session"),
        one_of("kind", "order", "fill", "position", "cash"),
        one_of("status", "open", "adopted", "corrected", "resolved"),
        {"schema": SCHEMA},
    )

    id: Mapped[Key]
    account: Mapped[str] = mapped_column(ForeignKey(Account.account))
    reconciliation_run_id: Mapped[int] = mapped_column(BigInteger, ForeignKey(ReconciliationRun.id))
    session: Mapped[date]
    kind: Mapped[str]
    subject: Mapped[str]
    ours: Mapped[str]
    brokers: Mapped[str]
    status: Mapped[str]
    explanation: Mapped[str]
    recorded_at: Mapped[RecordedAt]
