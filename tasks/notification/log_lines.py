"""Reading the components' log files: when, how severe, what; and the pattern a message follows."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

STAMP = re.compile(
    r"^\W*(?P<date>\d{4}-\d\d-\d\d)[ T](?P<time>\d\d:\d\d:\d\d)(?:[.,](?P<fraction>\d{1,6}))?"
    r"(?P<zone>Z|[+-]\d\d:?\d\d| UTC)?"
)
CLOCK = re.compile(r"^(?P<time>\d\d:\d\d:\d\d)\.\d{3} \|")
LEVEL = re.compile(r"\b(DEBUG|INFO|WARNING|ERROR|CRITICAL|FATAL|LOG)\b")
SEVERITIES = {"FATAL": "CRITICAL", "LOG": "INFO"}
VARIABLE = re.compile(r"0x[0-9a-f]+|[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{12,}|\d+(\.\d+)?|'[^']*'|\"[^\"]*\"")
LONGEST = 4000


def read_file(path: Path, *, since: datetime) -> list[dict[str, Any]]:
    """Return the entries of a component's log file that are not older than `since`.

    A line without a time belongs to the entry before it (a traceback, a wrapped message). A line that
    repeats within the same instant counts once.
    """
    written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    if written < since:
        return []
    service = path.name.split(".", 1)[0]
    entries: list[dict[str, Any]] = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        at = _time(line, written)
        if at is None and entries:
            entries[-1]["message"] = f"{entries[-1]['message']}\n{line}"[:LONGEST]
        elif line.strip():
            entries.append(_entry(service, at or written, line))
    return [_keyed(entry) for entry in entries if entry["at"] >= since]


def _time(line: str, written: datetime) -> datetime | None:
    """Return the time a line begins with; a bare clock time is of the day the file was written."""
    found = STAMP.match(line)
    if found:
        zone = {"": "", "Z": "+00:00", " UTC": "+00:00"}.get(found["zone"] or "", found["zone"] or "")
        stamp = datetime.fromisoformat(f"{found['date']}T{found['time']}.{(found['fraction'] or '0')[:6]:0<6}{zone}")
        return stamp if stamp.tzinfo else stamp.astimezone()
    found = CLOCK.match(line)
    if found is None:
        return None
    local = written.astimezone()
    hour, minute, second = map(int, found["time"].split(":"))
    return local.replace(hour=hour, minute=minute, second=second, microsecond=0)


def _entry(service: str, at: datetime, line: str) -> dict[str, Any]:
    found = LEVEL.search(line[:120])
    level = found[1] if found else "INFO"
    return {
        "at": at,
        "service": service,
        "level": SEVERITIES.get(level, level),
        "logger": service,
        "message": line.strip()[:LONGEST],
        "flow_run_id": None,
    }


def _keyed(entry: dict[str, Any]) -> dict[str, Any]:
    content = f"{entry['service']}\n{entry['at'].isoformat()}\n{entry['message']}"
    return {"key": f"file:{hashlib.sha256(content.encode()).hexdigest()}", **entry}


def pattern_of(message: str) -> str:
    """Return a message's first line with its figures, ids and quotations taken out."""
    first = message.splitlines()[0] if message else ""
    return VARIABLE.sub("…", first)[:500]
