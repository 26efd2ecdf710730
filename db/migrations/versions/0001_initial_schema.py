"""initial schema.

Revision 0001, after .
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SCHEMAS = (
    "data_ingestion",
    "strategy_engine",
    "execution",
    "risk_management",
    "analytics",
    "notification",
    "logging",
)


def upgrade() -> None:
    """Go forward."""
    for schema in SCHEMAS:
        op.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    op.create_table(
        "research_runs",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("strategy", sa.Text(), nullable=False),
        sa.Column("specification", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("flow_run_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("kind IN ('sweep', 'walk_forward')", name=op.f("ck_research_runs_kind")),
        sa.CheckConstraint("status IN ('running', 'completed')", name=op.f("ck_research_runs_status")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_research_runs")),
        sa.UniqueConstraint("key", name=op.f("uq_research_runs_key")),
        schema="analytics",
    )
    op.create_table(
        "archives",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("timeframe", sa.Text(), nullable=False),
        sa.Column("range_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("range_end", sa.DateTime(timezone=True), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("bars", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("flow_run_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("status IN ('written', 'archived', 'restored')", name=op.f("ck_archives_status")),
        sa.CheckConstraint("bars > 0", name=op.f("ck_archives_bars_positive")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_archives")),
        sa.UniqueConstraint(
            "timeframe", "range_start", "range_end", name=op.f("uq_archives_timeframe_range_start_range_end")
        ),
        schema="data_ingestion",
    )
    op.create_table(
        "assets",
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("exchange", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("tradable", sa.Boolean(), nullable=False),
        sa.Column("shortable", sa.Boolean(), nullable=False),
        sa.Column("fractionable", sa.Boolean(), nullable=False),
        sa.Column("tracked", sa.Boolean(), nullable=False),
        sa.Column("sector", sa.Text(), nullable=True),
        sa.Column("tags", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("status IN ('active', 'inactive')", name=op.f("ck_assets_status")),
        sa.PrimaryKeyConstraint("symbol", name=op.f("pk_assets")),
        schema="data_ingestion",
    )
    op.create_table(
        "ingestion_runs",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("flow_run_id", sa.Uuid(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("timeframe", sa.Text(), nullable=False),
        sa.Column("symbols", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("range_start", sa.DateTime(timezone=True), nullable=True),
        sa.Column("range_end", sa.DateTime(timezone=True), nullable=True),
        sa.Column("bars_received", sa.Integer(), nullable=False),
        sa.Column("bars_written", sa.Integer(), nullable=False),
        sa.Column("actions_written", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("source IN ('broker', 'csv', 'parquet')", name=op.f("ck_ingestion_runs_source")),
        sa.CheckConstraint(
            "status IN ('running', 'completed', 'failed')", name=op.f("ck_ingestion_runs_status")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ingestion_runs")),
        schema="data_ingestion",
    )
    op.create_table(
        "quality_issues",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("timeframe", sa.Text(), nullable=False),
        sa.Column("ts", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("flow_run_id", sa.Uuid(), nullable=True),
        sa.Column("found_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "severity IN ('info', 'warning', 'error')", name=op.f("ck_quality_issues_severity")
        ),
        sa.CheckConstraint("verdict IN ('suspect', 'quarantined')", name=op.f("ck_quality_issues_verdict")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quality_issues")),
        sa.UniqueConstraint(
            "symbol", "timeframe", "ts", "rule", name=op.f("uq_quality_issues_symbol_timeframe_ts_rule")
        ),
        schema="data_ingestion",
    )
    op.create_table(
        "accounts",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("opening_equity", sa.Numeric(precision=20, scale=6), nullable=False),
        sa.Column("opening_cash", sa.Numeric(precision=20, scale=6), nullable=False),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("kind IN ('simulator', 'paper', 'live')", name=op.f("ck_accounts_kind")),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_accounts")),
        schema="execution",
    )
    op.create_table(
        "audit_events",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_events")),
        schema="logging",
    )
    op.create_index("ix_audit_events_at", "audit_events", ["at"], unique=False, schema="logging")
    op.create_table(
        "log_entries",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("logger", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("flow_run_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "level IN ('DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL')", name=op.f("ck_log_entries_level")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_log_entries")),
        sa.UniqueConstraint("key", name=op.f("uq_log_entries_key")),
        schema="logging",
    )
    op.create_index("ix_log_entries_at", "log_entries", ["at"], unique=False, schema="logging")
    op.create_index(
        "ix_log_entries_service_at", "log_entries", ["service", "at"], unique=False, schema="logging"
    )
    op.create_table(
        "log_patterns",
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("pattern", sa.Text(), nullable=False),
        sa.Column("occurrences", sa.BigInteger(), nullable=False),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_log_patterns")),
        schema="logging",
    )
    op.create_table(
        "component_health",
        sa.Column("component", sa.Text(), nullable=False),
        sa.Column("healthy", sa.Boolean(), nullable=False),
        sa.Column("latency_ms", sa.Float(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("flow_run_id", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("component", name=op.f("pk_component_health")),
        schema="notification",
    )
    op.create_table(
        "messages",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("flow_run_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("kind IN ('trade', 'risk', 'health', 'summary')", name=op.f("ck_messages_kind")),
        sa.CheckConstraint("severity IN ('info', 'warning', 'critical')", name=op.f("ck_messages_severity")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
        sa.UniqueConstraint("key", name=op.f("uq_messages_key")),
        schema="notification",
    )
    op.create_table(
        "risk_limits",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.Column("updated_by", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_risk_limits")),
        schema="risk_management",
    )
    op.create_table(
        "indicator_values",
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("timeframe", sa.Text(), nullable=False),
        sa.Column("indicator", sa.Text(), nullable=False),
        sa.Column("bar_ts", sa.DateTime(timezone=True), nullable=False),
        sa.Column("value", sa.Float(), nullable=True),
        sa.Column("flow_run_id", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("symbol", "timeframe", "indicator", name=op.f("pk_indicator_values")),
        schema="strategy_engine",
    )
    op.create_table(
        "strategy_versions",
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("strategy", sa.Text(), nullable=False),
        sa.Column("definition", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_strategy_versions")),
        schema="strategy_engine",
    )
    op.create_table(
        "equity_curve",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("session", sa.Date(), nullable=False),
        sa.Column("equity", sa.Numeric(precision=20, scale=6), nullable=False),
        sa.Column("benchmark", sa.Numeric(precision=20, scale=6), nullable=True),
        sa.Column("drawdown", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account"], ["execution.accounts.account"], name=op.f("fk_equity_curve_account_accounts")
        ),
        sa.PrimaryKeyConstraint("account", "scope", "session", name=op.f("pk_equity_curve")),
        schema="analytics",
    )
    op.create_table(
        "performance",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("period_start", sa.Date(), nullable=False),
        sa.Column("period_end", sa.Date(), nullable=False),
        sa.Column("benchmark", sa.Text(), nullable=True),
        sa.Column("metrics", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("flow_run_id", sa.Uuid(), nullable=True),
        sa.Column("computed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["account"], ["execution.accounts.account"], name=op.f("fk_performance_account_accounts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_performance")),
        sa.UniqueConstraint(
            "account",
            "scope",
            "period_start",
            "period_end",
            name=op.f("uq_performance_account_scope_period_start_period_end"),
        ),
        schema="analytics",
    )
    op.create_table(
        "reports",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("period_start", sa.Date(), nullable=False),
        sa.Column("period_end", sa.Date(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("flow_run_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("kind IN ('tearsheet', 'csv', 'parquet')", name=op.f("ck_reports_kind")),
        sa.ForeignKeyConstraint(
            ["account"], ["execution.accounts.account"], name=op.f("fk_reports_account_accounts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reports")),
        sa.UniqueConstraint(
            "account",
            "kind",
            "period_start",
            "period_end",
            name=op.f("uq_reports_account_kind_period_start_period_end"),
        ),
        schema="analytics",
    )
    op.create_table(
        "research_results",
        sa.Column("research_run_id", sa.BigInteger(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("parameters", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("window", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("metrics", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["research_run_id"],
            ["analytics.research_runs.id"],
            name=op.f("fk_research_results_research_run_id_research_runs"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("research_run_id", "ordinal", name=op.f("pk_research_results")),
        schema="analytics",
    )
    op.create_table(
        "trade_breakdowns",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("dimension", sa.Text(), nullable=False),
        sa.Column("bucket", sa.Text(), nullable=False),
        sa.Column("trades", sa.Integer(), nullable=False),
        sa.Column("winners", sa.Integer(), nullable=False),
        sa.Column("pnl", sa.Numeric(precision=20, scale=6), nullable=False),
        sa.Column("average_return", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account"], ["execution.accounts.account"], name=op.f("fk_trade_breakdowns_account_accounts")
        ),
        sa.PrimaryKeyConstraint("account", "scope", "dimension", "bucket", name=op.f("pk_trade_breakdowns")),
        schema="analytics",
    )
    op.create_table(
        "bars",
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("timeframe", sa.Text(), nullable=False),
        sa.Column("ts", sa.DateTime(timezone=True), nullable=False),
        sa.Column("open", sa.Numeric(precision=18, scale=6), nullable=True),
        sa.Column("high", sa.Numeric(precision=18, scale=6), nullable=True),
        sa.Column("low", sa.Numeric(precision=18, scale=6), nullable=True),
        sa.Column("close", sa.Numeric(precision=18, scale=6), nullable=True),
        sa.Column("volume", sa.BigInteger(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("quality", sa.Text(), server_default="unchecked", nullable=False),
        sa.Column("ingestion_run_id", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "quality IN ('unchecked', 'good', 'suspect', 'quarantined')", name=op.f("ck_bars_quality")
        ),
        sa.CheckConstraint(
            "timeframe IN ('1Min', '5Min', '15Min', '30Min', '1Hour', '1Day')", name=op.f("ck_bars_timeframe")
        ),
        sa.ForeignKeyConstraint(
            ["ingestion_run_id"],
            ["data_ingestion.ingestion_runs.id"],
            name=op.f("fk_bars_ingestion_run_id_ingestion_runs"),
        ),
        sa.PrimaryKeyConstraint("symbol", "timeframe", "ts", name=op.f("pk_bars")),
        schema="data_ingestion",
        postgresql_partition_by="RANGE (ts)",
    )
    op.create_index(
        "ix_bars_timeframe_ts", "bars", ["timeframe", "ts"], unique=False, schema="data_ingestion"
    )
    op.create_table(
        "corporate_actions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("ex_date", sa.Date(), nullable=False),
        sa.Column("ratio", sa.Numeric(precision=18, scale=6), nullable=True),
        sa.Column("cash", sa.Numeric(precision=18, scale=6), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("ingestion_run_id", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("kind IN ('split', 'dividend')", name=op.f("ck_corporate_actions_kind")),
        sa.ForeignKeyConstraint(
            ["ingestion_run_id"],
            ["data_ingestion.ingestion_runs.id"],
            name=op.f("fk_corporate_actions_ingestion_run_id_ingestion_runs"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_corporate_actions")),
        sa.UniqueConstraint(
            "symbol", "kind", "ex_date", name=op.f("uq_corporate_actions_symbol_kind_ex_date")
        ),
        schema="data_ingestion",
    )
    op.create_table(
        "equity_snapshots",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("session", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("equity", sa.Numeric(precision=20, scale=6), nullable=False),
        sa.Column("cash", sa.Numeric(precision=20, scale=6), nullable=False),
        sa.Column("buying_power", sa.Numeric(precision=20, scale=6), nullable=False),
        sa.Column("long_value", sa.Numeric(precision=20, scale=6), nullable=False),
        sa.Column("short_value", sa.Numeric(precision=20, scale=6), nullable=False),
        sa.Column("flow_run_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account"], ["execution.accounts.account"], name=op.f("fk_equity_snapshots_account_accounts")
        ),
        sa.PrimaryKeyConstraint("account", "session", name=op.f("pk_equity_snapshots")),
        schema="execution",
    )
    op.create_table(
        "positions",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("strategy", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=20, scale=9), nullable=False),
        sa.Column("average_cost", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("realised_pnl", sa.Numeric(precision=20, scale=6), nullable=False),
        sa.Column("market_price", sa.Numeric(precision=18, scale=6), nullable=True),
        sa.Column("market_value", sa.Numeric(precision=20, scale=6), nullable=True),
        sa.Column("unrealised_pnl", sa.Numeric(precision=20, scale=6), nullable=True),
        sa.Column("marked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account"], ["execution.accounts.account"], name=op.f("fk_positions_account_accounts")
        ),
        sa.PrimaryKeyConstraint("account", "strategy", "symbol", name=op.f("pk_positions")),
        schema="execution",
    )
    op.create_table(
        "reconciliation_runs",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("session", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("orders_checked", sa.Integer(), nullable=False),
        sa.Column("fills_checked", sa.Integer(), nullable=False),
        sa.Column("positions_checked", sa.Integer(), nullable=False),
        sa.Column("flow_run_id", sa.Uuid(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "verdict IN ('clean', 'corrected', 'broken')", name=op.f("ck_reconciliation_runs_verdict")
        ),
        sa.ForeignKeyConstraint(
            ["account"], ["execution.accounts.account"], name=op.f("fk_reconciliation_runs_account_accounts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reconciliation_runs")),
        sa.UniqueConstraint("account", "at", name=op.f("uq_reconciliation_runs_account_at")),
        schema="execution",
    )
    op.create_table(
        "deliveries",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("status IN ('pending', 'delivered', 'failed')", name=op.f("ck_deliveries_status")),
        sa.ForeignKeyConstraint(
            ["message_id"], ["notification.messages.id"], name=op.f("fk_deliveries_message_id_messages")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("message_id", "channel", name=op.f("uq_deliveries_message_id_channel")),
        schema="notification",
    )
    op.create_table(
        "limit_breaches",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("session", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("limit_name", sa.Text(), nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.Column("threshold", sa.Float(), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("alerted", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("flow_run_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account"], ["execution.accounts.account"], name=op.f("fk_limit_breaches_account_accounts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_limit_breaches")),
        sa.UniqueConstraint(
            "account", "session", "limit_name", name=op.f("uq_limit_breaches_account_session_limit_name")
        ),
        schema="risk_management",
    )
    op.create_table(
        "risk_snapshots",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("session", sa.Date(), nullable=False),
        sa.Column("equity", sa.Numeric(precision=20, scale=6), nullable=False),
        sa.Column("gross_exposure", sa.Float(), nullable=False),
        sa.Column("net_exposure", sa.Float(), nullable=False),
        sa.Column("largest_weight", sa.Float(), nullable=False),
        sa.Column("beta", sa.Float(), nullable=True),
        sa.Column("var_95", sa.Float(), nullable=True),
        sa.Column("cvar_95", sa.Float(), nullable=True),
        sa.Column("drawdown", sa.Float(), nullable=False),
        sa.Column("daily_return", sa.Float(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("flow_run_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account"], ["execution.accounts.account"], name=op.f("fk_risk_snapshots_account_accounts")
        ),
        sa.PrimaryKeyConstraint("account", "at", name=op.f("pk_risk_snapshots")),
        schema="risk_management",
    )
    op.create_table(
        "trading_state_changes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("old", sa.Text(), nullable=False),
        sa.Column("new", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("flow_run_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account"],
            ["execution.accounts.account"],
            name=op.f("fk_trading_state_changes_account_accounts"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trading_state_changes")),
        sa.UniqueConstraint(
            "account", "changed_at", "new", name=op.f("uq_trading_state_changes_account_changed_at_new")
        ),
        schema="risk_management",
    )
    op.create_table(
        "trading_states",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('ACTIVE', 'REDUCING', 'HALTED')", name=op.f("ck_trading_states_state")),
        sa.ForeignKeyConstraint(
            ["account"], ["execution.accounts.account"], name=op.f("fk_trading_states_account_accounts")
        ),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_trading_states")),
        schema="risk_management",
    )
    op.create_table(
        "backtests",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("strategy", sa.Text(), nullable=False),
        sa.Column("strategy_version", sa.Text(), nullable=False),
        sa.Column("range_start", sa.Date(), nullable=False),
        sa.Column("range_end", sa.Date(), nullable=False),
        sa.Column("capital", sa.Numeric(precision=20, scale=6), nullable=False),
        sa.Column("costs", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("bars_sha256", sa.Text(), nullable=False),
        sa.Column("metrics", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("assumptions", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("flow_run_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("capital > 0", name=op.f("ck_backtests_capital_positive")),
        sa.ForeignKeyConstraint(
            ["strategy_version"],
            ["strategy_engine.strategy_versions.version"],
            name=op.f("fk_backtests_strategy_version_strategy_versions"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_backtests")),
        sa.UniqueConstraint("key", name=op.f("uq_backtests_key")),
        schema="strategy_engine",
    )
    op.create_table(
        "strategies",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("current_version", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("updated_by", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("status IN ('active', 'paused', 'retired')", name=op.f("ck_strategies_status")),
        sa.ForeignKeyConstraint(
            ["current_version"],
            ["strategy_engine.strategy_versions.version"],
            name=op.f("fk_strategies_current_version_strategy_versions"),
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_strategies")),
        schema="strategy_engine",
    )
    op.create_table(
        "strategy_runs",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("strategy_version", sa.Text(), nullable=False),
        sa.Column("timeframe", sa.Text(), nullable=False),
        sa.Column("bar_ts", sa.DateTime(timezone=True), nullable=False),
        sa.Column("bars_sha256", sa.Text(), nullable=False),
        sa.Column("undecided", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("flow_run_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["strategy_version"],
            ["strategy_engine.strategy_versions.version"],
            name=op.f("fk_strategy_runs_strategy_version_strategy_versions"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_strategy_runs")),
        sa.UniqueConstraint(
            "strategy_version", "bar_ts", name=op.f("uq_strategy_runs_strategy_version_bar_ts")
        ),
        schema="strategy_engine",
    )
    op.create_table(
        "reconciliation_breaks",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("reconciliation_run_id", sa.BigInteger(), nullable=False),
        sa.Column("session", sa.Date(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("ours", sa.Text(), nullable=False),
        sa.Column("brokers", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("explanation", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "kind IN ('order', 'fill', 'position', 'cash')", name=op.f("ck_reconciliation_breaks_kind")
        ),
        sa.CheckConstraint(
            "status IN ('open', 'adopted', 'corrected', 'resolved')",
            name=op.f("ck_reconciliation_breaks_status"),
        ),
        sa.ForeignKeyConstraint(
            ["account"],
            ["execution.accounts.account"],
            name=op.f("fk_reconciliation_breaks_account_accounts"),
        ),
        sa.ForeignKeyConstraint(
            ["reconciliation_run_id"],
            ["execution.reconciliation_runs.id"],
            name=op.f("fk_reconciliation_breaks_reconciliation_run_id_reconciliation_runs"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reconciliation_breaks")),
        sa.UniqueConstraint(
            "account",
            "kind",
            "subject",
            "session",
            name=op.f("uq_reconciliation_breaks_account_kind_subject_session"),
        ),
        schema="execution",
    )
    op.create_table(
        "backtest_equity",
        sa.Column("backtest_id", sa.BigInteger(), nullable=False),
        sa.Column("session", sa.Date(), nullable=False),
        sa.Column("equity", sa.Numeric(precision=20, scale=6), nullable=False),
        sa.ForeignKeyConstraint(
            ["backtest_id"],
            ["strategy_engine.backtests.id"],
            name=op.f("fk_backtest_equity_backtest_id_backtests"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("backtest_id", "session", name=op.f("pk_backtest_equity")),
        schema="strategy_engine",
    )
    op.create_table(
        "backtest_trades",
        sa.Column("backtest_id", sa.BigInteger(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=20, scale=9), nullable=False),
        sa.Column("entry_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entry_price", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("exit_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("exit_price", sa.Numeric(precision=18, scale=6), nullable=True),
        sa.Column("pnl", sa.Numeric(precision=20, scale=6), nullable=False),
        sa.Column("rate_of_return", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["backtest_id"],
            ["strategy_engine.backtests.id"],
            name=op.f("fk_backtest_trades_backtest_id_backtests"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("backtest_id", "ordinal", name=op.f("pk_backtest_trades")),
        schema="strategy_engine",
    )
    op.create_table(
        "signals",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("strategy_run_id", sa.BigInteger(), nullable=False),
        sa.Column("strategy_version", sa.Text(), nullable=False),
        sa.Column("strategy", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("timeframe", sa.Text(), nullable=False),
        sa.Column("bar_ts", sa.DateTime(timezone=True), nullable=False),
        sa.Column("target_weight", sa.Float(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("strength", sa.Float(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("values", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("flow_run_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("direction IN ('long', 'short', 'flat')", name=op.f("ck_signals_direction")),
        sa.CheckConstraint("target_weight BETWEEN -1 AND 1", name=op.f("ck_signals_target_weight")),
        sa.ForeignKeyConstraint(
            ["strategy_run_id"],
            ["strategy_engine.strategy_runs.id"],
            name=op.f("fk_signals_strategy_run_id_strategy_runs"),
        ),
        sa.ForeignKeyConstraint(
            ["strategy_version"],
            ["strategy_engine.strategy_versions.version"],
            name=op.f("fk_signals_strategy_version_strategy_versions"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signals")),
        sa.UniqueConstraint(
            "strategy_version",
            "symbol",
            "timeframe",
            "bar_ts",
            name=op.f("uq_signals_strategy_version_symbol_timeframe_bar_ts"),
        ),
        schema="strategy_engine",
    )
    op.create_table(
        "sized_targets",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("signal_id", sa.BigInteger(), nullable=False),
        sa.Column("strategy", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("session", sa.Date(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("price", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("target_quantity", sa.Numeric(precision=20, scale=9), nullable=False),
        sa.Column("current_quantity", sa.Numeric(precision=20, scale=9), nullable=False),
        sa.Column("workings", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("flow_run_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["account"], ["execution.accounts.account"], name=op.f("fk_sized_targets_account_accounts")
        ),
        sa.ForeignKeyConstraint(
            ["signal_id"], ["strategy_engine.signals.id"], name=op.f("fk_sized_targets_signal_id_signals")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sized_targets")),
        sa.UniqueConstraint("account", "signal_id", name=op.f("uq_sized_targets_account_signal_id")),
        schema="risk_management",
    )
    op.create_table(
        "risk_decisions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("sized_target_id", sa.BigInteger(), nullable=False),
        sa.Column("strategy", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("session", sa.Date(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("requested_quantity", sa.Numeric(precision=20, scale=9), nullable=False),
        sa.Column("approved_quantity", sa.Numeric(precision=20, scale=9), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("checks", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("flow_run_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("side IN ('buy', 'sell')", name=op.f("ck_risk_decisions_side")),
        sa.CheckConstraint(
            "verdict IN ('approved', 'reduced', 'rejected')", name=op.f("ck_risk_decisions_verdict")
        ),
        sa.CheckConstraint(
            "approved_quantity BETWEEN 0 AND requested_quantity",
            name=op.f("ck_risk_decisions_approved_quantity"),
        ),
        sa.ForeignKeyConstraint(
            ["account"], ["execution.accounts.account"], name=op.f("fk_risk_decisions_account_accounts")
        ),
        sa.ForeignKeyConstraint(
            ["sized_target_id"],
            ["risk_management.sized_targets.id"],
            name=op.f("fk_risk_decisions_sized_target_id_sized_targets"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_risk_decisions")),
        sa.UniqueConstraint("sized_target_id", name=op.f("uq_risk_decisions_sized_target_id")),
        schema="risk_management",
    )
    op.create_table(
        "orders",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("risk_decision_id", sa.BigInteger(), nullable=True),
        sa.Column("client_order_id", sa.Text(), nullable=False),
        sa.Column("broker_order_id", sa.Text(), nullable=True),
        sa.Column("strategy", sa.Text(), nullable=False),
        sa.Column("strategy_version", sa.Text(), nullable=True),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("time_in_force", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=20, scale=9), nullable=False),
        sa.Column("limit_price", sa.Numeric(precision=18, scale=6), nullable=True),
        sa.Column("bar_ts", sa.DateTime(timezone=True), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("filled_quantity", sa.Numeric(precision=20, scale=9), server_default="0", nullable=False),
        sa.Column("filled_average_price", sa.Numeric(precision=18, scale=6), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("intended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("flow_run_id", sa.Uuid(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("side IN ('buy', 'sell')", name=op.f("ck_orders_side")),
        sa.CheckConstraint("filled_quantity BETWEEN 0 AND quantity", name=op.f("ck_orders_filled_quantity")),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_orders_quantity_positive")),
        sa.ForeignKeyConstraint(
            ["account"], ["execution.accounts.account"], name=op.f("fk_orders_account_accounts")
        ),
        sa.ForeignKeyConstraint(
            ["risk_decision_id"],
            ["risk_management.risk_decisions.id"],
            name=op.f("fk_orders_risk_decision_id_risk_decisions"),
        ),
        sa.ForeignKeyConstraint(
            ["strategy_version"],
            ["strategy_engine.strategy_versions.version"],
            name=op.f("fk_orders_strategy_version_strategy_versions"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
        sa.UniqueConstraint("account", "broker_order_id", name=op.f("uq_orders_account_broker_order_id")),
        sa.UniqueConstraint("client_order_id", name=op.f("uq_orders_client_order_id")),
        sa.UniqueConstraint("risk_decision_id", name=op.f("uq_orders_risk_decision_id")),
        schema="execution",
    )
    op.create_index(
        "ix_orders_account_status", "orders", ["account", "status"], unique=False, schema="execution"
    )
    op.create_table(
        "fills",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("execution_id", sa.Text(), nullable=False),
        sa.Column("strategy", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=20, scale=9), nullable=False),
        sa.Column("price", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("filled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("flow_run_id", sa.Uuid(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("side IN ('buy', 'sell')", name=op.f("ck_fills_side")),
        sa.CheckConstraint("price > 0", name=op.f("ck_fills_price_positive")),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_fills_quantity_positive")),
        sa.ForeignKeyConstraint(
            ["account"], ["execution.accounts.account"], name=op.f("fk_fills_account_accounts")
        ),
        sa.ForeignKeyConstraint(["order_id"], ["execution.orders.id"], name=op.f("fk_fills_order_id_orders")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fills")),
        sa.UniqueConstraint("account", "execution_id", name=op.f("uq_fills_account_execution_id")),
        schema="execution",
    )
    op.create_index(
        "ix_fills_unapplied",
        "fills",
        ["account"],
        unique=False,
        schema="execution",
        postgresql_where="applied_at IS NULL",
    )
    op.create_table(
        "order_events",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("flow_run_id", sa.Uuid(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"], ["execution.orders.id"], name=op.f("fk_order_events_order_id_orders")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_events")),
        sa.UniqueConstraint("order_id", "key", name=op.f("uq_order_events_order_id_key")),
        schema="execution",
    )
    op.create_table(
        "round_trips",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("strategy", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=20, scale=9), nullable=False),
        sa.Column("entry_fill_id", sa.BigInteger(), nullable=False),
        sa.Column("exit_fill_id", sa.BigInteger(), nullable=False),
        sa.Column("entry_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("exit_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entry_price", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("exit_price", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("pnl", sa.Numeric(precision=20, scale=6), nullable=False),
        sa.Column("rate_of_return", sa.Float(), nullable=False),
        sa.Column("mae", sa.Float(), nullable=True),
        sa.Column("mfe", sa.Float(), nullable=True),
        sa.Column("exit_reason", sa.Text(), nullable=False),
        sa.Column("flow_run_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("side IN ('long', 'short')", name=op.f("ck_round_trips_side")),
        sa.ForeignKeyConstraint(
            ["account"], ["execution.accounts.account"], name=op.f("fk_round_trips_account_accounts")
        ),
        sa.ForeignKeyConstraint(
            ["entry_fill_id"], ["execution.fills.id"], name=op.f("fk_round_trips_entry_fill_id_fills")
        ),
        sa.ForeignKeyConstraint(
            ["exit_fill_id"], ["execution.fills.id"], name=op.f("fk_round_trips_exit_fill_id_fills")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_round_trips")),
        sa.UniqueConstraint(
            "entry_fill_id", "exit_fill_id", name=op.f("uq_round_trips_entry_fill_id_exit_fill_id")
        ),
        schema="analytics",
    )


def downgrade() -> None:
    """Go back."""
    op.drop_table("round_trips", schema="analytics")
    op.drop_table("order_events", schema="execution")
    op.drop_index(
        "ix_fills_unapplied", table_name="fills", schema="execution", postgresql_where="applied_at IS NULL"
    )
    op.drop_table("fills", schema="execution")
    op.drop_index("ix_orders_account_status", table_name="orders", schema="execution")
    op.drop_table("orders", schema="execution")
    op.drop_table("risk_decisions", schema="risk_management")
    op.drop_table("sized_targets", schema="risk_management")
    op.drop_table("signals", schema="strategy_engine")
    op.drop_table("backtest_trades", schema="strategy_engine")
    op.drop_table("backtest_equity", schema="strategy_engine")
    op.drop_table("reconciliation_breaks", schema="execution")
    op.drop_table("strategy_runs", schema="strategy_engine")
    op.drop_table("strategies", schema="strategy_engine")
    op.drop_table("backtests", schema="strategy_engine")
    op.drop_table("trading_states", schema="risk_management")
    op.drop_table("trading_state_changes", schema="risk_management")
    op.drop_table("risk_snapshots", schema="risk_management")
    op.drop_table("limit_breaches", schema="risk_management")
    op.drop_table("deliveries", schema="notification")
    op.drop_table("reconciliation_runs", schema="execution")
    op.drop_table("positions", schema="execution")
    op.drop_table("equity_snapshots", schema="execution")
    op.drop_table("corporate_actions", schema="data_ingestion")
    op.drop_index("ix_bars_timeframe_ts", table_name="bars", schema="data_ingestion")
    op.drop_table("bars", schema="data_ingestion")
    op.drop_table("trade_breakdowns", schema="analytics")
    op.drop_table("research_results", schema="analytics")
    op.drop_table("reports", schema="analytics")
    op.drop_table("performance", schema="analytics")
    op.drop_table("equity_curve", schema="analytics")
    op.drop_table("strategy_versions", schema="strategy_engine")
    op.drop_table("indicator_values", schema="strategy_engine")
    op.drop_table("risk_limits", schema="risk_management")
    op.drop_table("messages", schema="notification")
    op.drop_table("component_health", schema="notification")
    op.drop_table("log_patterns", schema="logging")
    op.drop_index("ix_log_entries_service_at", table_name="log_entries", schema="logging")
    op.drop_index("ix_log_entries_at", table_name="log_entries", schema="logging")
    op.drop_table("log_entries", schema="logging")
    op.drop_index("ix_audit_events_at", table_name="audit_events", schema="logging")
    op.drop_table("audit_events", schema="logging")
    op.drop_table("accounts", schema="execution")
    op.drop_table("quality_issues", schema="data_ingestion")
    op.drop_table("ingestion_runs", schema="data_ingestion")
    op.drop_table("assets", schema="data_ingestion")
    op.drop_table("archives", schema="data_ingestion")
    op.drop_table("research_runs", schema="analytics")
    for schema in reversed(SCHEMAS):
        op.execute(f"DROP SCHEMA {schema}")
