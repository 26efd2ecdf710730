"""Alembic's environment: the models' metadata against the database of the settings."""

from __future__ import annotations

import re
from typing import Any

from alembic import context
from sqlalchemy import Connection

from db.engine import make_engine
from db.models import SCHEMAS, Base
from trading.config import settings

PARTITION = re.compile(r"^bars_[0-9a-z]+_\d{4}(_\d{2})?$")


def include_name(name: str | None, kind: str, _parents: Any) -> bool:
    """Keep our schemas, and leave out partitions, which are made as bars arrive."""
    if kind == "schema":
        return name in SCHEMAS
    return not (kind == "table" and name is not None and PARTITION.match(name))


def migrate(connection: Connection) -> None:
    """Run the migrations on an open connection, in one transaction."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        include_schemas=True,
        include_name=include_name,
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()


given: Connection | None = context.config.attributes.get("connection")
if given is not None:
    migrate(given)
else:
    chosen = settings().postgres
    with make_engine(chosen.url(chosen.trading_db)).connect() as connection:
        migrate(connection)
