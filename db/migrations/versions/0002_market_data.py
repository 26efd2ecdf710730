"""market data: exact prices as integers, revisions, decisions, symbol lives.

Revision 0002, after 0001.
"""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SCHEMA = "data_ingestion"
PRICES = ("open", "high", "low", "close")
TIMEFRAMES = "'1Min', '5Min', '15Min', '30Min', '1Hour', '1Day'"
NAMES = "symbol, timeframe, ts, open, high, low, close, volume, source, quality, ingestion_run_id"


def upgrade() -> None:
    """Go forward."""
    _replace_bars("bigint", "RANGE (timeframe, ts)", _partitions_by_timeframe, "round({} * 1000000)::bigint")
    _create_revisions()
    _create_decisions()
    _create_lives()
    op.create_table(
        "universe_exclusions",
        sa.Column("session", sa.Date(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("timeframe", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("session", "symbol", "timeframe", name=op.f("pk_universe_exclusions")),
        schema=SCHEMA,
    )
    op.execute(f"UPDATE {SCHEMA}.archives SET sha256 = ''")  # counted in another way; files are still checked by count
    op.add_column("corporate_actions", sa.Column("new_symbol", sa.Text(), nullable=True), schema=SCHEMA)
    op.alter_column("corporate_actions", "ratio", type_=sa.Numeric(24, 12), schema=SCHEMA)
    _check_actions("kind IN ('split', 'dividend', 'spin_off', 'rename')")
    op.create_check_constraint(
        op.f("ck_corporate_actions_ratio_given"),
        "corporate_actions",
        "kind NOT IN ('split', 'spin_off') OR ratio > 0",
        schema=SCHEMA,
    )
    op.create_check_constraint(
        op.f("ck_corporate_actions_new_symbol_given"),
        "corporate_actions",
        "kind <> 'rename' OR new_symbol IS NOT NULL",
        schema=SCHEMA,
    )


def downgrade() -> None:
    """Go back; bars, splits and dividends stay, what the older tables have no place for goes."""
    op.drop_constraint(op.f("ck_corporate_actions_new_symbol_given"), "corporate_actions", schema=SCHEMA)
    op.drop_constraint(op.f("ck_corporate_actions_ratio_given"), "corporate_actions", schema=SCHEMA)
    op.execute(f"DELETE FROM {SCHEMA}.corporate_actions WHERE kind NOT IN ('split', 'dividend')")
    _check_actions("kind IN ('split', 'dividend')")
    op.alter_column("corporate_actions", "ratio", type_=sa.Numeric(18, 6), schema=SCHEMA)
    op.drop_column("corporate_actions", "new_symbol", schema=SCHEMA)
    for table in ("universe_exclusions", "symbol_lives", "quality_decisions", "bar_revisions"):
        op.drop_table(table, schema=SCHEMA)
    _replace_bars("numeric(18, 6)", "RANGE (ts)", _partitions_by_year, "({} / 1000000.0)::numeric(18, 6)")
    op.create_foreign_key(
        op.f("fk_bars_ingestion_run_id_ingestion_runs"),
        "bars",
        "ingestion_runs",
        ["ingestion_run_id"],
        ["id"],
        source_schema=SCHEMA,
        referent_schema=SCHEMA,
    )
    op.create_index("ix_bars_timeframe_ts", "bars", ["timeframe", "ts"], unique=False, schema=SCHEMA)


def _replace_bars(kind: str, partitioning: str, partitions, converted: str) -> None:
    op.execute(f"ALTER TABLE {SCHEMA}.bars RENAME TO bars_before")
    op.execute(f"ALTER TABLE {SCHEMA}.bars_before RENAME CONSTRAINT pk_bars TO pk_bars_before")
    op.execute(
        f"""
        CREATE TABLE {SCHEMA}.bars (
            symbol text NOT NULL, timeframe text NOT NULL, ts timestamptz NOT NULL,
            open {kind}, high {kind}, low {kind}, close {kind}, volume bigint,
            source text NOT NULL, quality text DEFAULT 'unchecked' NOT NULL, ingestion_run_id bigint NOT NULL,
            CONSTRAINT ck_bars_quality CHECK (quality IN ('unchecked', 'good', 'suspect', 'quarantined')),
            CONSTRAINT ck_bars_timeframe CHECK (timeframe IN ({TIMEFRAMES})),
            CONSTRAINT pk_bars PRIMARY KEY (symbol, timeframe, ts)
        ) PARTITION BY {partitioning}
        """
    )
    partitions()
    columns = ", ".join(converted.format(name) if name in PRICES else name for name in NAMES.split(", "))
    op.execute(f"INSERT INTO {SCHEMA}.bars ({NAMES}) SELECT {columns} FROM {SCHEMA}.bars_before")
    op.execute(f"DROP TABLE {SCHEMA}.bars_before")


def _partitions_by_timeframe() -> None:
    for timeframe, start in _periods("CASE timeframe WHEN '1Day' THEN 'year' ELSE 'month' END"):
        month = "" if timeframe == "1Day" else f"_{start.month:02d}"
        later = (start.year + 1, 1) if timeframe == "1Day" or start.month == 12 else (start.year, start.month + 1)
        op.execute(
            f"CREATE TABLE {SCHEMA}.bars_{timeframe.lower()}_{start.year:04d}{month} PARTITION OF {SCHEMA}.bars "
            f"FOR VALUES FROM ('{timeframe}', '{start:%Y-%m-%d} 00:00+00') "
            f"TO ('{timeframe}', '{later[0]:04d}-{later[1]:02d}-01 00:00+00')"
        )


def _partitions_by_year() -> None:
    for year in sorted({start.year for _, start in _periods("'year'")}):
        op.execute(
            f"CREATE TABLE {SCHEMA}.bars_{year:04d} PARTITION OF {SCHEMA}.bars "
            f"FOR VALUES FROM ('{year:04d}-01-01 00:00+00') TO ('{year + 1:04d}-01-01 00:00+00')"
        )


def _periods(unit: str) -> list[tuple[str, datetime]]:
    statement = sa.text(
        f"SELECT DISTINCT timeframe, date_trunc({unit}, ts, 'UTC') AT TIME ZONE 'UTC' "
        f"FROM {SCHEMA}.bars_before ORDER BY 1, 2"
    )
    return [(timeframe, start) for timeframe, start in op.get_bind().execute(statement)]


def _check_actions(condition: str) -> None:
    op.drop_constraint(op.f("ck_corporate_actions_kind"), "corporate_actions", schema=SCHEMA)
    op.create_check_constraint(op.f("ck_corporate_actions_kind"), "corporate_actions", condition, schema=SCHEMA)


def _change() -> list[sa.Column]:
    figures = [
        sa.Column(f"{age}_{name}", sa.BigInteger(), nullable=True)
        for age in ("old", "new")
        for name in (*PRICES, "volume")
    ]
    return [
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("timeframe", sa.Text(), nullable=False),
        sa.Column("ts", sa.DateTime(timezone=True), nullable=False),
        *figures,
    ]


def _create_revisions() -> None:
    op.create_table(
        "bar_revisions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        *_change(),
        sa.Column("old_source", sa.Text(), nullable=False),
        sa.Column("old_quality", sa.Text(), nullable=False),
        sa.Column("new_source", sa.Text(), nullable=False),
        sa.Column("old_ingestion_run_id", sa.BigInteger(), nullable=False),
        sa.Column("ingestion_run_id", sa.BigInteger(), nullable=True),
        sa.Column("revised_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["ingestion_run_id"],
            ["data_ingestion.ingestion_runs.id"],
            name=op.f("fk_bar_revisions_ingestion_run_id_ingestion_runs"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bar_revisions")),
        schema=SCHEMA,
    )
    op.create_index(
        "ix_bar_revisions_symbol_timeframe_ts", "bar_revisions", ["symbol", "timeframe", "ts"], schema=SCHEMA
    )


def _create_decisions() -> None:
    op.create_table(
        "quality_decisions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        *_change(),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("decision IN ('release', 'correct')", name=op.f("ck_quality_decisions_decision")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quality_decisions")),
        schema=SCHEMA,
    )
    op.create_index(
        "ix_quality_decisions_symbol_timeframe_ts", "quality_decisions", ["symbol", "timeframe", "ts"], schema=SCHEMA
    )


def _create_lives() -> None:
    op.create_table(
        "symbol_lives",
        sa.Column("asset_id", sa.BigInteger(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "reason IN ('listed', 'renamed', 'delisted', 'merged')", name=op.f("ck_symbol_lives_reason")
        ),
        sa.CheckConstraint("last_day >= first_day", name=op.f("ck_symbol_lives_days")),
        sa.CheckConstraint("(last_day IS NULL) = (reason = 'listed')", name=op.f("ck_symbol_lives_ended")),
        sa.PrimaryKeyConstraint("asset_id", "first_day", name=op.f("pk_symbol_lives")),
        sa.UniqueConstraint("symbol", "first_day", name=op.f("uq_symbol_lives_symbol_first_day")),
        schema=SCHEMA,
    )
