"""Research through its flow: every runner gives the same numbers, and what was killed goes on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from distributed import LocalCluster
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
from prefect.client.schemas.sorting import ArtifactSort
from sqlalchemy import text

from db.engine import make_engine
from db.repositories import results
from deployments.drill.kills import hidden_program
from flows import analytics
from flows.analytics import run_backtest
from flows.runners import task_runner
from tasks.analytics import research_bars
from tasks.analytics.research import plan_research, run_tries
from tests.flows.research import FIRST, LAST, SYMBOLS, plant, save_block
from tests.postgres import settings_of
from tests.prefect_server import LOGIN, client_of
from tests.stack import forget_resources
from trading.config import settings
from trading.errors import ConfigurationError, DataError, InvalidValueError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sqlalchemy import Engine

    from tests.prefect_server import PrefectServer

GRID: dict[str, list[float | int | str | bool]] = {"fast": [3, 5, 8, 12, 60], "slow": [20, 30, 40, 50]}
"""Twenty tries, three chunks; one of fast 60 is refused with each slow average below it."""

LAST_CLOSE = "symbol = 'ONE' AND ts = (SELECT max(ts) FROM data_ingestion.bars)"
CHANGE = f"UPDATE data_ingestion.bars SET high = high + :by, close = close + :by WHERE {LAST_CLOSE}"


@pytest.fixture(scope="module")
def engine(
    *,
    postgres: int,
    migrated: str,
    execute: Callable[[str], None],
    home: Path,
    prefect_server: PrefectServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Engine]:
    execute(f"CREATE DATABASE research TEMPLATE {migrated}")
    found = make_engine(settings_of(home, postgres, "research").postgres.url("research"))
    plant(found)
    with pytest.MonkeyPatch.context() as patch, client_of(prefect_server.url, LOGIN):
        patch.setenv("PREFECT_API_URL", prefect_server.url)  # for workers in processes of their own
        patch.setenv("PREFECT_API_AUTH_STRING", LOGIN)
        patch.setenv("PREFECT_SERVER_ALLOW_EPHEMERAL_MODE", "false")
        patch.setenv("TRADING_HOME", str(tmp_path_factory.mktemp("state")))
        settings.cache_clear()
        save_block(home, postgres, "research")
        yield found
    settings.cache_clear()
    found.dispose()
    forget_resources()
    execute("DROP DATABASE research WITH (FORCE)")


@pytest.fixture(autouse=True)
def program_hidden() -> Iterator[None]:
    """Let processes start that need nothing of the program that runs the tests; some could not find it again."""
    with hidden_program():
        yield


@pytest.fixture(autouse=True)
def nothing_tried(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM analytics.research_runs"))


def swept(**how: Any) -> None:
    asked = {"strategies": ["sma_crossover"], "parameters": GRID, "symbols": SYMBOLS, "start": FIRST, "end": LAST}
    asyncio.run(run_backtest(**{**asked, **how}))


def rows(engine: Engine, what: str = 'ordinal, parameters, "window", metrics') -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        found = connection.execute(text(f"SELECT {what} FROM analytics.research_results ORDER BY ordinal"))
        return [tuple(row) for row in found]


@pytest.fixture(scope="module")
def expected(engine: Engine) -> list[tuple[Any, ...]]:
    """What one process finds."""
    swept(runner="inline")
    return rows(engine)


@pytest.mark.parametrize("runner", ["threads", "processes", "dask"])
def test_every_runner_gives_the_numbers_of_one_process(
    engine: Engine, expected: list[tuple[Any, ...]], runner: Any
) -> None:
    swept(runner=runner, workers=2)

    assert rows(engine) == expected
    assert len(expected) == 20
    assert sum(isinstance(row[3]["refused"], str) for row in expected) == 4


def test_a_running_cluster_is_used_and_left_running(engine: Engine) -> None:
    local: Any = LocalCluster
    with local(
        n_workers=1, threads_per_worker=1, processes=False, protocol="tcp", dashboard_address="127.0.0.1:0"
    ) as cluster:
        swept(runner="dask", cluster=cluster.scheduler_address)

        assert len(rows(engine)) == 20
        assert len(cluster.scheduler_info["workers"]) == 1


def test_what_was_killed_evaluates_only_the_rest(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    evaluate = run_tries
    seen: list[int] = []

    def dies_after_two(run: int, tries: list[dict[str, Any]]) -> int:
        if len(seen) >= 16:
            raise KeyboardInterrupt
        seen.extend(entry["ordinal"] for entry in tries)
        return evaluate.fn(run, tries)

    monkeypatch.setattr(analytics, "run_tries", dies_after_two)
    with pytest.raises(KeyboardInterrupt):
        swept(runner="inline")
    assert [row[0] for row in rows(engine, "ordinal")] == list(range(16))
    before = rows(engine)
    seen.clear()

    def counts(run: int, tries: list[dict[str, Any]]) -> int:
        seen.extend(entry["ordinal"] for entry in tries)
        return evaluate.fn(run, tries)

    monkeypatch.setattr(analytics, "run_tries", counts)
    swept(runner="inline")

    assert seen == list(range(16, 20))
    assert rows(engine)[:16] == before
    with engine.connect() as connection:
        assert connection.execute(text("SELECT status FROM analytics.research_runs")).all() == [("completed",)]


def test_a_process_reads_the_bars_once(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    load = research_bars._read

    def counted(specification: Any, stored: Any) -> Any:
        read.append(specification["bars"])
        return load(specification, stored)

    monkeypatch.setattr(research_bars, "_read", counted)
    monkeypatch.setattr(analytics, "plan_research", forgetful(plan_research))
    swept(runner="threads")

    assert len(read) == 1
    assert len(rows(engine)) == 20


def forgetful(plan: Any) -> Any:
    """Return the planning with the bars it read forgotten, as in another process."""

    def planned(*words: Any, **how: Any) -> Any:
        found = plan(*words, **how)
        research_bars._known.clear()
        return found

    return planned


def test_progress_the_ranked_table_and_the_map_are_artifacts(engine: Engine, prefect_server: PrefectServer) -> None:
    swept(runner="threads")

    def latest(key: str) -> Any:
        wanted = ArtifactFilter(key=ArtifactFilterKey(any_=[key]))
        newest = ArtifactSort.CREATED_DESC  # without it they come by their random ids
        return prefect_server.client.read_artifacts(artifact_filter=wanted, sort=newest, limit=1)[0].data

    markdown = str(latest("run-backtest"))
    assert "| fast | slow | trades | total_return | sharpe |" in markdown
    assert "### Sharpe ratio" in markdown
    assert "| **12** |" in markdown
    assert float(latest("run-backtest-progress")) == 100.0
    assert rows(engine)


def test_bars_that_change_under_a_run_end_it(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = forgetful(plan_research)

    def planned(*words: Any, **how: Any) -> Any:
        found = plan(*words, **how)
        move_last_close(engine, 10_000_000_000)
        return found

    monkeypatch.setattr(analytics, "plan_research", planned)
    try:
        with pytest.raises(DataError, match="have changed since this research began"):
            swept(runner="inline")
        assert rows(engine) == []
    finally:
        move_last_close(engine, -10_000_000_000)


def move_last_close(engine: Engine, by: int) -> None:
    with engine.begin() as connection:
        connection.execute(text(CHANGE), {"by": by})


def test_a_cluster_that_is_not_there_is_one_line() -> None:
    with pytest.raises(UnavailableError, match=r"cluster: no Dask scheduler answers at tcp://127\.0\.0\.1:9 "):
        task_runner("dask", workers=2, cluster="tcp://127.0.0.1:9")
    with pytest.raises(ConfigurationError, match="is no address"):
        task_runner("dask", workers=2, cluster="nowhere")
    with pytest.raises(ConfigurationError, match="the runner is threads"):
        task_runner("threads", workers=2, cluster="tcp://127.0.0.1:9")


def test_each_symbol_by_itself_is_ranked_by_medians_and_counts_as_no_try_of_the_account(engine: Engine) -> None:
    swept(each_symbol=True, runner="inline")

    found = rows(engine)
    medians = [metrics for *_, metrics in found if "refused" not in metrics]
    assert (len(found), len(medians)) == (20, 16)
    assert {metrics["symbols"] for metrics in medians} == {len(SYMBOLS)}
    with engine.connect() as connection:
        assert results.sharpes_tried(connection, "sma_crossover") == []


def test_a_walk_forward_and_folds_at_once_are_refused(engine: Engine) -> None:
    with pytest.raises(InvalidValueError, match="one of the two"):
        swept(walk_forward=(250, 100), folds=5)
    assert rows(engine) == []
