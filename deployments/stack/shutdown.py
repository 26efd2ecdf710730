"""Ending a stack: dependants before what they need, asked first, killed after their grace."""

from __future__ import annotations

import logging
import signal
import subprocess
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil

from deployments.stack import processes
from deployments.stack.component import Component

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from deployments.stack.journal import Record
    from deployments.stack.processes import Identity
    from deployments.stack.unit import Running

logger = logging.getLogger(__name__)

_GRACE = 10.0


def end(identity: Identity | None, wanted: signal.Signals, grace: float) -> bool:
    """Ask one process to end, then kill what is left of it and its descendants; False when it had gone."""
    process = identity.process() if identity else None
    if process is None:
        return False
    members = processes.family(process)
    processes.send(process, wanted)
    with suppress(psutil.TimeoutExpired):
        process.wait(timeout=grace)
    processes.kill(member for member in members if member.is_running())
    return True


def in_order(needs: Mapping[str, Sequence[str]], stop: Callable[[str], None]) -> None:
    """Call `stop` for every name, each as soon as nothing that needs it is left, several at once.

    Parameters
    ----------
    needs
        Name -> names that must outlive it. Unknown names are ignored.
    stop
        Ends one; what it raises is logged and does not keep the others from ending.
    """
    left = set(needs)

    def needed(name: str) -> bool:
        return any(name in _reach(other, needs) for other in left - {name})

    with ThreadPoolExecutor(max_workers=16, thread_name_prefix="stop") as pool:
        work: dict[Future[None], str] = {}
        while left:
            for name in [each for each in left if each not in work.values() and not needed(each)]:
                work[pool.submit(stop, name)] = name
            for future in wait(work, return_when=FIRST_COMPLETED).done:
                name = work.pop(future)
                left.discard(name)
                if (error := future.exception()) is not None:
                    logger.warning("stopping %s: %s", name, error)


def _reach(name: str, needs: Mapping[str, Sequence[str]]) -> set[str]:
    """Return everything a unit needs, directly or through others."""
    found: set[str] = set()
    pending = list(needs.get(name, ()))
    while pending:
        need = pending.pop()
        if need not in found:
            found.add(need)
            pending += needs.get(need, ())
    return found


def stop_all(order: Sequence[Running], marker: str, note: Callable[[], None]) -> None:
    """Stop what was started, dependants first; then sweep whatever of this stack is left.

    Parameters
    ----------
    order
        What was started, ended steps included.
    marker
        The stack's marker, by which orphans are found.
    note
        Called when a state has changed.
    """
    started = {entry.name: entry for entry in order}

    def stop(name: str) -> None:
        entry = started[name]
        if entry.state != "done":
            entry.abandon()
            entry.state = "stopping"
            note()
            _stop_one(entry)
            entry.state, entry.identity = "stopped", None
        note()

    in_order({name: entry.outlived_by for name, entry in started.items()}, stop)
    sweep(marker)


def _stop_one(entry: Running) -> None:
    unit = entry.unit
    if isinstance(unit, Component):
        if unit.drain is not None and entry.identity is not None and entry.identity.process() is not None:
            unit.drain(entry.identity.pid)
        end(entry.identity, unit.stop_signal, unit.grace)
    else:
        end(entry.identity, signal.SIGTERM, _GRACE)
    if entry.process is not None:
        with suppress(subprocess.TimeoutExpired):
            entry.process.wait(timeout=5)


def sweep(marker: str) -> int:
    """Kill every process that carries the marker; return how many there were."""
    left = processes.marked(marker)
    processes.kill(left)
    return len(left)


def stop_leftovers(record: Record, marker: str) -> list[str]:
    """Stop what a supervisor that was killed left running; return the names.

    A recorded process is touched only when its start time is the recorded one.
    """
    units = {unit.name: unit for unit in record.units}
    stopped = []

    def stop(name: str) -> None:
        wanted = signal.SIGINT if name == "postgres" else signal.SIGTERM
        if end(units[name].identity, wanted, _GRACE):
            stopped.append(name)

    in_order({name: unit.needs for name, unit in units.items()}, stop)
    if sweep(marker):
        stopped.append("orphans")
    return stopped
