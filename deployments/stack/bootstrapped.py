"""Whether the Prefect server already knows everything the bootstrap would tell it.

The bootstrap imports Prefect and every flow, seconds of processor time; a start with nothing new
asks the server a few questions instead.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deployments.stack import probes
from deployments.stack.environment import own_variables, pool_of
from deployments.stack.places import run_directory, write_private
from trading.config import SERVICES

if TYPE_CHECKING:
    from deployments.stack.endpoints import Endpoints
    from trading.config import Settings

_ROOMS = ("flows", "tasks", "trading", "blocks", "deployments")
_LISTS = {
    "deployments": "/deployments/filter",
    "automations": "/automations/filter",
    "pools": "/work_pools/filter",
    "blocks": "/block_documents/filter",
    "limits": "/v2/concurrency_limits/filter",
}
_OK = 200
_PATIENCE = 300.0


def code_version() -> str:
    """Return a hash of prefect.yaml and of all code that decides what is deployed."""
    found = importlib.util.find_spec("deployments")
    root = Path((found.submodule_search_locations or ["."])[0] if found else ".").parent
    digest = hashlib.sha256(f"{version('prefect')} {sys.executable}".encode())
    declaration = [place for place in (root / "prefect.yaml", root / "deployments/prefect.yaml") if place.exists()]
    modules = [path for room in _ROOMS for path in sorted((root / room).rglob("*.py"))]
    for path in (*declaration, *modules):
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def fingerprint(settings: Settings, endpoints: Endpoints) -> str:
    """Return a hash of the code and of the settings that blocks are made from."""
    values = json.dumps(own_variables(settings, endpoints), sort_keys=True)
    return hashlib.sha256(f"{code_version()} {values}".encode()).hexdigest()


def _note(home: Path) -> Path:
    return run_directory(home) / "bootstrapped.json"


def remember(settings: Settings, mark: str, objects: dict[str, list[str]]) -> None:
    """Write down what a bootstrap with this fingerprint left, by kind and name, and for which kind of broker."""
    note = {"fingerprint": mark, "objects": objects, "simulated": settings.simulated}
    write_private(_note(settings.home), json.dumps(note))


def trading_switch(settings: Settings) -> bool | None:
    """Return whether the schedules that trade are to be switched on or off now; None leaves them as people set them.

    They are switched when the first start or a change between simulator and Alpaca decides it: off for the
    simulator, so that a first start is quiet, on for Alpaca.
    """
    try:
        before = json.loads(_note(settings.home).read_text(encoding="utf-8")).get("simulated")
    except (OSError, ValueError):
        before = None
    return None if before == settings.simulated else not settings.simulated


def is_current(home: Path, mark: str, api: str, headers: dict[str, str]) -> bool:
    """Tell whether nothing changed since the last bootstrap; resumes the pools that a stop paused.

    Waits for the server, which may still be coming up.
    """
    try:
        note = json.loads(_note(home).read_text(encoding="utf-8"))
        if note["fingerprint"] != mark or not _answers(api) or not _complete(note["objects"], api, headers):
            return False
        for service in SERVICES:
            probes.http_send("PATCH", f"{api}/work_pools/{pool_of(service)}", {"is_paused": False}, headers)
    except (OSError, ValueError, KeyError):
        return False
    return True


def _answers(api: str) -> bool:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        if probes.http_ok(f"{api}/health") is None:
            return True
        time.sleep(0.2)
    return False


def _label(kind: str, entry: dict[str, Any]) -> str:
    """Return what identifies an object of the server, and for some the form it has."""
    if kind == "deployments":
        return f"{entry['name']}@{entry.get('version')}"
    return f"{entry['name']}@{entry['type']}" if kind == "pools" else str(entry["name"])


def _complete(objects: dict[str, list[str]], api: str, headers: dict[str, str]) -> bool:
    for kind, path in _LISTS.items():
        status, found = probes.http_send("POST", f"{api}{path}", {"limit": 200, "offset": 0}, headers)
        if status != _OK or not isinstance(found, list):
            return False
        if not set(objects[kind]) <= {_label(kind, entry) for entry in found}:
            return False
    return True
