from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from typer.testing import CliRunner

from deployments.cli import app
from deployments.drill import running
from deployments.drill.catalogue import Fault, faults
from deployments.drill.verdict import Verdict
from trading.errors import UnavailableError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable

    from deployments.drill.ground import Ground

ISSUED = {
    "kill-before-intent", "kill-after-intent", "kill-during-post", "kill-after-acceptance", "kill-before-fill",
    "broker-429", "broker-500", "broker-504", "broker-hang", "broker-reset", "broker-garbage", "postgres-restarted",
    "redis-flushed", "redis-stopped", "ten-at-once", "cancel-meets-fill", "stream-cut", "clock-fast", "clock-slow",
    "replay-twice",
}  # fmt: skip


def test_the_faults_are_listed_by_name() -> None:
    done = CliRunner().invoke(app, ["drill", "--list", "--json"])

    assert done.exit_code == 0, done.output
    assert {row["name"] for row in json.loads(done.output)} >= ISSUED


def test_an_unknown_fault_is_one_line() -> None:
    known = faults(repetitions=1, cut_seconds=1, sessions=1)
    assert [fault.name for fault in running.chosen(known, ["stream-cut"])] == ["stream-cut"]
    with pytest.raises(UnknownNameError, match="unknown fault 'stream-cat'; did you mean 'stream-cut'"):
        running.chosen(known, ["stream-cat"])


def test_a_fault_that_breaks_the_drill_has_failed_and_the_next_one_goes_on(ground: Ground) -> None:
    fine = Verdict("fine", "nothing", 1, 1, 0, 0, books_equal=True, state="", seconds=0.0)

    def breaks(_ground: Ground, _tick: Callable[[], None]) -> Verdict:
        ground.servers["redis"].stop()
        raise UnavailableError("nobody is at home")

    both = [Fault("breaks", "breaks", breaks), Fault("fine", "nothing", lambda _ground, _tick: fine)]
    first, second = running.provoke(ground, both, on_step=lambda _: None)

    assert not first.ok
    assert first.problems == ("nobody is at home",)
    assert second.ok
    assert ground.servers["redis"].runs  # what the broken one had stopped is started again


@pytest.mark.skipif(sys.platform == "win32", reason="a signal to a Windows process is its end")
def test_a_drill_that_is_told_to_end_leaves_nothing_running() -> None:
    command = [sys.executable, "-m", "deployments.cli", "drill", "--only", "stream-cut", "--cut-seconds", "600"]
    before = set(Path(tempfile.gettempdir()).glob("trading-drill-*"))
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    end = time.monotonic() + 120
    started: list[psutil.Process] = []
    while len(started) < 2:
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < end
        started = psutil.Process(process.pid).children()
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=120)

    assert process.returncode == 130, said
    assert "interrupted" in said
    assert not [each for each in started if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]
    assert set(Path(tempfile.gettempdir()).glob("trading-drill-*")) <= before
