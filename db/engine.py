"""From settings to an engine; nothing connects at import."""

from __future__ import annotations

from functools import lru_cache

from sqlalchemy import Engine, create_engine

from trading.config import Settings, settings


def make_engine(chosen: Settings) -> Engine:
    """Return an engine on the trading database with a small pool, UTC sessions and checked connections."""
    return create_engine(
        chosen.postgres.url(chosen.postgres.trading_db),
        pool_size=2,
        max_overflow=8,
        pool_pre_ping=True,
        connect_args={"options": "-c timezone=UTC", "connect_timeout": 5, "application_name": "trading"},
    )


@lru_cache(maxsize=1)
def engine() -> Engine:
    """Return this process's engine, made from its settings at first use."""
    return make_engine(settings())
