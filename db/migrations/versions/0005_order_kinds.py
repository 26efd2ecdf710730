"""Every kind of order: prices, classes, amounts; exits under their entry, replacements after their original."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

PRICES = (
    "stop_price",
    "trail_price",
    "trail_percent",
    "take_profit_price",
    "stop_loss_price",
    "stop_loss_limit_price",
)


def upgrade() -> None:
    for name in PRICES:
        _add(sa.Column(name, sa.Numeric(precision=18, scale=6), nullable=True))
    _add(sa.Column("notional", sa.Numeric(precision=20, scale=6), nullable=True))
    _add(sa.Column("extended_hours", sa.Boolean(), server_default="false", nullable=False))
    _add(sa.Column("order_class", sa.Text(), server_default="simple", nullable=False))
    _add(sa.Column("sequence", sa.Integer(), server_default="0", nullable=False))
    _add(sa.Column("parent_id", sa.BigInteger(), nullable=True))
    _add(sa.Column("replaces_id", sa.BigInteger(), nullable=True))
    _add(sa.Column("placed_by", sa.Text(), nullable=True))
    _add(sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True))
    _drop("uq_orders_risk_decision_id", "unique")
    _drop("ck_orders_quantity_positive", "check")
    _drop("ck_orders_filled_quantity", "check")
    op.create_unique_constraint(
        op.f("uq_orders_risk_decision_id_sequence"), "orders", ["risk_decision_id", "sequence"], schema="execution"
    )
    for column in ("parent_id", "replaces_id"):
        name = op.f(f"fk_orders_{column}_orders")
        op.create_foreign_key(
            name, "orders", "orders", [column], ["id"], source_schema="execution", referent_schema="execution"
        )
    _check("order_class", "order_class IN ('simple', 'bracket', 'oco', 'oto')")
    _check("size", "quantity > 0 OR notional > 0")
    _check("filled_quantity", "filled_quantity >= 0 AND (filled_quantity <= quantity OR notional > 0)")
    op.create_index(
        "ix_orders_parent_id",
        "orders",
        ["parent_id"],
        schema="execution",
        postgresql_where=sa.text("parent_id IS NOT NULL"),
    )


def downgrade() -> None:
    """Go back: no order with a fill is lost, but what links orders of one decision or one bracket is."""
    empty = "SELECT id FROM execution.orders WHERE greatest(quantity, filled_quantity) = 0"
    op.execute(f"DELETE FROM execution.order_events WHERE order_id IN ({empty})")
    op.execute("UPDATE execution.orders SET risk_decision_id = NULL WHERE sequence > 0")
    op.execute(f"UPDATE execution.orders SET parent_id = NULL WHERE parent_id IN ({empty})")
    op.execute(f"UPDATE execution.orders SET replaces_id = NULL WHERE replaces_id IN ({empty})")
    op.execute(f"DELETE FROM execution.orders WHERE id IN ({empty})")
    op.execute("UPDATE execution.orders SET quantity = greatest(quantity, filled_quantity)")
    op.drop_index("ix_orders_parent_id", table_name="orders", schema="execution")
    for name in ("order_class", "size", "filled_quantity"):
        _drop(f"ck_orders_{name}", "check")
    for column in ("parent_id", "replaces_id"):
        _drop(f"fk_orders_{column}_orders", "foreignkey")
    _drop("uq_orders_risk_decision_id_sequence", "unique")
    op.create_unique_constraint(
        op.f("uq_orders_risk_decision_id"), "orders", ["risk_decision_id"], schema="execution"
    )
    _check("quantity_positive", "quantity > 0")
    _check("filled_quantity", "filled_quantity BETWEEN 0 AND quantity")
    for name in (
        *PRICES,
        "notional",
        "extended_hours",
        "order_class",
        "sequence",
        "parent_id",
        "replaces_id",
        "placed_by",
        "seen_at",
    ):
        op.drop_column("orders", name, schema="execution")


def _add(column: sa.Column) -> None:
    op.add_column("orders", column, schema="execution")


def _drop(name: str, kind: str) -> None:
    op.drop_constraint(op.f(name), "orders", schema="execution", type_=kind)


def _check(name: str, condition: str) -> None:
    op.create_check_constraint(op.f(f"ck_orders_{name}"), "orders", condition, schema="execution")
