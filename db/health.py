"""What can be said of the system's health from its database."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError

from db.engine import make_engine
from db.models.data_ingestion import Asset, Bar
from db.models.execution import Account
from trading.health import Check

if TYPE_CHECKING:
    from datetime import date, datetime

    from sqlalchemy import Connection

    from trading.config import Settings

MIGRATIONS = Path(__file__).with_name("migrations")


def examine(settings: Settings) -> list[Check]:
    """Return whether PostgreSQL answers, its migrations are at head and its daily bars are fresh."""
    engine = make_engine(settings.postgres.url(settings.postgres.trading_db))
    began = time.perf_counter()
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
            place = f"{settings.postgres.address}:{settings.postgres.port}/{settings.postgres.trading_db}"
            answers = Check("postgresql", ok=True, latency=time.perf_counter() - began, detail=f"answers at {place}")
            return [answers, _migrations(connection), _freshness(connection)]
    except SQLAlchemyError as error:
        return [Check("postgresql", ok=False, latency=time.perf_counter() - began, detail=_line(error))]
    finally:
        engine.dispose()


def _migrations(connection: Connection) -> Check:
    from alembic.config import Config
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    began = time.perf_counter()
    configuration = Config()
    configuration.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    head = ScriptDirectory.from_config(configuration).get_current_head()
    found = MigrationContext.configure(connection).get_current_revision()
    detail = f"at {head}" if found == head else f"at {found}, not {head}; run `alembic upgrade head`"
    return Check("migrations", ok=found == head, latency=time.perf_counter() - began, detail=detail)


def _freshness(connection: Connection) -> Check:
    began = time.perf_counter()
    ok, detail = _judged(*_newest(connection))
    return Check("data", ok=ok, latency=time.perf_counter() - began, detail=detail)


def _newest(connection: Connection) -> tuple[datetime | None, datetime | None]:
    """Return the newest daily bar of the tracked universe, and the broker's time when last seen."""
    last = select(func.max(Bar.ts)).where(Bar.symbol == Asset.symbol, Bar.timeframe == "1Day").scalar_subquery()
    newest = connection.execute(select(func.max(last)).where(Asset.tracked)).scalar_one()
    return newest, connection.execute(select(func.max(Account.last_seen_at))).scalar_one()


def _judged(newest: datetime | None, now: datetime | None) -> tuple[bool, str]:
    from trading.calendar import session_of

    if newest is None:
        return True, "no bars yet"
    if now is None:
        return True, f"newest daily bar {session_of(newest)}; no account seen yet"
    due, session = _due(now), session_of(newest)
    if session >= due:
        return True, f"newest daily bar {session}"
    return False, f"newest daily bar {session}, due {due}; run the deployment fetch-market-data"


def _due(now: datetime) -> date:
    """Return the session whose bar has to be there: a bar is due when the session after it opens."""
    from trading.calendar import last_completed_session, open_at, session_after, session_before

    completed = last_completed_session(now)
    return completed if now >= open_at(session_after(completed)) else session_before(completed)


def _line(error: SQLAlchemyError) -> str:
    return " ".join(str(getattr(error, "orig", None) or error).split())
