"""A Prefect server with nothing deployed, for the tests of what talks to one."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.filters import LogFilter, LogFilterFlowRunId
from prefect.events.worker import EventsWorker
from prefect.logging.handlers import APILogWorker
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings

from deployments.warm_worker import WarmWorker
from tests.ports import free_port
from tests.postgres import settings_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from uuid import UUID

    from prefect.client.schemas.objects import FlowRun

LOGIN = "admin:of the tests"
AUTH = httpx.BasicAuth(*LOGIN.split(":"))
CODE = Path(__file__).parent / "deployments"
"""Where the flows are that the workers of the tests run."""


def eventually[T](look: Callable[[], T], *, seconds: float = 60, what: str = "") -> T:
    """Return the first true answer of `look`."""
    end = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < end, f"not within {seconds} s: {what or look}"
        time.sleep(0.2)
    return found


@contextmanager
def client_of(url: str, login: str) -> Iterator[None]:
    """Make this process a client of a server, and let it send what it has to say before it is none any more.

    Prefect's senders of events and logs stay with the first server they meet: without an end to them, a later
    test's events would go to a server that is gone, and the interpreter would wait for every one of them.
    """
    with temporary_settings({PREFECT_API_URL: url, PREFECT_API_AUTH_STRING: login}):
        try:
            yield
        finally:
            for sender in (EventsWorker, APILogWorker):
                sender.drain_all(timeout=10.0, at_exit=False)


@dataclass
class Worker:
    """A worker process of the test, its output in a file."""

    process: subprocess.Popen[bytes]
    output: Path
    health: str

    def said(self, words: str) -> bool:
        return words in self.output.read_text(encoding="utf-8", errors="replace")

    def wait_until_ready(self) -> None:
        eventually(lambda: self.said("flows loaded in"), seconds=150, what=f"start, see {self.output}")

    def end(self, signum: int = signal.SIGTERM, *, seconds: float = 60) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signum)
        return self.process.wait(seconds)


@dataclass
class PrefectServer:
    """A Prefect server with nothing deployed, and what tests do with it."""

    url: str
    home: Path
    client: SyncPrefectClient
    workers: list[Worker] = field(default_factory=list)

    eventually = staticmethod(eventually)

    def environment(self, **more: str) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith("PREFECT_")}
        ours = {
            "PREFECT_HOME": str(self.home),
            "PREFECT_API_URL": self.url,
            "PREFECT_API_AUTH_STRING": LOGIN,
            "PREFECT_WORKER_QUERY_SECONDS": "2",
            "PREFECT_LOGGING_TO_API_BATCH_INTERVAL": "0.2",
            "PYTHONPATH": os.pathsep.join([str(CODE), str(self.home / "code")]),
        }
        return kept | ours | more

    def prefect(self, *words: str) -> None:
        command = [sys.executable, "-m", "prefect", "--no-prompt", *words]
        done = subprocess.run(command, env=self.environment(), capture_output=True, check=False, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

    def start_worker(self, pool: str, *words: str, **environment: str) -> Worker:
        port, output = free_port(), self.home / f"worker-{len(self.workers)}.log"
        where = {"PREFECT_WORKER_WEBSERVER_HOST": "127.0.0.1", "PREFECT_WORKER_WEBSERVER_PORT": str(port)}
        command = [sys.executable, "-m", "prefect", "worker", "start", "--pool", pool]
        with output.open("wb") as stream:
            process = subprocess.Popen(
                [*command, "--type", "trading-warm", "--with-healthcheck", *words],
                env=self.environment(**where, **environment),
                stdout=stream,
                stderr=subprocess.STDOUT,
            )
        worker = Worker(process, output, f"http://127.0.0.1:{port}/health")
        self.workers.append(worker)
        return worker

    def create_pool(self, name: str) -> None:
        template = WarmWorker.get_default_base_job_template()
        self.client.create_work_pool(WorkPoolCreate(name=name, type="trading-warm", base_job_template=template))

    def deploy(self, flow: str, pool: str, **options: Any) -> UUID:
        entrypoint = options.pop("entrypoint", f"warm_flows.{flow}")
        flow_id = self.client.create_flow_from_name(flow.replace("_", "-"))
        return self.client.create_deployment(
            flow_id, f"{flow}-on-{pool}", work_pool_name=pool, entrypoint=entrypoint, **options
        )

    def start_run(self, deployment: UUID, **parameters: Any) -> UUID:
        return self.client.create_flow_run_from_deployment(deployment, parameters=parameters).id

    def run(self, flow_run_id: UUID) -> FlowRun:
        return self.client.read_flow_run(flow_run_id)

    def state(self, flow_run_id: UUID) -> str:
        return self.run(flow_run_id).state_name or ""

    def ended(self, flow_run_id: UUID, *, seconds: float = 60) -> FlowRun:
        def final() -> FlowRun | None:
            flow_run = self.run(flow_run_id)
            return flow_run if flow_run.state and flow_run.state.is_final() else None

        found = eventually(final, seconds=seconds, what=f"end of {flow_run_id}")
        assert found is not None
        return found

    def cancel(self, flow_run_id: UUID) -> None:
        body = {"state": {"type": "CANCELLING"}}  # what the UI sends
        address = f"{self.url}/flow_runs/{flow_run_id}/set_state"
        httpx.post(address, json=body, auth=AUTH).raise_for_status()

    def logs(self, flow_run_id: UUID) -> str:
        wanted = LogFilter(flow_run_id=LogFilterFlowRunId(any_=[flow_run_id]))
        return "\n".join(log.message for log in self.client.read_logs(wanted))


@pytest.fixture(scope="module")
def prefect_server(
    *,
    postgres: int,
    home: Path,
    execute: Callable[[str], None],
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Iterator[PrefectServer]:
    """Start a server for one module: it is never idle beside the tests of another."""
    # On SQLite a busy server answers 503 for minutes; PostgreSQL is also what the system runs it on.
    database = f"prefect_{request.module.__name__.rpartition('.')[2]}"
    execute(f"CREATE DATABASE {database}")
    place, port = tmp_path_factory.mktemp("prefect"), free_port()
    (place / "code").mkdir()
    url = f"http://127.0.0.1:{port}/api"
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PREFECT_")}
    environment |= {
        "PREFECT_HOME": str(place),
        "PREFECT_SERVER_API_AUTH_STRING": LOGIN,
        "PREFECT_API_AUTH_STRING": LOGIN,
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": settings_of(home, postgres, database).postgres.url(
            database, driver="asyncpg"
        ),
    }
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    with (place / "server.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        eventually(lambda: _answers(f"{url}/health", process), seconds=120, what="Prefect server")
        with SyncPrefectClient(api=url, auth_string=LOGIN) as client:
            server = PrefectServer(url, place, client)
            yield server
            for worker in server.workers:
                worker.process.kill()
                worker.process.wait()
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def _answers(url: str, process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, "the Prefect server died"
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(url, auth=AUTH, timeout=2).is_success
    return False
