from __future__ import annotations

import asyncio
import gc
import signal
import statistics
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterParentFlowRunId
from prefect.client.schemas.objects import ConcurrencyLimitStrategy, ConcurrencyOptions

from deployments.warm.run import Run
from deployments.warm_worker import WarmWorker
from tests.prefect_server import LOGIN, client_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.prefect_server import PrefectServer, Worker

POOL = "warm"


@pytest.fixture(scope="module")
def server(prefect_server: PrefectServer) -> PrefectServer:
    prefect_server.prefect("work-pool", "create", POOL, "--type", "trading-warm")
    return prefect_server


@pytest.fixture(scope="module")
def limited(server: PrefectServer) -> Worker:
    """A worker that waits for 3 seconds when it is stopped; it starts while other tests run."""
    server.create_pool("limited")
    return server.start_worker("limited", "--limit", "3", TRADING_WARM_GRACE_SECONDS="3")


@pytest.fixture(scope="module")
def mended(server: PrefectServer) -> Worker:
    """A worker whose only flow is in a module that cannot be imported yet."""
    (server.home / "code" / "mended_flows.py").write_text("import no_such_module\n", encoding="utf-8")
    server.create_pool("mended")
    server.deploy("mended", "mended", entrypoint="mended_flows.mended")
    return server.start_worker("mended")


@pytest.fixture(scope="module")
def worker(server: PrefectServer, limited: Worker, mended: Worker) -> Worker:
    assert limited.process.pid != mended.process.pid
    server.deploy("empty", POOL)
    started = server.start_worker(POOL, TRADING_WARM_STUCK_SECONDS="1")
    started.wait_until_ready()
    return started


@pytest.fixture(autouse=True)
def _surviving(worker: Worker) -> Iterator[None]:
    yield
    assert worker.process.poll() is None


def wait_for_file(path: Path, server: PrefectServer) -> None:
    server.eventually(path.exists, what=f"{path.name} written by the flow")


def test_the_pool_of_the_command_line_has_the_template_of_the_worker(server: PrefectServer) -> None:
    template = server.client.read_work_pool(POOL).base_job_template
    assert "share the environment" in template["variables"]["properties"]["env"]["description"]


def test_an_empty_flow_completes_soon(server: PrefectServer) -> None:
    deployment, seconds = server.deploy("empty", POOL), []
    for _ in range(3):
        flow_run = server.ended(server.start_run(deployment))
        assert flow_run.state is not None
        assert flow_run.expected_start_time is not None
        seconds.append((flow_run.state.timestamp - flow_run.expected_start_time).total_seconds())
    assert statistics.median(seconds) < 5  # the benchmark says what it takes on a quiet machine


def test_flows_of_the_pool_are_imported_before_their_first_run(worker: Worker) -> None:
    assert worker.said("1 flows loaded in")


def test_a_run_has_its_name_task_runs_result_logs_and_hooks(server: PrefectServer, tmp_path: Path) -> None:
    deployment, hook = server.deploy("orders", POOL), tmp_path / "hook"
    flow_run = server.ended(server.start_run(deployment, order={"quantity": 21}, path=str(hook)))
    assert (flow_run.state_name, flow_run.name) == ("Completed", "order of 21")
    assert flow_run.run_count == 1
    assert hook.read_text(encoding="utf-8") == "hook saw Completed"
    logs = ("doubles 21", "Finished in state Completed")
    server.eventually(lambda: all(it in server.logs(flow_run.id) for it in logs), what="logs at the server")


def test_every_run_is_in_the_process_of_the_worker(server: PrefectServer, worker: Worker, tmp_path: Path) -> None:
    deployment = server.deploy("orders", POOL)
    flow_run = server.ended(server.start_run(deployment, order={"quantity": 1}, path=str(tmp_path / "hook")))
    server.eventually(lambda: f"process {worker.process.pid} doubles" in server.logs(flow_run.id))
    assert f":{worker.process.pid}:" in (flow_run.infrastructure_pid or "")


def test_parameters_that_do_not_fit_fail_the_run(server: PrefectServer, tmp_path: Path) -> None:
    deployment = server.deploy("orders", POOL)
    flow_run = server.ended(server.start_run(deployment, order={"quantity": -1}, path=str(tmp_path / "hook")))
    assert flow_run.state is not None
    assert flow_run.state_name == "Failed"
    assert "Validation of flow parameters failed" in str(flow_run.state.message)


def test_runs_that_end_badly_say_so_and_hurt_nobody(server: PrefectServer, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    neighbour = server.start_run(server.deploy("waits", POOL), path=str(marker), seconds=3)
    wait_for_file(marker, server)
    leaves = server.deploy("leaves", POOL)
    runs = {
        server.start_run(server.deploy("fails", POOL)): ("Failed", "no such symbol"),
        server.start_run(leaves, how="exit"): ("Crashed", "system exit"),
        server.start_run(leaves, how="interrupt"): ("Crashed", "interrupt signal"),
        server.start_run(leaves, how="base"): ("Crashed", "out of everything"),
        server.start_run(server.deploy("leaves_sync", POOL)): ("Crashed", "system exit"),
    }
    for flow_run_id, (name, words) in runs.items():
        state = server.ended(flow_run_id).state
        assert state is not None
        assert state.name == name
        assert words in str(state.message)
    assert server.ended(neighbour).state_name == "Completed"


def test_a_flow_that_blocks_its_thread_stalls_no_other(server: PrefectServer, tmp_path: Path) -> None:
    marker, release = tmp_path / "marker", tmp_path / "release"
    blocked = server.start_run(server.deploy("blocks", POOL), path=str(marker), release=str(release))
    wait_for_file(marker, server)
    assert server.ended(server.start_run(server.deploy("empty", POOL))).state_name == "Completed"
    assert server.state(blocked) == "Running"
    release.touch()
    assert server.ended(blocked).state_name == "Completed"


def test_a_timeout_ends_async_and_sync_flows(server: PrefectServer) -> None:
    runs = [server.start_run(server.deploy(name, POOL)) for name in ("too_slow", "too_slow_sync")]
    assert [server.ended(it).state_name for it in runs] == ["TimedOut", "TimedOut"]


def test_a_cancelled_run_ends_cancelled_with_its_subflow_and_hooks(server: PrefectServer, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    flow_run_id = server.start_run(server.deploy("waits", POOL), path=str(marker))
    children = FlowRunFilter(parent_flow_run_id=FlowRunFilterParentFlowRunId(any_=[flow_run_id]))
    running = server.eventually(
        lambda: [it for it in server.client.read_flow_runs(flow_run_filter=children) if it.start_time]
    )
    server.cancel(flow_run_id)
    assert server.ended(flow_run_id, seconds=20).state_name == "Cancelled"
    assert server.state(running[0].id) == "Cancelled"
    assert (tmp_path / "marker.cancelled").read_text(encoding="utf-8") == "Cancelling"


@pytest.mark.parametrize("flow", ["spins", "spins_in_async"])
def test_synchronous_code_is_interrupted_by_a_cancellation(server: PrefectServer, tmp_path: Path, flow: str) -> None:
    marker = tmp_path / "marker"
    flow_run_id = server.start_run(server.deploy(flow, POOL), path=str(marker))
    wait_for_file(marker, server)
    server.cancel(flow_run_id)
    assert server.ended(flow_run_id, seconds=20).state_name == "Cancelled"


def test_a_run_that_cannot_be_interrupted_is_reported_and_cancelled_when_it_returns(
    server: PrefectServer, tmp_path: Path
) -> None:
    marker = tmp_path / "marker"
    flow_run_id = server.start_run(server.deploy("sleeps_in_c", POOL), path=str(marker), seconds=8)
    wait_for_file(marker, server)
    server.cancel(flow_run_id)

    def report() -> str:
        state = server.run(flow_run_id).state
        return str(state.message) if state and "warm_flows.py" in str(state.message) else ""

    assert "does not return from" in server.eventually(report)
    assert server.state(flow_run_id) == "Cancelling"
    assert server.ended(flow_run_id).state_name == "Cancelled"


def test_a_run_cancelled_before_its_time_never_starts(server: PrefectServer, tmp_path: Path) -> None:
    deployment = server.deploy("waits", POOL, paused=False)
    marker = tmp_path / "marker"
    flow_run_id = server.start_run(deployment, path=str(marker), seconds=1)
    server.cancel(flow_run_id)
    assert server.ended(flow_run_id).state_name == "Cancelled"
    time.sleep(1.5)
    assert server.state(flow_run_id) == "Cancelled"


def test_concurrent_runs_see_only_themselves(server: PrefectServer, tmp_path: Path) -> None:
    deployment = server.deploy("tells_itself", POOL)
    paths = [tmp_path / str(number) for number in range(4)]
    runs = [server.start_run(deployment, path=str(path)) for path in paths]
    for flow_run_id, path in zip(runs, paths, strict=True):
        assert server.ended(flow_run_id).state_name == "Completed"
        assert path.read_text(encoding="utf-8") == f"{flow_run_id} {flow_run_id} {path}"


def test_what_threads_cannot_have_is_refused_with_a_reason(server: PrefectServer) -> None:
    refused = {
        server.deploy("fails", POOL, job_variables={"env": {"TZ": "UTC"}}): "env sets TZ",
        server.deploy("empty_sync", POOL, job_variables={"command": "sh"}): "sets a command",
        server.deploy("child", POOL, entrypoint="warm_flows.py:child"): "is not a module path",
        server.deploy("spins", POOL, pull_steps=[{"a.step": {}}]): "has pull steps",
    }
    for flow_run_id, words in [(server.start_run(it), words) for it, words in refused.items()]:
        state = server.ended(flow_run_id).state
        assert state is not None
        assert state.name == "Crashed"
        assert words in str(state.message)


def test_collision_strategy_cancel_new_holds_on_a_warm_pool(server: PrefectServer, tmp_path: Path) -> None:
    options = ConcurrencyOptions(collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW)
    deployment = server.deploy("waits", POOL, concurrency_limit=1, concurrency_options=options)
    marker = tmp_path / "marker"
    first = server.start_run(deployment, path=str(marker), seconds=3)
    wait_for_file(marker, server)
    second = server.start_run(deployment, path=str(tmp_path / "second"), seconds=3)
    assert server.ended(second).state_name == "Cancelled"
    assert not (tmp_path / "second").exists()
    assert server.ended(first).state_name == "Completed"


def test_health_says_that_the_worker_polls(worker: Worker) -> None:
    assert httpx.get(worker.health).status_code == 200


def test_a_flow_that_leaks_threads_and_tasks_ends_and_frees_its_run(
    server: PrefectServer, worker: Worker, tmp_path: Path
) -> None:
    path = tmp_path / "leak"
    flow_run = server.ended(server.start_run(server.deploy("leaks", POOL), path=str(path)))
    assert flow_run.state_name == "Completed"
    assert path.read_text(encoding="utf-8") == "preload False"  # imported once, before any run
    server.eventually(lambda: worker.said(f"Run {flow_run.name!r} left after"))


def test_a_worker_keeps_nothing_of_finished_runs(server: PrefectServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    server.create_pool("books")
    deployment = server.deploy("empty", "books")

    async def serve(runs: int) -> dict[str, Any]:
        async with WarmWorker(work_pool_name="books") as worker:
            for _ in range(runs):
                server.start_run(deployment)
            async with asyncio.timeout(60):
                while worker.runs_done < runs:
                    await worker.get_and_submit_flow_runs()
                    await asyncio.sleep(0.2)
            return worker.get_status()

    with client_of(server.url, LOGIN):
        status = asyncio.run(serve(5))
    assert {key: status[key] for key in ("runs_done", "runs_active", "runs_stuck", "flows_loaded")} == {
        "runs_done": 5,
        "runs_active": 0,
        "runs_stuck": 0,
        "flows_loaded": 1,
    }

    def kept() -> list[Run]:
        gc.collect()
        return [it for it in gc.get_objects() if isinstance(it, Run)]

    server.eventually(lambda: not kept(), seconds=10, what="end of Prefect's heartbeat threads")
    assert [it.name for it in threading.enumerate() if it.name.startswith("run ")] == []


def test_broken_code_crashes_its_run_readably_and_mended_code_runs_after_a_restart(
    server: PrefectServer, mended: Worker, tmp_path: Path
) -> None:
    mended.wait_until_ready()
    deployment = server.deploy("mended", "mended", entrypoint="mended_flows.mended")
    broken = server.ended(server.start_run(deployment))
    assert broken.state is not None
    assert broken.state.name == "Crashed"
    assert "No module named 'no_such_module'" in str(broken.state.message)
    server.eventually(lambda: "Traceback" in server.logs(broken.id), what="traceback at the server")

    left_behind = server.start_run(server.deploy("waits", "mended"), path=str(tmp_path / "left"))
    wait_for_file(tmp_path / "left", server)
    mended.end(signal.SIGKILL)
    code = "from prefect import flow\n@flow\ndef mended():\n    pass\n"
    (server.home / "code" / "mended_flows.py").write_text(code, encoding="utf-8")
    server.start_worker("mended").wait_until_ready()
    assert server.ended(server.start_run(deployment)).state_name == "Completed"
    state = server.ended(left_behind).state
    assert state is not None
    assert (state.name, state.message) == ("Crashed", "The worker that ran it was killed. Run it again.")


def test_a_worker_keeps_its_limit_and_stops_with_patience(
    server: PrefectServer, limited: Worker, tmp_path: Path
) -> None:
    limited.wait_until_ready()
    waits, sleeps = server.deploy("waits", "limited"), server.deploy("sleeps_in_c", "limited")
    runs = {
        "stuck": server.start_run(sleeps, path=str(tmp_path / "stuck"), seconds=60),
        "long": server.start_run(waits, path=str(tmp_path / "long"), seconds=60),
    }
    for name in runs:
        wait_for_file(tmp_path / name, server)
    runs["short"] = server.start_run(waits, path=str(tmp_path / "short"), seconds=3)
    wait_for_file(tmp_path / "short", server)
    runs["fourth"] = server.start_run(waits, path=str(tmp_path / "fourth"), seconds=1)
    time.sleep(1.5)
    limited.end()

    assert not (tmp_path / "fourth").exists()
    assert server.run(runs["fourth"]).state_type == "SCHEDULED"
    assert server.state(runs["short"]) == "Completed"
    for name in ("long", "stuck"):
        state = server.run(runs[name]).state
        assert state is not None
        assert state.name == "Crashed"
        assert "stopped and the run did not end within 3 s" in str(state.message)
    assert limited.said("Leaving run")
