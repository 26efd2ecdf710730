"""The deployments of prefect.yaml, and how they differ from those on a server."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from trading.errors import ConfigurationError

_VARIABLE = re.compile(r"\{\{\s*\$(\w+)\s*\}\}")


def prefect_yaml() -> Path:
    """Return the declaration: the checkout's, else the copy inside the installed package.

    Raises
    ------
    ConfigurationError
        Neither exists.
    """
    root = Path(__file__).parent.parent
    for place in (root / "prefect.yaml", root / "deployments" / "prefect.yaml"):
        if place.exists():
            return place
    raise ConfigurationError(f"prefect.yaml is missing in {root}; install trading-system again")


@dataclass(frozen=True, slots=True)
class Declared:
    """One deployment in the form in which it is compared."""

    name: str
    entrypoint: str
    pool: str
    parameters: tuple[tuple[str, str], ...]
    schedules: tuple[str, ...]
    tags: tuple[str, ...]
    concurrency: str

    def differences(self, other: Declared) -> list[str]:
        """Return what differs in `other`, as `field: wanted, found`."""
        return [
            f"{field}: wanted {getattr(self, field)!r}, found {getattr(other, field)!r}"
            for field in ("entrypoint", "pool", "parameters", "schedules", "tags", "concurrency")
            if getattr(self, field) != getattr(other, field)
        ]


def _pairs(values: dict[str, Any] | None) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, repr(value)) for name, value in (values or {}).items()))


def schedule_text(entry: dict[str, Any]) -> str:
    """Return one schedule, in the file's form or the API's, as text without whether it is active."""
    if isinstance(entry.get("schedule"), dict):
        entry = {**entry["schedule"], "parameters": entry.get("parameters")}
    if entry.get("cron"):
        when = f"cron {entry['cron']}"
    elif entry.get("interval") is not None:
        when = f"interval {float(entry['interval']):g}"
    else:
        when = f"rrule {entry.get('rrule')}"
    parameters = "".join(f" {name}={value}" for name, value in _pairs(entry.get("parameters")))
    return f"{when} {entry.get('timezone') or 'UTC'}{parameters}"


def _concurrency(limit: int | None, strategy: str | None) -> str:
    return "none" if limit is None else f"{limit} {strategy or 'ENQUEUE'}"


def _resolved(value: Any) -> Any:
    """Replace `{{ $NAME }}` by the environment's value, as `prefect deploy` does."""
    if isinstance(value, str):
        return _VARIABLE.sub(lambda found: os.environ.get(found[1], found[0]), value)
    if isinstance(value, dict):
        return {name: _resolved(entry) for name, entry in value.items()}
    return [_resolved(entry) for entry in value] if isinstance(value, list) else value


def read(path: Path | None = None) -> list[dict[str, Any]]:
    """Return the entries of the declaration as they are written.

    Raises
    ------
    ConfigurationError
        The file is no YAML, or holds no list of deployments.
    """
    path = path or prefect_yaml()
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "unreadable"
        raise ConfigurationError(f"{path} is no valid YAML ({place})") from None
    entries = content.get("deployments") if isinstance(content, dict) else None
    if entries is None:
        return []
    if not isinstance(entries, list) or not all(isinstance(entry, dict) and "name" in entry for entry in entries):
        raise ConfigurationError(f"{path}: `deployments` must be a list of entries with a name")
    return [_resolved(entry) for entry in entries]


def wanted(entry: dict[str, Any]) -> Declared:
    """Return an entry of the declaration in comparable form."""
    limit = entry.get("concurrency_limit")
    if isinstance(limit, dict):
        concurrency = _concurrency(limit.get("limit"), limit.get("collision_strategy"))
    else:
        concurrency = _concurrency(limit, None)
    return Declared(
        name=entry["name"],
        entrypoint=str(entry.get("entrypoint")),
        pool=str((entry.get("work_pool") or {}).get("name")),
        parameters=_pairs(entry.get("parameters")),
        schedules=tuple(sorted(schedule_text(schedule) for schedule in entry.get("schedules") or [])),
        tags=tuple(sorted(entry.get("tags") or [])),
        concurrency=concurrency,
    )


def found(deployment: dict[str, Any]) -> Declared:
    """Return a deployment, as the Prefect API gives it, in comparable form."""
    limit = (deployment.get("global_concurrency_limit") or {}).get("limit")
    options = deployment.get("concurrency_options") or {}
    return Declared(
        name=deployment["name"],
        entrypoint=str(deployment.get("entrypoint")),
        pool=str(deployment.get("work_pool_name")),
        parameters=_pairs(deployment.get("parameters")),
        schedules=tuple(sorted(schedule_text(schedule) for schedule in deployment.get("schedules") or [])),
        tags=tuple(sorted(deployment.get("tags") or [])),
        concurrency=_concurrency(limit, options.get("collision_strategy")),
    )
