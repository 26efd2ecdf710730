"""What the data commands show: reports, tables of bars, progress, a line of closes."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from trading.calendar import NEW_YORK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from trading.report import Report

_out = Console(highlight=False)
MOST_WHOLE = 24
"""Characters up to which the first cell of a row is never folded."""
BLOCKS = "▁▂▃▄▅▆▇█"
LETTERS = "_.-=+*%#"
"""For terminals that cannot show blocks."""


def as_json(document: Any) -> None:
    """Print a document for programs; instants in ISO 8601."""
    sys.stdout.write(json.dumps(document, indent=2, default=_plain, allow_nan=False) + "\n")


def document_of(report: Report) -> dict[str, Any]:
    """Return a report for programs."""
    return {
        "title": report.title,
        "figures": dict(report.figures),
        "rows": [dict(row) for row in report.rows],
        "notes": list(report.notes),
    }


def show_report(report: Report, *, most: int = 20) -> None:
    """Print a report: its title, its figures, at most `most` rows of its table, its notes."""
    _out.print(report.title, markup=False, style="bold")
    width = max((len(name) for name in report.figures), default=0)
    for name, value in report.figures.items():
        _out.print(f"  {name:<{width}}  {cell(value)}", markup=False, soft_wrap=True)
    if report.rows:
        table(report.rows[:most])
    if len(report.rows) > most:
        say(f"... and {len(report.rows) - most:,} more; --json prints all that is kept")
    for note in report.notes:
        say(note)


def table(rows: Sequence[Mapping[str, Any]], *, daily: bool = False) -> None:
    """Print rows with the same keys; numbers to the right, what a row is called in one piece."""
    shown = Table(box=None, pad_edge=False)
    lines = [[cell(value, daily=daily).replace("[", "\\[") for value in row.values()] for row in rows]
    whole = max(len(line[0]) for line in lines) <= MOST_WHOLE
    for place, (name, value) in enumerate(rows[0].items()):
        number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
        shown.add_column(name, justify="right" if number else "left", overflow="fold", no_wrap=whole and place == 0)
    for line in lines:
        shown.add_row(*line)
    _out.print(shown)


def say(text: str) -> None:
    """Print one line, however long."""
    _out.print(text, markup=False, soft_wrap=True)


def cell(value: Any, *, daily: bool = False) -> str:
    """Return a value as people read it; instants in New York, as dates alone where bars are `daily`."""
    match value:
        case None:
            return ""
        case datetime():
            local = value.astimezone(NEW_YORK)
            midnight = (local.hour, local.minute) == (0, 0)
            return f"{local:%Y-%m-%d}" if daily or midnight else f"{local:%Y-%m-%d %H:%M}"
        case bool():
            return "yes" if value else "no"
        case float() | Decimal():
            return "" if value != value else f"{value:,.4f}".rstrip("0").rstrip(".")  # noqa: PLR0124 - NaN
        case int():
            return f"{value:,}"
        case _:
            return str(value)


def sparkline(values: Sequence[float], *, width: int = 60) -> str:
    """Return values as a line of blocks, the lowest to the highest; groups of them share one where there are more."""
    known = [value for value in values if value == value]  # noqa: PLR0124 - not NaN
    if not known:
        return ""
    step = max(1, -(-len(known) // width))
    points = [sum(known[at : at + step]) / len(known[at : at + step]) for at in range(0, len(known), step)]
    low, high = min(points), max(points)
    marks = BLOCKS if (_out.encoding or "").lower().startswith("utf") else LETTERS
    scale = (len(marks) - 1) / (high - low) if high > low else 0.0
    return "".join(marks[round((point - low) * scale)] for point in points)


@contextmanager
def progress(text: str, *, quiet: bool, counted: str = "bars") -> Iterator[Callable[[float, int], None] | None]:
    """Show a bar on stderr while it lasts; yield what moves it (share done, count), or None when it is not shown.

    `counted` names what is counted.
    """
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield None
        return
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn(f"{{task.fields[bars]:,}} {counted}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as shown:
        job = shown.add_task(text, total=1.0, bars=0)
        yield lambda share, bars: shown.update(job, completed=share, bars=bars)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    return str(value)
