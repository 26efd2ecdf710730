"""Results: performance, round trips and their breakdowns, reports, research."""

from __future__ import annotations

from datetime import date

from sqlalchemy import BigInteger, Float, ForeignKey, PrimaryKeyConstraint, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Document, FlowRun, Key, Moment, Money, Price, Quantity, RecordedAt, one_of
from db.models.execution import Account, Fill

SCHEMA = "analytics"


class Performance(Base):
    """The metric set of a scope (`portfolio` or a strategy) over a period."""

    __tablename__ = "performance"
    __table_args__ = (UniqueConstraint("account", "scope", "period_start", "period_end"), {"schema": SCHEMA})

    id: Mapped[Key]
    account: Mapped[str] = mapped_column(ForeignKey(Account.account))
    scope: Mapped[str]
    period_start: Mapped[date]
    period_end: Mapped[date]
    benchmark: Mapped[str | None]
    metrics: Mapped[Document]
    flow_run_id: Mapped[FlowRun]
    computed_at: Mapped[RecordedAt]


class EquityPoint(Base):
    """One session of a scope's equity curve; `drawdown` is the fall from the peak so far, zero or below."""

    __tablename__ = "equity_curve"
    __table_args__ = (PrimaryKeyConstraint("account", "scope", "session"), {"schema": SCHEMA})

    account: Mapped[str] = mapped_column(ForeignKey(Account.account))
    scope: Mapped[str] = mapped_column(Text)
    session: Mapped[date]
    equity: Mapped[Money]
    benchmark: Mapped[Money | None]
    drawdown: Mapped[float] = mapped_column(Float)


class RoundTrip(Base):
    """Shares bought and sold again (FIFO), with how far it went against and for us meanwhile."""

    __tablename__ = "round_trips"
    __table_args__ = (
        UniqueConstraint("entry_fill_id", "exit_fill_id"),
        one_of("side", "long", "short"),
        {"schema": SCHEMA},
    )

    id: Mapped[Key]
    account: Mapped[str] = mapped_column(ForeignKey(Account.account))
    strategy: Mapped[str]
    symbol: Mapped[str]
    side: Mapped[str]
    quantity: Mapped[Quantity]
    entry_fill_id: Mapped[int] = mapped_column(BigInteger, ForeignKey(Fill.id))
    exit_fill_id: Mapped[int] = mapped_column(BigInteger, ForeignKey(Fill.id))
    entry_at: Mapped[Moment]
    exit_at: Mapped[Moment]
    entry_price: Mapped[Price]
    exit_price: Mapped[Price]
    pnl: Mapped[Money]
    rate_of_return: Mapped[float] = mapped_column(Float)
    mae: Mapped[float | None] = mapped_column(Float)
    mfe: Mapped[float | None] = mapped_column(Float)
    exit_reason: Mapped[str]
    flow_run_id: Mapped[FlowRun]


class TradeBreakdown(Base):
    """Round trips summed over one value of one dimension (symbol, weekday, hour, exit reason)."""

    __tablename__ = "trade_breakdowns"
    __table_args__ = (PrimaryKeyConstraint("account", "scope", "dimension", "bucket"), {"schema": SCHEMA})

    account: Mapped[str] = mapped_column(ForeignKey(Account.account))
    scope: Mapped[str] = mapped_column(Text)
    dimension: Mapped[str] = mapped_column(Text)
    bucket: Mapped[str] = mapped_column(Text)
    trades: Mapped[int]
    winners: Mapped[int]
    pnl: Mapped[Money]
    average_return: Mapped[float] = mapped_column(Float)


class Report(Base):
    """A report file and what it covers."""

    __tablename__ = "reports"
    __table_args__ = (
        UniqueConstraint("account", "kind", "period_start", "period_end"),
        one_of("kind", "tearsheet", "csv", "parquet"),
        {"schema": SCHEMA},
    )

    id: Mapped[Key]
    account: Mapped[str] = mapped_column(ForeignKey(Account.account))
    kind: Mapped[str]
    period_start: Mapped[date]
    period_end: Mapped[date]
    path: Mapped[str]
    sha256: Mapped[str]
    bytes: Mapped[int] = mapped_column(BigInteger)
    flow_run_id: Mapped[FlowRun]
    created_at: Mapped[RecordedAt]


class ResearchRun(Base):
    """A sweep, walk-forward or cross-validation; the same question on the same data makes the same `key`."""

    __tablename__ = "research_runs"
    __table_args__ = (
        UniqueConstraint("key"),
        one_of("kind", "sweep", "walk_forward", "folds"),
        one_of("status", "running", "completed"),
        {"schema": SCHEMA},
    )

    id: Mapped[Key]
    key: Mapped[str]
    kind: Mapped[str]
    strategy: Mapped[str]
    specification: Mapped[Document]
    status: Mapped[str]
    flow_run_id: Mapped[FlowRun]
    created_at: Mapped[RecordedAt]


class ResearchResult(Base):
    """One try of a research run; every try is kept, so that the deflation is honest."""

    __tablename__ = "research_results"
    __table_args__ = (PrimaryKeyConstraint("research_run_id", "ordinal"), {"schema": SCHEMA})

    research_run_id: Mapped[int] = mapped_column(BigInteger, ForeignKey(ResearchRun.id, ondelete="CASCADE"))
    ordinal: Mapped[int]
    parameters: Mapped[Document]
    window: Mapped[Document]
    metrics: Mapped[Document]
