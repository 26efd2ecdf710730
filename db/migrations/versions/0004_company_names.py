"""The name of the company that bore a ticker, which tells two of them apart."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("symbol_lives", sa.Column("name", sa.Text(), nullable=True), schema="data_ingestion")


def downgrade() -> None:
    op.drop_column("symbol_lives", "name", schema="data_ingestion")
