"""What a step tells a person: a title, a few figures, a table, and where to look next."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from trading.calendar import NEW_YORK

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Report:
    """The result of one step.

    Attributes
    ----------
    title
        What was done, to what.
    figures
        The few numbers that matter, in order.
    rows
        A table with the same keys in every row; may be empty.
    notes
        Sentences: what was left out, what to do.
    """

    title: str
    figures: Mapping[str, Any] = field(default_factory=dict)
    rows: Sequence[Mapping[str, Any]] = ()
    notes: Sequence[str] = ()

    def markdown(self, *, most: int = 200) -> str:
        """Return the report as Markdown, with `most` table rows at the most."""
        parts = [f"## {self.title}"]
        if self.figures:
            parts.append("\n".join(f"- **{_cell(name)}**: {_cell(value)}" for name, value in self.figures.items()))
        if self.rows:
            parts.append(_table(self.rows[:most]))
        if len(self.rows) > most:
            parts.append(f"... and {len(self.rows) - most} more rows")
        parts.extend(str(note) for note in self.notes)
        return "\n\n".join(parts)


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    names = list(rows[0])
    lines = [names, ["---"] * len(names), *([_cell(row.get(name)) for name in names] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case datetime():
            return f"{value.astimezone(NEW_YORK):%Y-%m-%d %H:%M} ET"
        case float() | Decimal():
            return f"{value:,.4f}".rstrip("0").rstrip(".")
        case int():
            return f"{value:,}"
        case _:
            return str(value).replace("|", "\\|").replace("\n", " ")
