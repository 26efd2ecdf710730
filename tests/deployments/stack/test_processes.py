from __future__ import annotations

import signal
import subprocess
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import psutil
import pytest

from deployments.stack import environment, journal, processes, shutdown
from deployments.stack.journal import Record, UnitRecord
from deployments.stack.processes import Identity

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SLEEP = (sys.executable, "-c", "import time; time.sleep(600)")
NEST = (
    sys.executable,
    "-c",
    (
        "import subprocess, sys, time\n"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); time.sleep(600)"
    ),
)


@pytest.fixture
def sleeper(home: Path, base: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    process = processes.spawn(SLEEP, environment=base, log=home / "logs" / "sleeper.log")
    yield process
    process.kill()
    process.wait()


def test_a_process_is_itself_and_a_reused_id_is_not(sleeper: subprocess.Popen[bytes]) -> None:
    identity = Identity.of(sleeper.pid)
    assert identity is not None
    assert identity.process() is not None
    assert replace(identity, created=identity.created - 60).process() is None


def test_a_recorded_id_that_now_belongs_to_another_process_is_not_touched(
    home: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    identity = Identity.of(sleeper.pid)
    assert identity is not None
    unit = UnitRecord(name="api", state="healthy", pid=sleeper.pid, created=identity.created - 60)
    assert shutdown.stop_leftovers(Record(units=(unit,)), "another-marker") == []
    assert sleeper.poll() is None
    assert home.exists()


def test_leftovers_are_ended_dependants_first(home: Path, base: dict[str, str]) -> None:
    names = ("postgres", "prefect", "execution")
    needs = {"postgres": (), "prefect": ("postgres",), "execution": ("prefect",)}
    started = {name: processes.spawn(SLEEP, environment=base, log=home / "logs" / "x.log") for name in names}
    units = []
    for name, process in started.items():
        identity = Identity.of(process.pid)
        assert identity is not None
        units.append(
            UnitRecord(name=name, state="healthy", pid=identity.pid, created=identity.created, needs=needs[name])
        )
    assert shutdown.stop_leftovers(Record(units=tuple(units)), environment.marker(home)) == [
        "execution",
        "prefect",
        "postgres",
    ]
    assert all(process.poll() is not None for process in started.values())


def test_the_descendants_of_an_ended_process_end_with_it(home: Path, base: dict[str, str]) -> None:
    process = processes.spawn(NEST, environment=base, log=home / "logs" / "nest.log")
    parent = psutil.Process(process.pid)
    deadline = time.monotonic() + 10
    while not parent.children() and time.monotonic() < deadline:
        time.sleep(0.02)
    (child,) = parent.children()
    assert shutdown.end(Identity.of(process.pid), signal.SIGTERM, 5)
    process.wait(timeout=5)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_orphans_are_found_by_the_marker_they_inherited(home: Path, base: dict[str, str]) -> None:
    process = processes.spawn(NEST, environment=base, log=home / "logs" / "nest.log")
    parent = psutil.Process(process.pid)
    while not parent.children():
        time.sleep(0.02)
    process.kill()
    process.wait()
    assert len(processes.marked(environment.marker(home))) == 1
    assert shutdown.sweep(environment.marker(home)) == 1
    assert processes.marked(environment.marker(home)) == []


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_a_child_is_interruptible_although_its_starter_ignores_sigint(home: Path, base: dict[str, str]) -> None:
    script = (
        "import signal, sys; from pathlib import Path; from deployments.stack import processes\n"
        "signal.signal(signal.SIGINT, lambda *_: None)\n"
        "child = processes.spawn((sys.executable, '-c', 'import signal; print(signal.getsignal(signal.SIGINT))'),"
        f" environment={{}}, log=Path({str(home / 'logs' / 'child.log')!r}))\n"
        "child.wait()"
    )
    ignore = (
        "import signal, subprocess, sys; signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "subprocess.run([sys.executable, '-c', sys.argv[1]], check=True)"
    )
    subprocess.run([sys.executable, "-c", ignore, script], check=True, env=base)
    assert "default_int_handler" in (home / "logs" / "child.log").read_text()


def test_only_one_supervisor_holds_a_state_directory(home: Path) -> None:
    with (
        journal.sole_supervisor(home),
        pytest.raises(journal.AlreadyRunningError, match="already running"),
        journal.sole_supervisor(home),
    ):
        pytest.fail("two supervisors at once")
    with journal.sole_supervisor(home):
        assert journal.read(home) == Record()


def test_an_unreadable_record_counts_as_none(home: Path) -> None:
    (home / "run" / "stack.json").write_text('{"phase": "run')
    assert journal.read(home) == Record()
    assert not journal.read(home).alive
