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

from db.models.base import BarPrice, Base, FlowRun, Key, Moment, Price, Ratio, RecordedAt, one_of, positive

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
    """One raw bar; `ts` is its start, for daily bars midnight New York (Alpaca's convention).

    Prices are whole millionths of a dollar: exact, and as wide in every row. A million minute bars through ADBC
    took 1.1 s to read as bigint, and 2.6 s as numeric(18, 6), which arrives as text (benchmarks/market_data.py);
    writing took as long.
    `ingestion_run_id` names a run without a foreign key, whose trigger took as long as the rest of a write together
    (20.9 s with, 9.4 s without); a write checks its run once. The table is partitioned by timeframe and time, so
    that an archived period leaves as one DROP. There is no second index: it took a third of a write (9.3 s with,
    5.8 s without), and every reading names its symbols.
    """

    __tablename__ = "bars"
    __table_args__ = (
        PrimaryKeyConstraint("symbol", "timeframe", "ts"),
        one_of("timeframe", *TIMEFRAMES),
        one_of("quality", "unchecked", "good", "suspect", "quarantined"),
        {"schema": SCHEMA, "postgresql_partition_by": "RANGE (timeframe, ts)"},
    )

    symbol: Mapped[str] = mapped_column(Text)
    timeframe: Mapped[str] = mapped_column(Text)
    ts: Mapped[Moment]
    open: Mapped[BarPrice | None]
    high: Mapped[BarPrice | None]
    low: Mapped[BarPrice | None]
    close: Mapped[BarPrice | None]
    volume: Mapped[int | None] = mapped_column(BigInteger)
    source: Mapped[str]
    quality: Mapped[str] = mapped_column(default="unchecked", server_default="unchecked")
    ingestion_run_id: Mapped[int] = mapped_column(BigInteger)


class _Change:
    """A bar's figures before a change and after it."""

    symbol: Mapped[str]
    timeframe: Mapped[str]
    ts: Mapped[Moment]
    old_open: Mapped[BarPrice | None]
    old_high: Mapped[BarPrice | None]
    old_low: Mapped[BarPrice | None]
    old_close: Mapped[BarPrice | None]
    old_volume: Mapped[int | None] = mapped_column(BigInteger)
    new_open: Mapped[BarPrice | None]
    new_high: Mapped[BarPrice | None]
    new_low: Mapped[BarPrice | None]
    new_close: Mapped[BarPrice | None]
    new_volume: Mapped[int | None] = mapped_column(BigInteger)


class BarRevision(_Change, Base):
    """A stored bar that was delivered again with other figures, or corrected by a person (without a run)."""

    __tablename__ = "bar_revisions"
    __table_args__ = (Index("ix_bar_revisions_symbol_timeframe_ts", "symbol", "timeframe", "ts"), {"schema": SCHEMA})

    id: Mapped[Key]
    old_source: Mapped[str]
    old_quality: Mapped[str]
    new_source: Mapped[str]
    old_ingestion_run_id: Mapped[int] = mapped_column(BigInteger)
    ingestion_run_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey(IngestionRun.id))
    revised_at: Mapped[RecordedAt]


class QualityDecision(_Change, Base):
    """What a person decided about a bar; it stands for as long as the bar has the `new_` figures.

    A release leaves the figures alone (old and new are the same), a correction writes new ones.
    """

    __tablename__ = "quality_decisions"
    __table_args__ = (
        one_of("decision", "release", "correct"),
        Index("ix_quality_decisions_symbol_timeframe_ts", "symbol", "timeframe", "ts"),
        {"schema": SCHEMA},
    )

    id: Mapped[Key]
    decision: Mapped[str]
    who: Mapped[str]
    why: Mapped[str]
    at: Mapped[RecordedAt]


class SymbolLife(Base):
    """The days, both included, on which an asset traded under a symbol; without a last day it still does.

    One asset has a life per name it bore, a ticker used by two companies has a life of each. `reason` is
    what the life ended with, `listed` while it goes on; `name` is the company's, where somebody gave it. A life
    whose beginning nobody knows begins with the calendar (`trading.calendar.FIRST_DAY`).
    """

    __tablename__ = "symbol_lives"
    __table_args__ = (
        PrimaryKeyConstraint("asset_id", "first_day"),
        UniqueConstraint("symbol", "first_day"),
        one_of("reason", "listed", "renamed", "delisted", "merged"),
        CheckConstraint("last_day >= first_day", name="days"),
        CheckConstraint("(last_day IS NULL) = (reason = 'listed')", name="ended"),
        {"schema": SCHEMA},
    )

    asset_id: Mapped[int] = mapped_column(BigInteger)
    symbol: Mapped[str]
    first_day: Mapped[date]
    last_day: Mapped[date | None]
    reason: Mapped[str]
    name: Mapped[str | None]
    recorded_at: Mapped[RecordedAt]


class CorporateAction(Base):
    """What a company did to its shares on an ex-date.

    A split has `ratio` new shares per old (below one for a reverse split), a dividend `cash` USD per share,
    a rename the `new_symbol` that the asset bears from the ex-date on. A spin-off has the `ratio` of the parent's
    value that left with the new company `new_symbol` (0.1 for a tenth), or none while its value is not known, and
    from the broker the `shares` of the new company for each of the parent's.
    """

    __tablename__ = "corporate_actions"
    __table_args__ = (
        UniqueConstraint("symbol", "kind", "ex_date"),
        one_of("kind", "split", "dividend", "spin_off", "rename"),
        CheckConstraint(
            "(kind <> 'split' OR ratio > 0) AND (kind <> 'spin_off' OR coalesce(ratio, shares) > 0)", name="ratio_given"
        ),
        CheckConstraint("kind <> 'rename' OR new_symbol IS NOT NULL", name="new_symbol_given"),
        {"schema": SCHEMA},
    )

    id: Mapped[Key]
    symbol: Mapped[str]
    kind: Mapped[str]
    ex_date: Mapped[date]
    ratio: Mapped[Ratio | None]
    cash: Mapped[Price | None]
    new_symbol: Mapped[str | None]
    shares: Mapped[Ratio | None]
    source: Mapped[str]
    ingestion_run_id: Mapped[int] = mapped_column(BigInteger, ForeignKey(IngestionRun.id))


class UniverseExclusion(Base):
    """A symbol that was not traded on a session because its data was too poor."""

    __tablename__ = "universe_exclusions"
    __table_args__ = (PrimaryKeyConstraint("session", "symbol", "timeframe"), {"schema": SCHEMA})

    session: Mapped[date]
    symbol: Mapped[str]
    timeframe: Mapped[str]
    reason: Mapped[str]
    recorded_at: Mapped[RecordedAt]


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
