"""The data commands against a database of the test's own, in this process."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from db.engine import make_engine
from db.repositories import bars as bars_repository
from db.repositories import ingestion
from deployments.cli import app
from tests.postgres import settings_of
from trading.calendar import bar_timestamp, sessions
from trading.config import SECTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import date
    from pathlib import Path

    from sqlalchemy import Engine
    from typer.testing import Result

_numbers = count()


@dataclass
class Data:
    """A database, and the commands on it."""

    engine: Engine
    runner: CliRunner = field(default_factory=CliRunner)

    def run(self, *words: str) -> Result:
        """Run `trading data WORDS`."""
        return self.runner.invoke(app, ["data", *words], env={"COLUMNS": "160"})

    def json(self, *words: str) -> Any:
        """Run a command that succeeds and return its JSON."""
        answer = self.run(*words, "--json")
        assert answer.exit_code == 0, answer.output
        return json.loads(answer.stdout)

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Return rows of the database."""
        with self.engine.begin() as connection:
            return [tuple(row) for row in connection.execute(text(statement))]

    def plant(self, symbol: str, days: Sequence[date], closes: Sequence[float], volume: float = 1000) -> None:
        """Store daily bars."""
        frame = pd.DataFrame(
            {
                "symbol": symbol,
                "ts": pd.DatetimeIndex([bar_timestamp(day) for day in days]).as_unit("ns"),
                **{name: list(closes) for name in ("open", "high", "low", "close")},
                "volume": volume,
            }
        )
        with self.engine.begin() as connection:
            run = ingestion.begin(connection, source="csv", timeframe="1Day", symbols=[symbol], flow_run_id=None)
            bars_repository.write(connection, frame, timeframe="1Day", source="csv", run=run)
            ingestion.finish(connection, run, status="completed")

    def plant_sessions(self, symbol: str, start: date, end: date, *, without: Sequence[date] = ()) -> list[date]:
        """Store a bar for every session but some; return the sessions."""
        days = [day for day in sessions(start, end) if day not in without]
        self.plant(symbol, days, [100.0 + at for at in range(len(days))])
        return days


@pytest.fixture
def unset(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """Take the user's settings out of the environment."""
    for kind in SECTIONS.values():
        for setting in kind.model_fields.values():
            monkeypatch.delenv(str(setting.alias), raising=False)
    monkeypatch.setenv("TRADING_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    return monkeypatch


@pytest.fixture
def data(
    postgres: int, migrated: str, execute: Callable[[str], None], home: Path, unset: pytest.MonkeyPatch
) -> Iterator[Data]:
    """Yield the commands on an empty database."""
    name = f"commands_{next(_numbers)}"
    execute(f"CREATE DATABASE {name} TEMPLATE {migrated}")
    settings = settings_of(home, postgres, name)
    for variable, value in {
        "POSTGRES_HOST": "127.0.0.1",
        "POSTGRES_PORT": str(postgres),
        "POSTGRES_PASSWORD": settings.postgres.password.get_secret_value(),
        "TRADING_DB_NAME": name,
    }.items():
        unset.setenv(variable, value)
    engine = make_engine(settings.postgres.url(name))
    yield Data(engine)
    engine.dispose()
