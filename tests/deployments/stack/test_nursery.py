from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from deployments.stack import environment, shutdown
from deployments.stack.component import Step
from deployments.stack.nursery import AVAILABLE, Fork, Nursery

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(not AVAILABLE, reason="programs are forked on Linux only")

MODULE = """
import os, sys, time
from prefect.settings import get_current_settings
print(sys.argv[1:], os.environ["WHO"], os.getcwd(), get_current_settings().worker.webserver.port, __name__, flush=True)
time.sleep(float(os.environ.get("SLEEP", "0")))
sys.exit(int(sys.argv[1]))
"""


@pytest.fixture
def nursery(home: Path, base: dict[str, str]) -> Iterator[Nursery]:
    (home / "ordered.py").write_text(MODULE)
    made = Nursery({**base, "PYTHONPATH": str(home), "PREFECT_HOME": str(home / "prefect")}, home / "logs" / "n.log")
    yield made
    made.close()


def order(home: Path, base: dict[str, str], *arguments: str, **variables: str) -> Step:
    values = {**base, "PREFECT_HOME": str(home / "prefect"), **variables}
    return Step(
        name="ordered",
        command=(sys.executable, "-m", "ordered", *arguments),
        environment=values,
        forked=True,
        directory=home,
    )


def test_a_fork_is_the_ordered_program_with_its_own_environment(
    home: Path, base: dict[str, str], nursery: Nursery
) -> None:
    log = home / "logs" / "ordered.log"
    first = nursery.start(order(home, base, "7", WHO="me", PREFECT_WORKER_WEBSERVER_PORT="8123"), log)
    assert isinstance(first, Fork)
    assert first.wait(timeout=30) == 7
    second = nursery.start(order(home, base, "0", WHO="you", PREFECT_WORKER_WEBSERVER_PORT="8124"), log)
    assert second.wait(timeout=30) == 0
    assert log.read_text().splitlines() == [
        f"['7'] me {home} 8123 __main__",
        f"['0'] you {home} 8124 __main__",
    ]


def test_a_fork_outlives_the_nursery_and_is_found_by_its_marker(
    home: Path, base: dict[str, str], nursery: Nursery
) -> None:
    fork = nursery.start(order(home, base, "0", WHO="me", SLEEP="600"), home / "logs" / "ordered.log")
    assert fork.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        fork.wait(timeout=0.1)
    assert os.getsid(fork.pid) == fork.pid
    nursery.close()
    assert psutil.pid_exists(fork.pid)
    assert shutdown.sweep(environment.marker(home)) == 1
    assert fork.wait(timeout=10) != 0


def test_without_a_nursery_the_program_starts_in_the_ordinary_way(
    home: Path, base: dict[str, str], nursery: Nursery
) -> None:
    nursery.close()
    time.sleep(0.1)
    child = nursery.start(order(home, base, "3", WHO="me"), home / "logs" / "ordered.log")
    assert not isinstance(child, Fork)
    assert child.wait(timeout=30) == 3
