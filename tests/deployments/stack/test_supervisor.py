from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import psutil
import pytest

from deployments.stack import environment, journal, launch, probes, unit
from deployments.stack.component import Component, Step
from deployments.stack.supervisor import StackError, Supervisor
from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def web(name: str, port: int, base: dict[str, str], needs: tuple[str, ...] = ()) -> Component:
    return Component(
        name=name,
        command=(sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"),
        environment=base,
        needs=needs,
        probe=partial(probes.http_ok, f"http://127.0.0.1:{port}/"),
        startup=20.0,
    )


def supervisor(home: Path, *units: Component | Step) -> Supervisor:
    return Supervisor(home, units, marker=environment.marker(home))


@contextmanager
def supervised(watched: Supervisor) -> Iterator[None]:
    ready, problems = threading.Event(), []

    def work() -> None:
        try:
            watched.run(lambda _: ready.set())
        except StackError as error:
            problems.append(error)
            ready.set()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        assert ready.wait(40)
        assert not problems, problems
        yield
    finally:
        watched.request_stop()
        thread.join(40)
        assert not thread.is_alive()


def pid_of(watched: Supervisor, name: str) -> int | None:
    return next(entry.pid for entry in watched.record().units if entry.name == name)


def eventually(question: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not question():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.05)


def test_nothing_starts_before_what_it_needs_is_healthy(home: Path, base: dict[str, str]) -> None:
    first, second = free_port(), free_port()
    seen: list[str | None] = []
    watched = supervisor(
        home,
        web("second", second, base, needs=("between",)),
        Step(
            name="between", needs=("first",), action=lambda: seen.append(probes.http_ok(f"http://127.0.0.1:{first}/"))
        ),
        web("first", first, base),
    )
    with supervised(watched):
        assert seen == [None]
        assert [entry.name for entry in watched.record().units] == ["first", "between", "second"]
        assert journal.read(home).phase == "running"
    assert journal.read(home).phase == "stopped"
    assert not probes.listens("127.0.0.1", first)
    assert not probes.listens("127.0.0.1", second)


def test_a_crashed_component_is_started_again(home: Path, base: dict[str, str]) -> None:
    watched = supervisor(home, web("api", free_port(), base))
    with supervised(watched):
        before = pid_of(watched, "api")
        assert before is not None
        psutil.Process(before).kill()
        eventually(lambda: watched.record().units[0].restarts == 1 and watched.record().units[0].state == "healthy")
        assert pid_of(watched, "api") not in {before, None}


def test_a_component_that_keeps_crashing_is_given_up(
    home: Path, base: dict[str, str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(unit, "_LONGEST_WAIT", 0.02)
    watched = supervisor(home, web("api", free_port(), base), web("other", free_port(), base))
    with supervised(watched):

        def crash_or_given_up() -> bool:
            if (pid := pid_of(watched, "api")) is not None and psutil.pid_exists(pid):
                psutil.Process(pid).kill()
            return watched.record().units[0].state == "failed"

        eventually(crash_or_given_up, 40)
        assert watched.record().units[0].restarts == unit.RESTARTS == 5
        assert watched.record().units[1].state == "healthy"
    assert any("api is down" in record.message and "gave up after 5" in record.message for record in caplog.records)


def test_a_failed_start_names_the_component_and_stops_the_others(home: Path, base: dict[str, str]) -> None:
    port = free_port()
    bad = Component(
        name="execution",
        command=(sys.executable, "-c", "print('the reason'); raise SystemExit(3)"),
        environment=base,
        needs=("api",),
        probe=lambda: "never",
    )
    with pytest.raises(StackError, match="execution did not start: exit code 3") as caught:
        supervisor(home, web("api", port, base), bad).run()
    assert "the reason" in caught.value.tail
    assert not probes.listens("127.0.0.1", port)
    record = journal.read(home)
    assert record.phase == "failed"
    assert "execution did not start" in record.error


def test_a_step_that_fails_fails_the_start(home: Path) -> None:
    def action() -> None:
        raise ValueError("no such thing")

    with pytest.raises(StackError, match="databases did not start: no such thing"):
        supervisor(home, Step(name="databases", action=action)).run()


def test_a_step_with_nothing_to_do_runs_no_command(home: Path, base: dict[str, str]) -> None:
    witness = home / "witness"
    command = (sys.executable, "-c", f"open({str(witness)!r}, 'w')")
    for current in (True, False):
        step = Step(name="migrations", command=command, environment=base, unless=lambda answer=current: answer)  # type: ignore[misc]  # a default argument binds the loop's value
        with supervised(supervisor(home, step)):
            assert witness.exists() is not current


def test_a_component_that_never_gets_healthy_is_named_with_its_problem(home: Path, base: dict[str, str]) -> None:
    stuck = Component(
        name="prefect",
        command=(sys.executable, "-c", "import time; time.sleep(60)"),
        environment=base,
        probe=lambda: "still thinking",
        startup=0.5,
    )
    with pytest.raises(StackError, match="prefect did not start: not healthy after 0 s: still thinking"):
        supervisor(home, stuck).run()


def test_dependants_stop_first_and_drain_before_the_signal(home: Path, base: dict[str, str]) -> None:
    below = free_port()
    found: list[str | None] = []

    def drain(_pid: int) -> None:
        time.sleep(0.5)
        found.append(probes.http_ok(f"http://127.0.0.1:{below}/"))

    worker = Component(
        name="execution",
        command=(sys.executable, "-c", "import time; time.sleep(60)"),
        environment=base,
        uses=("prefect",),
        probe=lambda: None,
        drain=drain,
    )
    with supervised(supervisor(home, worker, web("prefect", below, base))):
        pass
    assert found == [None]
    assert not probes.listens("127.0.0.1", below)


def test_a_process_that_ignores_the_signal_is_killed_after_its_grace(home: Path, base: dict[str, str]) -> None:
    stubborn = Component(
        name="api",
        command=(
            sys.executable,
            "-c",
            "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)",
        ),
        environment=base,
        probe=lambda: None,
        grace=0.5,
    )
    watched = supervisor(home, stubborn)
    with supervised(watched):
        pid = pid_of(watched, "api")
        time.sleep(0.5)
    assert pid is not None
    assert not psutil.pid_exists(pid)


def test_stop_cleans_up_after_a_supervisor_that_was_killed(home: Path, base: dict[str, str]) -> None:
    port = free_port()
    script = (
        "import sys; from pathlib import Path; from functools import partial\n"
        "from deployments.stack import probes; from deployments.stack.component import Component\n"
        "from deployments.stack.supervisor import Supervisor\n"
        f"Supervisor(Path({str(home)!r}), [Component(name='api', environment={base!r},"
        f" command=(sys.executable, '-m', 'http.server', '{port}', '--bind', '127.0.0.1'),"
        f" probe=partial(probes.http_ok, 'http://127.0.0.1:{port}/'))], marker={environment.marker(home)!r}).run()"
    )
    killed = subprocess.Popen([sys.executable, "-c", script])
    eventually(lambda: journal.read(home).phase == "running", 30)
    killed.send_signal(signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM)
    killed.wait()
    assert probes.http_ok(f"http://127.0.0.1:{port}/") is None
    assert launch.stop(home) == ["api"]
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
    assert launch.stop(home) == []
