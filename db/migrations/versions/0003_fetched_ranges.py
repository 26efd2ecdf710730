"""What was asked of the broker and answered in full, so that absent bars are not asked for again."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "fetched_ranges",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("timeframe", sa.Text(), nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("symbols", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("range_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("range_end", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ingestion_run_id", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("range_start <= range_end", name=op.f("ck_fetched_ranges_range")),
        sa.CheckConstraint(
            "timeframe IN ('1Min', '5Min', '15Min', '30Min', '1Hour', '1Day')",
            name=op.f("ck_fetched_ranges_timeframe"),
        ),
        sa.ForeignKeyConstraint(
            ["ingestion_run_id"],
            ["data_ingestion.ingestion_runs.id"],
            name=op.f("fk_fetched_ranges_ingestion_run_id_ingestion_runs"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fetched_ranges")),
        sa.UniqueConstraint(
            "timeframe",
            "feed",
            "symbols",
            "range_start",
            "range_end",
            name=op.f("uq_fetched_ranges_timeframe_feed_symbols_range_start_range_end"),
        ),
        schema="data_ingestion",
    )


def downgrade() -> None:
    op.drop_table("fetched_ranges", schema="data_ingestion")
