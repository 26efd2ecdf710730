"""Spin-offs and renames in the books: what they brought, and the share of the cost that went along."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLE = "book_entries"
BEFORE = "'split', 'dividend', 'cash_in_lieu', 'adjustment', 'cash'"
ADDED = "'spin_off', 'rename', 'received'"


def upgrade() -> None:
    op.add_column(TABLE, sa.Column("share", sa.Numeric(24, 12), nullable=True), schema="execution")
    op.add_column(TABLE, sa.Column("new_symbol", sa.Text(), nullable=True), schema="execution")
    _kinds(f"{BEFORE}, {ADDED}")
    op.create_check_constraint(
        op.f("ck_book_entries_new_symbol_given"),
        TABLE,
        "kind NOT IN ('spin_off', 'rename') OR (new_symbol IS NOT NULL AND (kind = 'rename' OR ratio > 0))",
        schema="execution",
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_book_entries_new_symbol_given"), TABLE, type_="check", schema="execution")
    op.execute(f"DELETE FROM execution.book_entries WHERE kind IN ({ADDED})")
    _kinds(BEFORE)
    for column in ("new_symbol", "share"):
        op.drop_column(TABLE, column, schema="execution")


def _kinds(kinds: str) -> None:
    op.drop_constraint(op.f("ck_book_entries_kind"), TABLE, type_="check", schema="execution")
    op.create_check_constraint(op.f("ck_book_entries_kind"), TABLE, f"kind IN ({kinds})", schema="execution")
