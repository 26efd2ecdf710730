"""The Prefect server, the six workers, the broker's stand-in, the api and the dashboard, as components."""

from __future__ import annotations

import importlib.util
import os
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from deployments.stack import bootstrapped, environment, migrations, prefect_database, probes
from deployments.stack.component import Component, Endpoint, Step
from deployments.stack.drain import drain_pool, settle_runs
from deployments.stack.endpoints import authorization
from trading.config import SERVICES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deployments.stack.endpoints import Endpoints
    from trading.config import Settings

WARM_SERVICES = frozenset({"strategy_engine", "execution", "risk_management", "notification"})
"""Services whose pools run flows inside the worker's process."""

_PYTHON = sys.executable


def _local(host: str) -> str:
    """Return where to reach what is bound to `host`."""
    return "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104 - translated, not bound


def prefect_server(settings: Settings, endpoints: Endpoints, base: Mapping[str, str]) -> Component:
    """Return the Prefect server: one process, with its scheduler and event services."""
    host, port = settings.web.bind, endpoints.prefect_port
    return Component(
        name="prefect",
        command=(_PYTHON, "-m", "prefect", "server", "start", "--host", host, "--port", str(port)),
        environment={**base, **environment.prefect_server(settings, endpoints)},
        needs=("redis", "prefect-database"),
        probe=partial(probes.http_ok, f"http://{_local(host)}:{port}/api/ready", authorization(settings)),
        endpoint=Endpoint(host, port, "PREFECT_PORT"),
        url=f"http://{_local(host)}:{port}",
        directory=settings.home,
        drain=lambda _: settle_runs(endpoints.prefect_url, authorization(settings)),
    )


def settle(settings: Settings, endpoints: Endpoints) -> Step:
    """Return the step that ends the runs which a stack that was killed left behind."""
    began = datetime.now(UTC)
    reason = "the stack was killed while it ran; run it again"
    return Step(
        name="settle-runs",
        needs=("prefect",),
        action=lambda: settle_runs(endpoints.prefect_url, authorization(settings), reason=reason, before=began),
    )


def workers(settings: Settings, endpoints: Endpoints, base: Mapping[str, str]) -> list[Component]:
    """Return the worker of each service."""
    return [_worker(settings, endpoints, base, service) for service in SERVICES]


def _worker(settings: Settings, endpoints: Endpoints, base: Mapping[str, str], service: str) -> Component:
    pool, port = environment.pool_of(service), settings.web.service(service)
    warm = service in WARM_SERVICES
    kind = "trading-warm" if warm else "process"
    address = f"http://{_local(settings.web.bind)}:{port}/health"
    return Component(
        name=pool,
        command=(
            _PYTHON,
            "-m",
            "deployments.worker",
            "--pool",
            pool,
            "--type",
            kind,
        ),
        environment={**base, **environment.worker(settings, service)},
        needs=("databases",),  # the worker itself waits for its pool, and loads its code meanwhile
        uses=("prefect", "redis", "simulator"),
        probe=partial(probes.http_ok, address),
        endpoint=Endpoint(settings.web.bind, port, f"{service.upper()}_PORT"),
        url=address,
        directory=settings.home,
        # A warm worker waits for its own runs; a process worker would kill them.
        drain=None if warm else partial(drain_pool, endpoints.prefect_url, authorization(settings), pool),
        grace=40.0,
        startup=400.0,  # it waits for the server and the pool
    )


def simulator(settings: Settings, base: Mapping[str, str]) -> Component:
    """Return the stand-in for Alpaca."""
    port, host = settings.simulator.port, settings.web.bind
    command = [_PYTHON, "-m", "simulator", "--port", str(port), "--state", str(settings.home / "simulator.sqlite")]
    if settings.simulator.data is not None:
        command += ["--data", str(settings.simulator.data.resolve())]
    if settings.simulator.minutes is not None:
        command += ["--minutes", str(settings.simulator.minutes.resolve())]
    command += ["--start", settings.simulator.start, "--cash", str(settings.simulator.cash)]
    return Component(
        name="simulator",
        command=tuple(command),
        environment=base,
        probe=partial(probes.http_ok, f"http://127.0.0.1:{port}/health"),
        endpoint=Endpoint("127.0.0.1", port, "SIMULATOR_PORT"),
        url=f"http://{_local(host)}:{port}",
        directory=settings.home,
    )


def api(settings: Settings, base: Mapping[str, str]) -> Component:
    """Return the api."""
    host, port = settings.web.bind, settings.web.api
    address = f"http://{_local(host)}:{port}"
    return Component(
        name="api",
        command=(
            _PYTHON,
            "-m",
            "uvicorn",
            "api.app:create_app",
            "--factory",
            "--host",
            host,
            "--port",
            str(port),
            "--log-level",
            settings.logging.level.lower(),
            "--timeout-graceful-shutdown",
            "5",
        ),
        environment=base,
        needs=("migrations",),
        uses=("prefect", "redis"),
        probe=partial(probes.http_ok, f"{address}/live"),
        endpoint=Endpoint(host, port, "WEB_SERVER_PORT"),
        url=address,
        directory=settings.home,
    )


def dashboard(settings: Settings, base: Mapping[str, str]) -> Component:
    """Return the dashboard; it is told the api's address and token."""
    host, port = settings.web.bind, settings.web.dashboard
    found = importlib.util.find_spec("dashboard")
    places = found.submodule_search_locations if found else None
    script = Path(places[0]) / "app.py" if places else Path("dashboard/app.py")
    address = f"http://{_local(host)}:{port}"
    return Component(
        name="dashboard",
        command=(
            _PYTHON,
            "-m",
            "streamlit",
            "run",
            str(script),
            "--server.headless",
            "true",
            "--server.address",
            host,
            "--server.port",
            str(port),
            "--server.fileWatcherType",
            "none",
            "--browser.gatherUsageStats",
            "false",
            "--client.toolbarMode",
            "minimal",
        ),
        environment={**base, "TRADING_API_URL": f"http://{_local(host)}:{settings.web.api}"},
        needs=("api",),
        probe=partial(probes.http_ok, f"{address}/_stcore/health"),
        endpoint=Endpoint(host, port, "DASHBOARD_PORT"),
        url=address,
        directory=script.parent if script.parent.exists() else None,
    )


def steps(settings: Settings, endpoints: Endpoints, base: Mapping[str, str]) -> list[Step]:
    """Return what brings the databases and the Prefect server to this version of the code."""
    server = {**base, **environment.prefect_server(settings, endpoints)}
    prefect_url = environment.prefect_database(settings, endpoints)[1]
    trading_url, mark = endpoints.postgres_url(settings), bootstrapped.fingerprint(settings, endpoints)
    found = [
        Step(
            name="migrations",
            command=(_PYTHON, "-m", "deployments.stack.migrations"),
            environment=base,
            unless=lambda: migrations.is_current(trading_url),
            needs=("databases",),
            directory=settings.home,
        ),
        Step(
            name="prefect-database",
            command=(_PYTHON, "-m", "deployments.stack.prefect_database"),
            environment=server,
            unless=lambda: prefect_database.is_current(settings.home, prefect_url),
            needs=("databases",),
            directory=settings.home,
        ),
        Step(
            name="deployments",
            command=(_PYTHON, "-m", "deployments.bootstrap"),
            environment={**base, "TRADING_USER_PROFILES": str(user_profiles()), "TRADING_BOOTSTRAP_MARK": mark},
            unless=lambda: bootstrapped.is_current(settings.home, mark, endpoints.prefect_url, authorization(settings)),
            needs=("databases",),
            directory=settings.home,
        ),
    ]
    return [step for step in found if endpoints.runs_prefect or step.name != "prefect-database"]


def user_profiles() -> Path:
    """Return the file of Prefect profiles that the user's own `prefect` commands read."""
    chosen = os.environ.get("PREFECT_PROFILES_PATH")
    if chosen:
        return Path(chosen).expanduser()
    return Path(os.environ.get("PREFECT_HOME") or Path.home() / ".prefect").expanduser() / "profiles.toml"
