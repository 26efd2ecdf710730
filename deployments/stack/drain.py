"""Letting flow runs finish before their worker goes, and telling Prefect of those that could not."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import datetime
from typing import Any

import psutil

from deployments.stack import probes

GRACE_SECONDS = 30.0
"""How long running flows of a process pool may take to finish when the stack stops."""

_PAGE = 200
_DONE = frozenset({200, 201})
_OPEN_STATES = ("RUNNING", "PENDING", "CANCELLING")


def drain_pool(api: str, headers: dict[str, str], pool: str, worker_pid: int, *, grace: float = GRACE_SECONDS) -> None:
    """Stop handing out work to a process worker and wait for the flow runs it has.

    The pool is paused; the next start resumes it.
    """
    with suppress(OSError):
        probes.http_send("PATCH", f"{api}/work_pools/{pool}", {"is_paused": True}, headers)
    deadline = time.monotonic() + grace
    while time.monotonic() < deadline:
        try:
            if not psutil.Process(worker_pid).children():
                return
        except psutil.NoSuchProcess:
            return
        time.sleep(0.2)


def settle_runs(
    api: str,
    headers: dict[str, str],
    *,
    reason: str = "the stack was stopped while it ran; run it again",
    before: datetime | None = None,
) -> int:
    """Mark runs that no worker can be running any more as crashed; return how many.

    Only for a Prefect server that is ours alone, when the workers of these runs have ended.

    Parameters
    ----------
    api, headers
        The server and its login.
    reason
        What the runs' states will say.
    before
        Only runs whose state is older than this moment; all by default.
    """
    settled = 0
    body = {"state": {"type": "CRASHED", "name": "Crashed", "message": reason}, "force": True}
    for run in _open_runs(api, headers):
        if before is None or datetime.fromisoformat(run["state"]["timestamp"]) < before:
            status, _ = probes.http_send("POST", f"{api}/flow_runs/{run['id']}/set_state", body, headers)
            settled += status in _DONE
    return settled


def _open_runs(api: str, headers: dict[str, str]) -> list[dict[str, Any]]:
    wanted = {"flow_runs": {"state": {"type": {"any_": list(_OPEN_STATES)}}}, "limit": _PAGE}
    found: list[dict[str, Any]] = []
    try:
        while True:
            status, page = probes.http_send("POST", f"{api}/flow_runs/filter", wanted | {"offset": len(found)}, headers)
            if status not in _DONE or not page:
                return found
            found += page
    except OSError:
        return found
