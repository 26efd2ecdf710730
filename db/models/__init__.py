"""The tables, one module per schema; importing this package registers them all."""

from db.models import (
    analytics,
    data_ingestion,
    execution,
    logging,
    notification,
    risk_management,
    strategy_engine,
)
from db.models.base import Base

SCHEMAS: tuple[str, ...] = (
    "data_ingestion",
    "strategy_engine",
    "execution",
    "risk_management",
    "analytics",
    "notification",
    "logging",
)
"""Every schema of the trading database, in the order the migrations create them."""

__all__ = [
    "SCHEMAS",
    "Base",
    "analytics",
    "data_ingestion",
    "execution",
    "logging",
    "notification",
    "risk_management",
    "strategy_engine",
]
