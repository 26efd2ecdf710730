"""Measures how long an empty flow takes from scheduled to Completed, on a warm pool and on a process pool.

Starts a Prefect server of its own on SQLite, in a temporary directory, and one worker after the other.
Run it with `uv run python -m benchmarks.warm_worker [--runs N] [--json]`.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from benchmarks.verdicts import Figure, conclude

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from prefect.client.orchestration import SyncPrefectClient

MOST = {"trading-warm": 1.0, "process": 5.0}
"""Seconds asked for."""
KINDS = {"trading-warm": "warm, in process", "process": "process per run"}
SETTINGS = {
    "PREFECT_WORKER_QUERY_SECONDS": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_LOGGING_LEVEL": "WARNING",
}
FLOW = '''"""The flow that is timed."""
from benchmarks.verdicts import Figure, conclude
from prefect import flow


@flow
async def empty() -> None:
    pass
'''


@contextlib.contextmanager
def program(environment: dict[str, str], *words: str) -> Iterator[None]:
    """Run `prefect WORDS` in the background and stop it at the end."""
    command = [sys.executable, "-m", "prefect", *words]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def wait_for(url: str, seconds: float = 120) -> None:
    """Return when the server at `url` answers.

    Raises
    ------
    TimeoutError
        It does not answer in time.
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(url, timeout=2).is_success:
                return
        time.sleep(0.2)
    raise TimeoutError(f"{url}: no answer within {seconds:g} s")


def latency(client: SyncPrefectClient, deployment: UUID) -> float:
    """Return the seconds from scheduled to Completed of one run."""
    from prefect.states import Scheduled

    flow_run = client.create_flow_run_from_deployment(deployment, state=Scheduled())
    while flow_run.state is None or not flow_run.state.is_final():
        time.sleep(0.02)
        flow_run = client.read_flow_run(flow_run.id)
    assert flow_run.state.is_completed(), flow_run.state
    assert flow_run.expected_start_time is not None
    return (flow_run.state.timestamp - flow_run.expected_start_time).total_seconds()


def measure(kind: str, runs: int, environment: dict[str, str], url: str) -> list[float]:
    """Return the latencies of `runs` runs, in seconds, after one that warms everything up."""
    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.actions import WorkPoolCreate
    from prefect.workers.base import BaseWorker

    worker = BaseWorker.get_worker_class_from_type(kind)
    assert worker is not None
    command = {"command": f"{sys.executable} -m prefect.engine"} if kind == "process" else {}
    with SyncPrefectClient(api=url) as client:
        template = worker.get_default_base_job_template()
        client.create_work_pool(WorkPoolCreate(name=kind, type=kind, base_job_template=template))
        deployment = client.create_deployment(
            client.create_flow_from_name("empty"),
            f"empty-{kind}",
            entrypoint="timed_flow.empty",
            work_pool_name=kind,
            job_variables=command,
        )
        with program(environment, "worker", "start", "--pool", kind, "--type", kind):
            latency(client, deployment)
            seconds = []
            for number in range(runs):
                time.sleep(0.37 * (number % 3))  # not in step with the polling
                seconds.append(latency(client, deployment))
    return seconds


def main() -> int:
    """Print the table, or with `--json` the figures; the exit code is 1 where a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10, help="timed runs per kind of pool")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    asked = parser.parse_args()
    port = free_port()
    url = f"http://127.0.0.1:{port}/api"
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        (Path(home) / "timed_flow.py").write_text(FLOW, encoding="utf-8")
        foreign = {key: value for key, value in os.environ.items() if not key.startswith("PREFECT_")}
        base = foreign | SETTINGS | {"PREFECT_HOME": home, "PYTHONPATH": home}
        os.environ["PREFECT_HOME"] = home
        with program(base, "server", "start", "--host", "127.0.0.1", "--port", str(port)):
            wait_for(f"{url}/health")
            client = base | {"PREFECT_API_URL": url}
            found = {kind: measure(kind, asked.runs, client, url) for kind in KINDS}
    medians = {kind: statistics.median(seconds) for kind, seconds in found.items()}
    figures = [
        Figure(f"{KINDS[kind]}, median of {asked.runs}", median, "s", most=MOST[kind])
        for kind, median in medians.items()
    ]
    figures.append(Figure("process pool / warm pool", medians["process"] / medians["trading-warm"], "x"))
    return conclude("An empty flow, scheduled to Completed", figures, as_json=asked.json, seconds=found)


if __name__ == "__main__":
    sys.exit(main())
