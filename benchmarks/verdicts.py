"""The table of a benchmark that has targets: what was measured, what was asked for, and whether it is met."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Figure:
    """One measurement, at `most` or at `least` so much asked for; neither where it only explains another."""

    name: str
    value: float
    unit: str
    most: float | None = None
    least: float | None = None

    @property
    def target(self) -> str:
        """What is asked for, in words."""
        if self.most is not None:
            return f"at most {self.most:g}"
        return "" if self.least is None else f"at least {self.least:g}"

    @property
    def met(self) -> bool:
        """Whether what is asked for is reached."""
        return (self.most is None or self.value <= self.most) and (self.least is None or self.value >= self.least)


def conclude(title: str, figures: Iterable[Figure], *, as_json: bool, **details: Any) -> int:
    """Print figures and verdicts, as a table or with `details` as JSON; return 1 where a target is missed."""
    rows = list(figures)
    if as_json:
        told = [{**asdict(row), "target": row.target, "met": row.met} for row in rows]
        print(json.dumps({"title": title, "figures": told, "load": load(), **details}))
    else:
        Console().print(table(title, [("", row) for row in rows]))
    return int(not all(row.met for row in rows))


def table(title: str, rows: Iterable[tuple[str, Figure]]) -> Table:
    """Return the figures, each with what it belongs to, their verdicts, and how busy the machine is."""
    found = list(rows)
    grouped = any(group for group, _ in found)
    shown = Table(*(["benchmark"] if grouped else []), "figure", "measured", "unit", "target", "verdict", title=title)
    last = ""
    for group, row in found:
        verdict = "" if not row.target else "met" if row.met else "MISSED"
        digits = 0 if abs(row.value) >= 100 else 2  # noqa: PLR2004 - three places are enough of any figure
        begins = [group if group != last else ""] if grouped else []
        shown.add_row(*begins, row.name, f"{row.value:,.{digits}f}", row.unit, row.target, verdict)
        last = group
    busy = "" if load() is None else f", load average {load():.1f}"
    shown.caption = f"{os.cpu_count()} processors{busy}"
    return shown


def load() -> float | None:
    """Return how many processes waited for a processor in the last minute, where the system tells."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None
