"""What the `trading` command shows a person."""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

from rich.console import Console
from rich.table import Table

from deployments.stack import journal
from deployments.stack.places import log_directory, run_directory

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from deployments.demonstration import Demonstration
    from deployments.stack.journal import Record, UnitRecord
    from trading.errors import TradingError
    from trading.health import Check

_out = Console(highlight=False)
_err = Console(stderr=True, highlight=False)

_SHOWN_FIRST = ("dashboard", "api", "prefect")
_COLOURS = {"healthy": "green", "done": "green", "failed": "red", "restarting": "yellow"}


def say(text: str) -> None:
    """Print one plain line."""
    _out.print(text, markup=False)


def show_error(error: TradingError) -> None:
    """Print an error's line, and below it the log lines it carries."""
    _err.print(str(error), markup=False, style="red", soft_wrap=True)
    for line in getattr(error, "tail", ()):
        _err.print(f"  | {line}", markup=False, style="dim", soft_wrap=True)


def log_to_stderr() -> None:
    """Show what the supervisor has to say while it supervises."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s", datefmt="%H:%M:%S", force=True)


@contextmanager
def waiting(text: str) -> Iterator[None]:
    """Show that something is going on."""
    with _err.status(text):
        yield


class Progress:
    """Prints each component once it is up, and what is being waited for meanwhile."""

    def __init__(self) -> None:
        self._seen: set[str] = set()
        self._began = time.monotonic()
        self._status = _err.status("starting")

    def __enter__(self) -> Self:
        self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._status.stop()

    def __call__(self, record: Record) -> None:
        """Take note of the stack as it stands."""
        if record.phase == "starting":
            waited = time.monotonic() - self._began
            names = [unit.name for unit in record.units if unit.state in {"preparing", "starting", "restarting"}]
            self._status.update(f"{waited:3.0f} s  starting {', '.join(names)}" if names else f"{waited:3.0f} s")
        for unit in record.units:
            if unit.name not in self._seen and unit.state in {"healthy", "done"}:
                self._seen.add(unit.name)
                self._line(unit)
        if record.phase == "running":
            self._status.stop()
        elif record.phase == "stopping":
            self._status.update("stopping")
            self._status.start()

    @staticmethod
    def _line(unit: UnitRecord) -> None:
        _err.print(f"  ok  {unit.name:<17}{unit.seconds:6.1f} s  [dim]{unit.url}[/dim]")


def show_addresses(home: Path, record: Record | None = None) -> None:
    """Print where to look: the dashboard, the api, Prefect's UI and how to log in there."""
    record = record or journal.read(home)
    addresses = {unit.name: unit.url for unit in record.units}
    for name in _SHOWN_FIRST:
        if addresses.get(name):
            _out.print(f"{name:<10} {addresses[name]}", markup=False)
    say(f"logs       {log_directory(home)}")
    if addresses.get("prefect"):
        say(f"login      PREFECT_API_AUTH_STRING in {home / 'secrets.env'}")
    hint = run_directory(home) / "profile-hint"
    if hint.exists() and (text := hint.read_text(encoding="utf-8")):
        say(f"prefect    {text}")


def show_status(home: Path, record: Record) -> None:
    """Print the table of components."""
    if not record.alive:
        say(f"not running ({home}); start it with `trading start`")
        if record.error:
            say(f"last start: {record.error}")
        living = [unit.name for unit in record.units if unit.identity and unit.identity.process()]
        if living:
            say(f"left by a killed supervisor: {', '.join(living)}; `trading stop` ends them")
        return
    table = Table("component", "state", "pid", "restarts", "address", box=None, pad_edge=False)
    for unit in record.units:
        if unit.state != "done":
            state = f"[{_COLOURS.get(unit.state, 'yellow')}]{unit.state}[/]"
            pid = str(unit.pid) if unit.pid else ""
            table.add_row(unit.name, state, pid, str(unit.restarts or ""), unit.url or unit.detail)
    _out.print(table)
    say(f"\n{record.phase} from {home}")


def show_checks(checks: Sequence[Check]) -> None:
    """Print one row per check."""
    table = Table("", "check", "seconds", "detail", box=None, pad_edge=False)
    for check in checks:
        verdict = "[green]ok[/]" if check.ok else "[red]FAIL[/]"
        table.add_row(verdict, check.name, f"{check.latency:.3f}", check.detail)
    _out.print(table)
    failed = sum(not check.ok for check in checks)
    say(f"\n{len(checks) - failed} of {len(checks)} in order" + (f", {failed} not" if failed else ""))


def show_settings(rows: Sequence[tuple[str, str, str]]) -> None:
    """Print variable, value and meaning."""
    table = Table(box=None, pad_edge=False)
    for heading in ("variable", "value", "meaning"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*row)
    _out.print(table)


def show_demonstration(home: Path, shown: Demonstration) -> None:
    """Print the figures of a demonstration and where to look further."""
    table = Table("sessions", "orders", "fills", "final equity", "return", "max drawdown", "Sharpe")
    table.add_row(*(_figure(name, shown.figures.get(name)) for name in _FIGURES))
    if shown.figures:
        _out.print(table)
    say(f"replay run {shown.run_url}")
    show_addresses(home)


_FIGURES = {
    "sessions": "{:.0f}",
    "orders": "{:.0f}",
    "fills": "{:.0f}",
    "final_equity": "${:,.2f}",
    "total_return": "{:.2%}",
    "max_drawdown": "{:.2%}",
    "sharpe": "{:.2f}",
}


def _figure(name: str, value: Any) -> str:
    return "-" if value is None else _FIGURES[name].format(float(value))
