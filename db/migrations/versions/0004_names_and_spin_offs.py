"""The name of the company that bore a ticker; spin-offs whose value is not known yet."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

SCHEMA = "data_ingestion"


def upgrade() -> None:
    op.add_column("symbol_lives", sa.Column("name", sa.Text(), nullable=True), schema=SCHEMA)
    op.add_column("corporate_actions", sa.Column("shares", sa.Numeric(24, 12), nullable=True), schema=SCHEMA)
    _require("(kind <> 'split' OR ratio > 0) AND (kind <> 'spin_off' OR coalesce(ratio, shares) > 0)")


def downgrade() -> None:
    op.execute(f"DELETE FROM {SCHEMA}.corporate_actions WHERE kind = 'spin_off' AND ratio IS NULL")
    _require("kind NOT IN ('split', 'spin_off') OR ratio > 0")
    op.drop_column("corporate_actions", "shares", schema=SCHEMA)
    op.drop_column("symbol_lives", "name", schema=SCHEMA)


def _require(condition: str) -> None:
    check = op.f("ck_corporate_actions_ratio_given")  # not at import: the api reads this file's number alone
    op.drop_constraint(check, "corporate_actions", schema=SCHEMA)
    op.create_check_constraint(check, "corporate_actions", condition, schema=SCHEMA)
