"""Market data as delivered: assets, raw bars, corporate actions, and what is wrong with them."""

from __future__ import annotations

from datetime import date

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, FlowRun, Key, Moment, Price, RecordedAt, one_of, positive

SCHEMA = "data_ingestion"
TIMEFRAMES = ("1Min", "5Min", "15Min", "30Min", "1Hour", "1Day")


class Asset(Base):
    """A symbol the broker knows; `tracked` ones make the default universe."""

    __tablename__ = "assets"
    __table_args__ = (one_of("status", "active", "inactive"), {"schema": SCHEMA})

    symbol: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str]
    exchange: Mapped[str]
    status: Mapped[str]
    tradable: Mapped[bool]
    shortable: Mapped[bool]
    fractionable: Mapped[bool]
    tracked: Mapped[bool] = mapped_column(default=False)
    sector: Mapped[str | None]
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    updated_at: Mapped[RecordedAt]


class IngestionRun(Base):
    """One fetch or import: what was asked for and what arrived."""

    __tablename__ = "ingestion_runs"
    __table_args__ = (
        one_of("source", "broker", "csv", "parquet"),
        one_of("status", "running", "completed", "failed"),
        {"schema": SCHEMA},
    )

    id: Mapped[Key]
    flow_run_id: Mapped[FlowRun]
    source: Mapped[str]
    timeframe: Mapped[str]
    symbols: Mapped[list[str]] = mapped_column(ARRAY(Text))
    range_start: Mapped[Moment | None]
    range_end: Mapped[Moment | None]
    bars_received: Mapped[int] = mapped_column(default=0)
    bars_written: Mapped[int] = mapped_column(default=0)
    actions_written: Mapped[int] = mapped_column(default=0)
    status: Mapped[str]
    started_at: Mapped[RecordedAt]
    finished_at: Mapped[Moment | None]


class FetchedRange(Base):
    """A range of bars (starts, both included) that the broker answered in full: what is absent does not exist."""

    __tablename__ = "fetched_ranges"
    __table_args__ = (
        UniqueConstraint("timeframe", "feed", "symbols", "range_start", "range_end"),
        one_of("timeframe", *TIMEFRAMES),
        CheckConstraint("range_start <= range_end", name="range"),
        {"schema": SCHEMA},
    )

    id: Mapped[Key]
    timeframe: Mapped[str]
    feed: Mapped[str]
    symbols: Mapped[list[str]] = mapped_column(ARRAY(Text))
    range_start: Mapped[Moment]
    range_end: Mapped[Moment]
    ingestion_run_id: Mapped[int] = mapped_column(BigInteger, ForeignKey(IngestionRun.id))


class Bar(Base):
    """One raw bar; `ts` is its start, for daily bars midnight New York (Alpaca's convention)."""

    __tablename__ = "bars"
    __table_args__ = (
        PrimaryKeyConstraint("symbol", "timeframe", "ts"),
        one_of("timeframe", *TIMEFRAMES),
        one_of("quality", "unchecked", "good", "suspect", "quarantined"),
        Index("ix_bars_timeframe_ts", "timeframe", "ts"),
        {"schema": SCHEMA, "postgresql_partition_by": "RANGE (ts)"},
    )

    symbol: Mapped[str] = mapped_column(Text)
    timeframe: Mapped[str] = mapped_column(Text)
    ts: Mapped[Moment]
    open: Mapped[Price | None]
    high: Mapped[Price | None]
    low: Mapped[Price | None]
    close: Mapped[Price | None]
    volume: Mapped[int | None] = mapped_column(BigInteger)
    source: Mapped[str]
    quality: Mapped[str] = mapped_column(default="unchecked", server_default="unchecked")
    ingestion_run_id: Mapped[int] = mapped_column(BigInteger, ForeignKey(IngestionRun.id))


class CorporateAction(Base):
    """A split (`ratio` new shares per old) or a cash dividend (`cash` USD per share)."""

    __tablename__ = "corporate_actions"
    __table_args__ = (
        UniqueConstraint("symbol", "kind", "ex_date"),
        one_of("kind", "split", "dividend"),
        {"schema": SCHEMA},
    )

    id: Mapped[Key]
    symbol: Mapped[str]
    kind: Mapped[str]
    ex_date: Mapped[date]
    ratio: Mapped[Price | None]
    cash: Mapped[Price | None]
    source: Mapped[str]
    ingestion_run_id: Mapped[int] = mapped_column(BigInteger, ForeignKey(IngestionRun.id))


class QualityIssue(Base):
    """One rule's complaint about one bar (or one missing bar)."""

    __tablename__ = "quality_issues"
    __table_args__ = (
        UniqueConstraint("symbol", "timeframe", "ts", "rule"),
        one_of("severity", "info", "warning", "error"),
        one_of("verdict", "suspect", "quarantined"),
        {"schema": SCHEMA},
    )

    id: Mapped[Key]
    symbol: Mapped[str]
    timeframe: Mapped[str]
    ts: Mapped[Moment]
    rule: Mapped[str]
    severity: Mapped[str]
    verdict: Mapped[str]
    detail: Mapped[str]
    flow_run_id: Mapped[FlowRun]
    found_at: Mapped[RecordedAt]


class Archive(Base):
    """A Parquet file that holds bars moved out of the table, verified before they were dropped."""

    __tablename__ = "archives"
    __table_args__ = (
        UniqueConstraint("timeframe", "range_start", "range_end"),
        one_of("status", "written", "archived", "restored"),
        positive("bars"),
        {"schema": SCHEMA},
    )

    id: Mapped[Key]
    timeframe: Mapped[str]
    range_start: Mapped[Moment]
    range_end: Mapped[Moment]
    path: Mapped[str]
    bars: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str]
    status: Mapped[str]
    flow_run_id: Mapped[FlowRun]
    created_at: Mapped[RecordedAt]
