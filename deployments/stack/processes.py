"""Starting and ending processes; a process is known by its id and its start time, never by id alone."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    import signal
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from deployments.stack.component import Account

MARKER = "TRADING_STACK"
"""Environment variable that every process of a stack carries, so that orphans can be found."""

_SAME_MOMENT = 0.05  # seconds: start times are exact, their float form is not


@dataclass(frozen=True, slots=True)
class Identity:
    """A process that cannot be confused with a later one of the same id."""

    pid: int
    created: float

    @classmethod
    def of(cls, pid: int) -> Identity | None:
        """Return the identity of a running process, None when there is none."""
        try:
            return cls(pid, psutil.Process(pid).create_time())
        except psutil.Error:
            return None

    def process(self) -> psutil.Process | None:
        """Return the process when it is still the same one and no zombie."""
        try:
            found = psutil.Process(self.pid)
            same = abs(found.create_time() - self.created) < _SAME_MOMENT
            return found if same and found.status() != psutil.STATUS_ZOMBIE else None
        except psutil.Error:
            return None


def spawn(
    command: tuple[str, ...],
    *,
    environment: Mapping[str, str],
    log: Path,
    directory: Path | None = None,
    account: Account | None = None,
) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own, its output appended to `log`.

    A terminal's Ctrl-C does not reach it: the supervisor decides when it ends. The supervisor
    handles SIGINT itself, so the child gets the default action even when the shell ignored it.
    """
    options: dict[str, Any] = {}
    if sys.platform == "win32":
        options["creationflags"] = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
    else:
        options |= {"start_new_session": True, "umask": 0o077}
        if account is not None:
            options |= {"user": account.uid, "group": account.gid, "extra_groups": []}
    with log.open("ab") as stream:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            cwd=directory,
            **options,
        )


def family(process: psutil.Process) -> list[psutil.Process]:
    """Return the process and all its descendants that live."""
    try:
        return [process, *process.children(recursive=True)]
    except psutil.Error:
        return []


def send(process: psutil.Process, wanted: signal.Signals) -> None:
    """Ask a process to end; on Windows, where signals are not asked but forced, terminate it."""
    with suppress(psutil.Error):
        if sys.platform == "win32":
            process.terminate()
        else:
            process.send_signal(wanted)


def kill(processes: Iterable[psutil.Process]) -> None:
    """Kill what still lives, and wait until it is gone."""
    doomed = list(processes)
    for process in doomed:
        with suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(doomed, timeout=5)


def marked(marker: str) -> list[psutil.Process]:
    """Return the processes of a stack by the marker they inherited, this one and its parents excepted."""
    spared = {psutil.Process().pid, *(parent.pid for parent in psutil.Process().parents())}
    found = []
    for process in psutil.process_iter():
        if process.pid in spared:
            continue
        with suppress(psutil.Error, OSError):
            if process.environ().get(MARKER) == marker and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def listener(port: int) -> str:
    """Say who listens on a port, as far as this account may know."""
    with suppress(psutil.Error):  # other users' sockets are hidden on some systems; the port number is what matters
        for connection in psutil.net_connections(kind="tcp"):
            here = connection.laddr[1] if connection.laddr else 0
            if connection.status == psutil.CONN_LISTEN and here == port and connection.pid:
                return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
    return "another program"
