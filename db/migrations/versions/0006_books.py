"""Lots, what corporate actions and adjustments did to the books, and the bars that a signal saw."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

MONEY, QUANTITY = sa.Numeric(20, 6), sa.Numeric(20, 9)


def upgrade() -> None:
    op.create_table(
        "lots",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("strategy", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fill_id", sa.BigInteger(), nullable=True),
        sa.Column("quantity", QUANTITY, nullable=False),
        sa.Column("cost", MONEY, nullable=False),
        sa.CheckConstraint("quantity <> 0", name=op.f("ck_lots_quantity_not_zero")),
        sa.ForeignKeyConstraint(["fill_id"], ["execution.fills.id"], name=op.f("fk_lots_fill_id_fills")),
        sa.ForeignKeyConstraint(["account"], ["execution.accounts.account"], name=op.f("fk_lots_account_accounts")),
        sa.PrimaryKeyConstraint("account", "strategy", "symbol", "ordinal", name=op.f("pk_lots")),
        schema="execution",
    )
    op.create_table(
        "book_entries",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("strategy", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ratio", sa.Numeric(24, 12), nullable=True),
        sa.Column("rate", sa.Numeric(18, 6), nullable=True),
        sa.Column("shares", QUANTITY, nullable=True),
        sa.Column("price", sa.Numeric(18, 6), nullable=True),
        sa.Column("quantity", QUANTITY, nullable=False),
        sa.Column("cash", MONEY, nullable=False),
        sa.Column("explanation", sa.Text(), nullable=False),
        sa.Column("activity_id", sa.Text(), nullable=True),
        sa.Column("flow_run_id", sa.Uuid(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "kind IN ('split', 'dividend', 'cash_in_lieu', 'adjustment', 'cash')", name=op.f("ck_book_entries_kind")
        ),
        sa.CheckConstraint("kind <> 'split' OR ratio > 0", name=op.f("ck_book_entries_ratio_given")),
        sa.CheckConstraint("kind <> 'dividend' OR rate > 0", name=op.f("ck_book_entries_rate_given")),
        sa.CheckConstraint(
            "kind NOT IN ('cash_in_lieu', 'adjustment') OR (shares IS NOT NULL AND price IS NOT NULL)",
            name=op.f("ck_book_entries_shares_given"),
        ),
        sa.ForeignKeyConstraint(
            ["account"], ["execution.accounts.account"], name=op.f("fk_book_entries_account_accounts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_book_entries")),
        sa.UniqueConstraint("account", "strategy", "key", name=op.f("uq_book_entries_account_strategy_key")),
        schema="execution",
    )
    for column in ("fifo_realised_pnl", "income"):
        new = sa.Column(column, MONEY, server_default="0", nullable=False)
        op.add_column("positions", new, schema="execution")
    op.add_column("signals", sa.Column("bars_sha256", sa.Text(), nullable=True), schema="strategy_engine")


def downgrade() -> None:
    op.drop_column("signals", "bars_sha256", schema="strategy_engine")
    for column in ("income", "fifo_realised_pnl"):
        op.drop_column("positions", column, schema="execution")
    op.drop_table("book_entries", schema="execution")
    op.drop_table("lots", schema="execution")
