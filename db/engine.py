"""From an address to an engine; nothing connects at import."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import create_engine

from db.json import dumps

if TYPE_CHECKING:
    from sqlalchemy import URL, Engine


CONNECT = {"options": "-c timezone=UTC", "connect_timeout": 5, "application_name": "trading"}


def make_engine(url: URL | str) -> Engine:
    """Return an engine with a small pool, UTC sessions and checked connections."""
    return create_engine(
        url, pool_size=2, max_overflow=8, pool_pre_ping=True, json_serializer=dumps, connect_args=CONNECT
    )


def make_lock_engine(url: URL | str) -> Engine:
    """Return an engine for connections that hold a lock while others do the work; one stays open between two uses.

    Its pool has no upper end: out of a bounded one, ten holders of a lock would wait for a connection that only
    they could give back.
    """
    return create_engine(url, pool_size=1, max_overflow=-1, pool_pre_ping=True, connect_args=CONNECT)
