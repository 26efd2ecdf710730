"""Strategies and their versions, indicator values, signals, backtests."""

from __future__ import annotations

from datetime import date

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Float,
    ForeignKey,
    Index,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB
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
    RecordedAt,
    one_of,
    positive,
)

SCHEMA = "strategy_engine"


class StrategyVersion(Base):
    """A strategy's definition, named by the hash of its content; never changed, never deleted."""

    __tablename__ = "strategy_versions"
    __table_args__ = ({"schema": SCHEMA},)

    version: Mapped[str] = mapped_column(Text, primary_key=True)
    strategy: Mapped[str]
    definition: Mapped[Document]
    created_at: Mapped[RecordedAt]


class Strategy(Base):
    """A strategy's name, which version of it is current, and whether it trades."""

    __tablename__ = "strategies"
    __table_args__ = (one_of("status", "active", "paused", "retired"), {"schema": SCHEMA})

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    current_version: Mapped[str] = mapped_column(ForeignKey(StrategyVersion.version))
    status: Mapped[str]
    updated_by: Mapped[str]
    updated_at: Mapped[RecordedAt]


class StrategyCheck(Base):
    """What `trading check` found about a version, and who asked; over its own universe, or over `symbols`."""

    __tablename__ = "strategy_checks"
    __table_args__ = (
        one_of("verdict", "pass", "warn", "fail"),
        Index("ix_strategy_checks_strategy_version", "strategy_version"),
        {"schema": SCHEMA},
    )

    id: Mapped[Key]
    strategy: Mapped[str]
    strategy_version: Mapped[str] = mapped_column(ForeignKey(StrategyVersion.version))
    symbols: Mapped[list[str] | None] = mapped_column(JSONB(none_as_null=True))
    range_start: Mapped[date]
    range_end: Mapped[date]
    bars_sha256: Mapped[str]
    verdict: Mapped[str]
    checks: Mapped[Document]
    actor: Mapped[str]
    flow_run_id: Mapped[FlowRun]
    checked_at: Mapped[RecordedAt]


class IndicatorValue(Base):
    """An indicator's value at the latest bar of a symbol."""

    __tablename__ = "indicator_values"
    __table_args__ = (PrimaryKeyConstraint("symbol", "timeframe", "indicator"), {"schema": SCHEMA})

    symbol: Mapped[str] = mapped_column(Text)
    timeframe: Mapped[str] = mapped_column(Text)
    indicator: Mapped[str] = mapped_column(Text)
    bar_ts: Mapped[Moment]
    value: Mapped[float | None] = mapped_column(Float)
    flow_run_id: Mapped[FlowRun]


class StrategyRun(Base):
    """One evaluation of one strategy version on one bar."""

    __tablename__ = "strategy_runs"
    __table_args__ = (UniqueConstraint("strategy_version", "bar_ts"), {"schema": SCHEMA})

    id: Mapped[Key]
    strategy_version: Mapped[str] = mapped_column(ForeignKey(StrategyVersion.version))
    timeframe: Mapped[str]
    bar_ts: Mapped[Moment]
    bars_sha256: Mapped[str]
    undecided: Mapped[Document]
    flow_run_id: Mapped[FlowRun]
    created_at: Mapped[RecordedAt]


class Signal(Base):
    """What a strategy wants to hold of one symbol after one bar, and why.

    `bars_sha256` is of exactly the symbol's bars it was decided on; the run's is of every symbol's.
    """

    __tablename__ = "signals"
    __table_args__ = (
        UniqueConstraint("strategy_version", "symbol", "timeframe", "bar_ts"),
        one_of("direction", "long", "short", "flat"),
        CheckConstraint("target_weight BETWEEN -1 AND 1", name="target_weight"),
        {"schema": SCHEMA},
    )

    id: Mapped[Key]
    strategy_run_id: Mapped[int] = mapped_column(BigInteger, ForeignKey(StrategyRun.id))
    strategy_version: Mapped[str] = mapped_column(ForeignKey(StrategyVersion.version))
    strategy: Mapped[str]
    symbol: Mapped[str]
    timeframe: Mapped[str]
    bar_ts: Mapped[Moment]
    target_weight: Mapped[float] = mapped_column(Float)
    direction: Mapped[str]
    strength: Mapped[float] = mapped_column(Float)
    reason: Mapped[str]
    values: Mapped[Document]
    bars_sha256: Mapped[str | None]
    flow_run_id: Mapped[FlowRun]
    created_at: Mapped[RecordedAt]


class Backtest(Base):
    """A backtest; the same strategy version, data and costs make the same `key`."""

    __tablename__ = "backtests"
    __table_args__ = (UniqueConstraint("key"), positive("capital"), {"schema": SCHEMA})

    id: Mapped[Key]
    key: Mapped[str]
    strategy: Mapped[str]
    strategy_version: Mapped[str] = mapped_column(ForeignKey(StrategyVersion.version))
    range_start: Mapped[date]
    range_end: Mapped[date]
    capital: Mapped[Money]
    costs: Mapped[Document]
    bars_sha256: Mapped[str]
    metrics: Mapped[Document]
    assumptions: Mapped[Document]
    flow_run_id: Mapped[FlowRun]
    created_at: Mapped[RecordedAt]


class BacktestTrade(Base):
    """A round trip of a backtest."""

    __tablename__ = "backtest_trades"
    __table_args__ = (PrimaryKeyConstraint("backtest_id", "ordinal"), {"schema": SCHEMA})

    backtest_id: Mapped[int] = mapped_column(BigInteger, ForeignKey(Backtest.id, ondelete="CASCADE"))
    ordinal: Mapped[int]
    symbol: Mapped[str]
    quantity: Mapped[Quantity]
    entry_at: Mapped[Moment]
    entry_price: Mapped[Price]
    exit_at: Mapped[Moment | None]
    exit_price: Mapped[Price | None]
    pnl: Mapped[Money]
    rate_of_return: Mapped[float] = mapped_column(Float)


class BacktestEquity(Base):
    """A backtest's equity at one session's close."""

    __tablename__ = "backtest_equity"
    __table_args__ = (PrimaryKeyConstraint("backtest_id", "session"), {"schema": SCHEMA})

    backtest_id: Mapped[int] = mapped_column(BigInteger, ForeignKey(Backtest.id, ondelete="CASCADE"))
    session: Mapped[date]
    equity: Mapped[Money]
