from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

import db

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Engine

    Migrate = Callable[..., None]

BARS = """
SELECT symbol, timeframe, ts, {}, volume, source, quality, ingestion_run_id FROM data_ingestion.bars ORDER BY 1, 2, 3
"""
NUMERIC = BARS.format("open, high, low, close")
WHOLE = BARS.format("open / 1000000.0, high / 1000000.0, low / 1000000.0, close / 1000000.0")
PLANT = """
INSERT INTO data_ingestion.ingestion_runs
(source, timeframe, symbols, bars_received, bars_written, actions_written, status)
VALUES ('broker', '1Day', '{}', 0, 0, 0, 'completed');
CREATE TABLE data_ingestion.bars_2011 PARTITION OF data_ingestion.bars
FOR VALUES FROM ('2011-01-01 00:00+00') TO ('2012-01-01 00:00+00');
CREATE TABLE data_ingestion.bars_2012 PARTITION OF data_ingestion.bars
FOR VALUES FROM ('2012-01-01 00:00+00') TO ('2013-01-01 00:00+00');
INSERT INTO data_ingestion.bars
(symbol, timeframe, ts, open, high, low, close, volume, source, quality, ingestion_run_id)
VALUES ('A', '1Day', '2011-12-30 05:00+00', 1.000001, 123456789.123456, 0.5, NULL, 10, 'broker', 'good', 1),
       ('A', '1Day', '2012-01-03 05:00+00', 1, 2, 0.5, 1.5, NULL, 'csv', 'quarantined', 1),
       ('BRK.B', '5Min', '2011-12-30 14:30+00', 1, 2, 0.5, 1.5, 3, 'broker', 'unchecked', 1),
       ('BRK.B', '5Min', '2012-12-31 23:55+00', 1, 2, 0.5, 1.5, 3, 'broker', 'unchecked', 1);
INSERT INTO data_ingestion.corporate_actions (symbol, kind, ex_date, ratio, cash, source, ingestion_run_id)
VALUES ('A', 'split', '2012-01-04', 2.5, NULL, 'broker', 1), ('A', 'dividend', '2012-01-05', NULL, 0.33, 'broker', 1);
"""
ACTIONS = "SELECT symbol, kind, ex_date, ratio, cash FROM data_ingestion.corporate_actions ORDER BY ex_date"


@pytest.fixture
def migrate(engine: Engine) -> Migrate:
    """Return what runs one of Alembic's commands on the test's database."""

    def run(what: Callable[..., Any], *arguments: str) -> None:
        configuration = Config()
        configuration.set_main_option("script_location", str(Path(str(db.__file__)).parent / "migrations"))
        with engine.begin() as connection:
            configuration.attributes["connection"] = connection
            what(configuration, *arguments)

    return run


def rows(engine: Engine, statement: str) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(statement))]


def test_bars_survive_going_forward_back_and_forward(engine: Engine, migrate: Migrate) -> None:
    migrate(command.downgrade, "0001")
    with engine.begin() as connection:
        connection.execute(text(PLANT.replace(":", "\\:")))
    before, actions = rows(engine, NUMERIC), rows(engine, ACTIONS)

    migrate(command.upgrade, "0002")
    forward = rows(engine, WHOLE)
    migrate(command.downgrade, "0001")
    back = rows(engine, NUMERIC)
    migrate(command.upgrade, "0002")

    assert len(before) == 4
    assert forward == before
    assert back == before
    assert rows(engine, WHOLE) == before
    assert rows(engine, ACTIONS) == actions
    partitions = "SELECT tableoid\\:\\:regclass\\:\\:text FROM data_ingestion.bars ORDER BY 1"
    assert [name for (name,) in rows(engine, partitions)] == [
        "data_ingestion.bars_1day_2011",
        "data_ingestion.bars_1day_2012",
        "data_ingestion.bars_5min_2011_12",
        "data_ingestion.bars_5min_2012_12",
    ]


def test_what_the_older_tables_have_no_place_for_goes(engine: Engine, migrate: Migrate) -> None:
    migrate(command.downgrade, "0001")
    with engine.begin() as connection:
        connection.execute(text(PLANT.replace(":", "\\:")))
    migrate(command.upgrade, "0002")
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO data_ingestion.corporate_actions (symbol, kind, ex_date, ratio, new_symbol, source, "
                "ingestion_run_id) VALUES ('A', 'spin_off', '2012-02-01', 0.1, 'B', 'csv', 1), "
                "('A', 'rename', '2012-03-01', NULL, 'C', 'csv', 1)"
            )
        )

    migrate(command.downgrade, "0001")

    assert [kind for _, kind, *_ in rows(engine, ACTIONS)] == ["split", "dividend"]


def test_the_models_are_what_the_migrations_make(engine: Engine, migrate: Migrate) -> None:
    migrate(command.check)

    checks = rows(
        engine,
        "SELECT conname FROM pg_constraint WHERE conrelid = 'data_ingestion.bars'::regclass AND contype = 'c'".replace(
            "::", "\\:\\:"
        ),
    )
    assert sorted(name for (name,) in checks) == ["ck_bars_quality", "ck_bars_timeframe"]


def test_checks_and_kinds_of_research_go_forward_and_back(engine: Engine, migrate: Migrate) -> None:
    run = (
        "INSERT INTO analytics.research_runs (key, kind, strategy, specification, status) "
        "VALUES ('{0}', '{0}', 'mine', '{{}}', 'completed')"
    )
    with engine.begin() as connection:
        for kind in ("sweep", "folds"):
            connection.execute(text(run.format(kind)))
        connection.execute(
            text(
                "INSERT INTO strategy_engine.strategy_versions (version, strategy, definition) "
                "VALUES ('v', 'mine', '{}');"
                "INSERT INTO strategy_engine.strategy_checks (strategy, strategy_version, range_start, range_end, "
                "bars_sha256, verdict, checks, actor) "
                "VALUES ('mine', 'v', '2012-01-03', '2012-12-31', '0', 'warn', '[]', 'test')"
            )
        )

    migrate(command.downgrade, "0007")
    assert rows(engine, "SELECT kind FROM analytics.research_runs") == [("sweep",)]
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(text(run.format("folds")))
    migrate(command.upgrade, "head")

    assert rows(engine, "SELECT count(*) FROM strategy_engine.strategy_checks") == [(0,)]
    migrate(command.check)


def test_names_and_spin_offs_go_forward_and_back(engine: Engine, migrate: Migrate) -> None:
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO data_ingestion.ingestion_runs "
                "(source, timeframe, symbols, bars_received, bars_written, actions_written, status) "
                "VALUES ('broker', '1Day', '{}', 0, 0, 0, 'completed');"
                "INSERT INTO data_ingestion.corporate_actions (symbol, kind, ex_date, ratio, shares, source, "
                "ingestion_run_id) VALUES ('A', 'spin_off', '2012-01-04', 0.2, 0.5, 'broker', 1), "
                "('B', 'spin_off', '2012-01-04', NULL, 0.5, 'broker', 1);"
                "INSERT INTO data_ingestion.symbol_lives (asset_id, symbol, first_day, reason, name) "
                "VALUES (1, 'A', '2012-01-03', 'listed', 'Acme')"
            )
        )

    migrate(command.downgrade, "0003")
    back = rows(engine, "SELECT symbol, ratio FROM data_ingestion.corporate_actions")
    migrate(command.upgrade, "head")

    assert [(symbol, float(ratio)) for symbol, ratio in back] == [("A", 0.2)], "without a value there is no ratio"
    assert rows(engine, "SELECT symbol, shares FROM data_ingestion.corporate_actions") == [("A", None)]
    assert rows(engine, "SELECT symbol, name FROM data_ingestion.symbol_lives") == [("A", None)]
    migrate(command.check)


OPENED = """
INSERT INTO execution.accounts (account, kind, opening_equity, opening_cash, first_seen_at, last_seen_at)
VALUES ('A1', 'simulator', 1, 1, now(), now())
"""
ENTRY = """
INSERT INTO execution.book_entries (account, key, kind, strategy, symbol, at, ratio, quantity, cash, explanation{0})
VALUES ('A1', '{1}', '{1}', 's', 'A', now(), 2, 1, 0, 'a test'{2})
"""


def test_spin_offs_in_the_books_go_forward_and_back(engine: Engine, migrate: Migrate) -> None:
    def write(statement: str) -> None:
        with engine.begin() as connection:
            connection.execute(text(statement))

    write(OPENED)
    write(ENTRY.format("", "split", ""))
    write(ENTRY.format(", new_symbol", "spin_off", ", 'B'"))
    write(ENTRY.format("", "received", ""))
    with pytest.raises(IntegrityError, match="new_symbol_given"):
        write(ENTRY.format("", "rename", ""))

    migrate(command.downgrade, "0006")
    kept = "SELECT kind FROM execution.book_entries"
    assert rows(engine, kept) == [("split",)]
    with pytest.raises(IntegrityError, match="ck_book_entries_kind"):
        write(ENTRY.format("", "spin_off", ""))
    migrate(command.upgrade, "head")
    assert rows(engine, kept) == [("split",)]
