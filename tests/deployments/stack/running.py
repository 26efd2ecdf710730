"""Starts one component for a test, without a supervisor."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psutil

from deployments.stack import processes
from deployments.stack.places import log_file

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from deployments.stack.component import Component


def await_health(component: Component, process: subprocess.Popen[bytes], seconds: float = 30.0) -> None:
    """Return once the component is healthy; fail when it ends or does not get there."""
    deadline = time.monotonic() + seconds
    problem: str | None = "not asked yet"
    while time.monotonic() < deadline:
        assert process.poll() is None, f"{component.name} ended with {process.returncode}"
        problem = component.probe()
        if problem is None:
            return
        time.sleep(0.05)
    raise AssertionError(f"{component.name}: {problem}")


@contextmanager
def running(component: Component, home: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a component until the end of the block."""
    if component.prepare:
        component.prepare()
    process = processes.spawn(
        component.command,
        environment=component.environment,
        log=log_file(home, component.name),
        directory=component.directory,
        account=component.account,
    )
    try:
        await_health(component, process)
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(component.stop_signal)
            process.wait(timeout=20)


def kill_hard(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and its children at once, as a power cut would."""
    family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    for member in family:
        member.kill()
    process.wait(timeout=10)
