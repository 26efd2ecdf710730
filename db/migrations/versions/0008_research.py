"""Checks of strategies, and research judged on folds."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

KINDS = "kind IN ('sweep', 'walk_forward')"
MORE_KINDS = "kind IN ('sweep', 'walk_forward', 'folds')"


def upgrade() -> None:
    op.create_table(
        "strategy_checks",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("strategy", sa.Text(), nullable=False),
        sa.Column("strategy_version", sa.Text(), nullable=False),
        sa.Column("symbols", postgresql.JSONB(), nullable=True),
        sa.Column("range_start", sa.Date(), nullable=False),
        sa.Column("range_end", sa.Date(), nullable=False),
        sa.Column("bars_sha256", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("checks", postgresql.JSONB(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("flow_run_id", sa.Uuid(), nullable=True),
        sa.Column("checked_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("verdict IN ('pass', 'warn', 'fail')", name=op.f("ck_strategy_checks_verdict")),
        sa.ForeignKeyConstraint(
            ["strategy_version"],
            ["strategy_engine.strategy_versions.version"],
            name=op.f("fk_strategy_checks_strategy_version_strategy_versions"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_strategy_checks")),
        schema="strategy_engine",
    )
    op.create_index(
        "ix_strategy_checks_strategy_version", "strategy_checks", ["strategy_version"], schema="strategy_engine"
    )
    _kinds(MORE_KINDS)


def downgrade() -> None:
    op.execute("DELETE FROM analytics.research_runs WHERE kind NOT IN ('sweep', 'walk_forward')")
    _kinds(KINDS)
    op.drop_table("strategy_checks", schema="strategy_engine")


def _kinds(condition: str) -> None:
    op.drop_constraint(op.f("ck_research_runs_kind"), "research_runs", schema="analytics", type_="check")
    op.create_check_constraint(op.f("ck_research_runs_kind"), "research_runs", condition, schema="analytics")
