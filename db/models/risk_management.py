"""Sized targets, risk decisions, limits, the trading state and portfolio risk."""

from __future__ import annotations

from datetime import date

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Float,
    ForeignKey,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Document, FlowRun, Key, Moment, Money, Price, Quantity, RecordedAt, one_of
from db.models.execution import Account
from db.models.strategy_engine import Signal

SCHEMA = "risk_management"


class SizedTarget(Base):
    """How many shares a signal comes to, with every figure that led there."""

    __tablename__ = "sized_targets"
    __table_args__ = (UniqueConstraint("account", "signal_id"), {"schema": SCHEMA})

    id: Mapped[Key]
    account: Mapped[str] = mapped_column(ForeignKey(Account.account))
    signal_id: Mapped[int] = mapped_column(BigInteger, ForeignKey(Signal.id))
    strategy: Mapped[str]
    symbol: Mapped[str]
    session: Mapped[date]
    method: Mapped[str]
    price: Mapped[Price]
    target_quantity: Mapped[Quantity]
    current_quantity: Mapped[Quantity]
    workings: Mapped[Document]
    flow_run_id: Mapped[FlowRun]
    created_at: Mapped[RecordedAt]


class RiskDecision(Base):
    """What became of a proposed order: approved, reduced or rejected, and by which limits."""

    __tablename__ = "risk_decisions"
    __table_args__ = (
        UniqueConstraint("sized_target_id"),
        one_of("side", "buy", "sell"),
        one_of("verdict", "approved", "reduced", "rejected"),
        CheckConstraint("approved_quantity BETWEEN 0 AND requested_quantity", name="approved_quantity"),
        {"schema": SCHEMA},
    )

    id: Mapped[Key]
    account: Mapped[str] = mapped_column(ForeignKey(Account.account))
    sized_target_id: Mapped[int] = mapped_column(BigInteger, ForeignKey(SizedTarget.id))
    strategy: Mapped[str]
    symbol: Mapped[str]
    session: Mapped[date]
    side: Mapped[str]
    requested_quantity: Mapped[Quantity]
    approved_quantity: Mapped[Quantity]
    verdict: Mapped[str]
    checks: Mapped[list[dict[str, object]]] = mapped_column(JSONB)
    flow_run_id: Mapped[FlowRun]
    created_at: Mapped[RecordedAt]


class RiskLimit(Base):
    """A limit that a person has set; limits without a row stand at their default."""

    __tablename__ = "risk_limits"
    __table_args__ = ({"schema": SCHEMA},)

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    value: Mapped[float] = mapped_column(Float)
    updated_by: Mapped[str]
    updated_at: Mapped[RecordedAt]


class TradingState(Base):
    """Whether an account may trade: ACTIVE, REDUCING (exits only) or HALTED (nothing)."""

    __tablename__ = "trading_states"
    __table_args__ = (one_of("state", "ACTIVE", "REDUCING", "HALTED"), {"schema": SCHEMA})

    account: Mapped[str] = mapped_column(ForeignKey(Account.account), primary_key=True)
    state: Mapped[str]
    reason: Mapped[str]
    changed_by: Mapped[str]
    changed_at: Mapped[Moment]


class TradingStateChange(Base):
    """The history of an account's trading state."""

    __tablename__ = "trading_state_changes"
    __table_args__ = (UniqueConstraint("account", "changed_at", "new"), {"schema": SCHEMA})

    id: Mapped[Key]
    account: Mapped[str] = mapped_column(ForeignKey(Account.account))
    old: Mapped[str]
    new: Mapped[str]
    reason: Mapped[str]
    changed_by: Mapped[str]
    changed_at: Mapped[Moment]
    flow_run_id: Mapped[FlowRun]


class RiskSnapshot(Base):
    """The portfolio's risk at one moment of the broker's clock."""

    __tablename__ = "risk_snapshots"
    __table_args__ = (PrimaryKeyConstraint("account", "at"), {"schema": SCHEMA})

    account: Mapped[str] = mapped_column(ForeignKey(Account.account))
    at: Mapped[Moment]
    session: Mapped[date]
    equity: Mapped[Money]
    gross_exposure: Mapped[float] = mapped_column(Float)
    net_exposure: Mapped[float] = mapped_column(Float)
    largest_weight: Mapped[float] = mapped_column(Float)
    beta: Mapped[float | None] = mapped_column(Float)
    var_95: Mapped[float | None] = mapped_column(Float)
    cvar_95: Mapped[float | None] = mapped_column(Float)
    drawdown: Mapped[float] = mapped_column(Float)
    daily_return: Mapped[float | None] = mapped_column(Float)
    state: Mapped[str]
    flow_run_id: Mapped[FlowRun]


class LimitBreach(Base):
    """A limit found broken by the portfolio, once per session; `alerted` when a message was made of it."""

    __tablename__ = "limit_breaches"
    __table_args__ = (UniqueConstraint("account", "session", "limit_name"), {"schema": SCHEMA})

    id: Mapped[Key]
    account: Mapped[str] = mapped_column(ForeignKey(Account.account))
    session: Mapped[date]
    at: Mapped[Moment]
    limit_name: Mapped[str]
    value: Mapped[float] = mapped_column(Float)
    threshold: Mapped[float] = mapped_column(Float)
    sentence: Mapped[str]
    alerted: Mapped[bool] = mapped_column(Boolean, server_default="false")
    flow_run_id: Mapped[FlowRun]
