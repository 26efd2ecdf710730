"""Brings the Prefect server's database to its newest migration.

Prefect's own command takes seconds to find out that there is nothing to do, so the revision that it
arrived at is remembered per Prefect version, and the command is run only when the database differs.
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING

from deployments.stack.places import run_directory
from trading.config import home

if TYPE_CHECKING:
    from pathlib import Path


def revision(url: str) -> str | None:
    """Return the Alembic revision a database is at, None for an empty one."""
    import psycopg

    with psycopg.connect(url.replace("+asyncpg", "").replace("+psycopg", ""), connect_timeout=5) as connection:
        there = connection.execute("SELECT to_regclass('alembic_version')").fetchone()
        if there is None or there[0] is None:
            return None
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else None


def _note(state: Path) -> Path:
    return run_directory(state) / "prefect-revision"


def is_current(state: Path, url: str) -> bool:
    """Tell whether this version of Prefect left the database as it is."""
    note, found = _note(state), revision(url)
    return found is not None and note.exists() and note.read_text() == f"{version('prefect')} {found}"


def main() -> int:
    """Run Prefect's upgrade and remember where it arrived; the exit code is the command's."""
    url = os.environ["PREFECT_SERVER_DATABASE_CONNECTION_URL"]
    code = subprocess.run(
        [sys.executable, "-m", "prefect", "server", "database", "upgrade", "-y"], check=False
    ).returncode
    if code == 0:
        _note(home()).write_text(f"{version('prefect')} {revision(url)}")
    return code


if __name__ == "__main__":
    sys.exit(main())
