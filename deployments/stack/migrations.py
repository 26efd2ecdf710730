"""Brings the trading database to the newest migration; `python -m deployments.stack.migrations`."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

from deployments.stack.prefect_database import revision
from trading.errors import ConfigurationError, TradingError


def location() -> Path:
    """Return the directory of migrations inside the `db` package.

    Raises
    ------
    ConfigurationError
        The package is not complete.
    """
    found = importlib.util.find_spec("db")
    places = found.submodule_search_locations if found else None
    if not places or not (Path(places[0]) / "migrations" / "env.py").exists():
        raise ConfigurationError("db/migrations is missing from the installation; install trading-system again")
    return Path(places[0]) / "migrations"


def _heads() -> set[str]:
    """Return the newest revisions, read from the text of the migrations: Alembic's import takes a second."""
    pattern = re.compile(r"^(down_revision|revision)\b[^=]*=\s*[\"']?(\w+)[\"']?\s*$", re.MULTILINE)
    revisions, superseded = set(), set()
    for script in (location() / "versions").glob("*.py"):
        found = dict(pattern.findall(script.read_text(encoding="utf-8")))
        revisions.add(found.get("revision", script.name))
        superseded.add(found.get("down_revision", ""))
    return revisions - superseded


def is_current(url: str) -> bool:
    """Tell whether a database is at the newest revision."""
    return {revision(url)} == _heads()


def upgrade() -> None:
    """Run every migration that the database has not seen."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(location()).replace("%", "%%"))
    command.upgrade(config, "head")


def main() -> int:
    """Upgrade; a failure is one line and exit code 1."""
    try:
        upgrade()
    except TradingError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
