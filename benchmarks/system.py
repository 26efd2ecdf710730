"""How long the system takes to come up, what it costs while idle, and how fast it decides.

`python -m benchmarks.system [--sessions N] [--json]` starts a stack of its own on free ports in a
temporary directory, measures, and stops it. Targets are the project's own.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
import psutil

from benchmarks.verdicts import Figure, conclude
from tests.stack import own_environment
from trading.config import Settings

IDLE_SECONDS = 60.0
SETTLING_SECONDS = 20.0
CYCLES = 5
POLL_SECONDS = 0.02


def trading(environment: dict[str, str], *arguments: str) -> tuple[float, str]:
    """Run the `trading` command; return its seconds and output."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "deployments.cli", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=900)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
    return time.perf_counter() - began, done.stdout


def processes(environment: dict[str, str]) -> list[psutil.Process]:
    """Return every process of the stack, children included."""
    status = json.loads(trading(environment, "status", "--json")[1])
    roots = [status["pid"], *(unit["pid"] for unit in status["units"] if unit.get("pid"))]
    found: dict[int, psutil.Process] = {}
    for pid in roots:
        if psutil.pid_exists(pid):
            root = psutil.Process(pid)
            found |= {each.pid: each for each in (root, *root.children(recursive=True))}
    return list(found.values())


def idle(environment: dict[str, str]) -> tuple[float, float]:
    """Return percent of one core and GiB of memory (PSS where the system tells it) of the idle stack."""
    time.sleep(SETTLING_SECONDS)
    watched = processes(environment)
    before = sum(sum(each.cpu_times()[:2]) for each in watched)
    time.sleep(IDLE_SECONDS)
    after = sum(sum(each.cpu_times()[:2]) for each in watched)
    memory = sum(getattr(each.memory_full_info(), "pss", each.memory_info().rss) for each in watched)
    return 100 * (after - before) / IDLE_SECONDS, memory / 1024**3


def run_deployment(settings: Settings, port: str, name: str) -> dict[str, Any]:
    """Run a deployment on the server at `port` and return its finished flow run."""
    user, _, password = settings.prefect.auth.get_secret_value().partition(":")
    with httpx.Client(base_url=f"http://127.0.0.1:{port}/api", auth=(user, password), timeout=30) as client:
        deployment = client.get(f"/deployments/name/{name}/{name}").raise_for_status().json()
        run = client.post(f"/deployments/{deployment['id']}/create_flow_run", json={}).raise_for_status().json()
        while True:
            found: dict[str, Any] = client.get(f"/flow_runs/{run['id']}").raise_for_status().json()
            if found["state_type"] in {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}:
                return found
            time.sleep(POLL_SECONDS)


def cycle_seconds(environment: dict[str, str], home: Path) -> float:
    """Return the median seconds a trading cycle over five symbols runs, each on a new session."""
    settings = Settings.load(home)
    keys = {
        "APCA-API-KEY-ID": settings.simulator.api_key.get_secret_value(),
        "APCA-API-SECRET-KEY": settings.simulator.secret_key.get_secret_value(),
    }
    control = f"http://127.0.0.1:{environment['SIMULATOR_PORT']}/simulator"
    httpx.post(f"{control}/reset", json={}, headers=keys).raise_for_status()
    seconds: list[float] = []
    for _ in range(CYCLES):
        run = run_deployment(settings, environment["PREFECT_PORT"], "trading-cycle")
        if run["state_type"] != "COMPLETED":
            raise SystemExit(f"trading-cycle ended {run['state_name']}")
        seconds.append(float(run["total_run_time"]))
        httpx.post(f"{control}/clock", json={"advance": "session"}, headers=keys).raise_for_status()
    return sorted(seconds)[len(seconds) // 2]


def measure(sessions: int) -> list[Figure]:
    """Start a stack, measure it, and stop it."""
    with tempfile.TemporaryDirectory(prefix="trading-benchmark-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        environment = own_environment(home)
        try:
            cold, _ = trading(environment, "start", "--detach")
            processor, memory = idle(environment)
            trading(environment, "stop")
            warm, _ = trading(environment, "start", "--detach")
            demo, _ = trading(environment, "demo", "--sessions", str(sessions))
            cycle = cycle_seconds(environment, home)
        finally:
            trading(environment, "stop")
    return [
        Figure("trading start --detach, cold", cold, "s", 60),
        Figure("trading start --detach, warm", warm, "s", 25),
        Figure("idle stack, processor", processor, "% of a core", 15),
        Figure("idle stack, memory", memory, "GiB", 2.5),
        Figure("trading-cycle over 5 symbols, median", cycle, "s", 3),
        Figure(f"trading demo, {sessions} sessions", demo, "s", 120 * max(sessions / 60, 1)),
    ]


def main() -> int:
    """Measure and print; the exit code is 1 where a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=60, help="length of the demo (60)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    chosen = parser.parse_args()
    return conclude("The system", measure(chosen.sessions), as_json=chosen.json)


if __name__ == "__main__":
    sys.exit(main())
