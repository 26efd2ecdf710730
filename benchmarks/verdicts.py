"""The table of a benchmark that has targets: what was measured, what was asked for, and whether it is met."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

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


def show(title: str, figures: Iterable[Figure]) -> bool:
    """Print the figures with their verdicts and how busy the machine is; return whether every target is met."""
    rows = list(figures)
    table = Table("figure", "measured", "unit", "target", "verdict", title=title)
    for row in rows:
        verdict = "" if not row.target else "met" if row.met else "MISSED"
        digits = 0 if abs(row.value) >= 100 else 2  # noqa: PLR2004 - three places are enough of any figure
        table.add_row(row.name, f"{row.value:,.{digits}f}", row.unit, row.target, verdict)
    if hasattr(os, "getloadavg"):
        table.caption = f"{os.cpu_count()} processors, load average {os.getloadavg()[0]:.1f}"
    Console().print(table)
    return all(row.met for row in rows)
