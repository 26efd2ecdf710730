"""`trading drill`: the faults, provoked in a system of the drill's own, and the table of what came of them."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deployments.command_line import Json, one_line_errors

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from deployments.drill.catalogue import Fault
    from deployments.drill.verdict import Verdict


@one_line_errors
def drill(
    *,
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="NAME", help="This fault; may be repeated.")
    ] = None,
    listed: Annotated[bool, typer.Option("--list", help="Name the faults, and do nothing.")] = False,
    repetitions: Annotated[
        int, typer.Option(min=1, max=1000, help="Of each of the five points of kill -9; 40 makes 200 in all.")
    ] = 3,
    cut_seconds: Annotated[float, typer.Option(min=1, max=600, help="How long the stream is cut.")] = 60.0,
    sessions: Annotated[int, typer.Option(min=1, max=250, help="Sessions that are replayed twice.")] = 3,
    as_json: Json = False,
) -> None:
    """Provoke the faults that must double and lose no order, and print what came of each; exit code 1 if one failed.

    Starts a PostgreSQL, a Redis and a simulated broker of its own on free ports, in a directory that is removed
    afterwards. The running system and a real account are not touched.

    Example:  trading drill   or   trading drill --only postgres-restarted --only ten-at-once
    """
    from deployments.drill import catalogue, running

    known = catalogue.faults(repetitions=repetitions, cut_seconds=cut_seconds, sessions=sessions)
    if listed:
        _list(known, as_json=as_json)
        return
    faults = running.chosen(known, only or ())
    verdicts: list[Verdict] = []
    try:
        with _ending_cleanly():
            _provoke(faults, verdicts)
    finally:  # what is known is shown, also after Ctrl-C
        if as_json:
            from deployments.data import display

            display.as_json([verdict.as_dict() for verdict in verdicts])
        elif verdicts:
            _show(verdicts)
    if not all(verdict.ok for verdict in verdicts):
        raise typer.Exit(1)


def _provoke(faults: Sequence[Fault], verdicts: list[Verdict]) -> None:
    """Start the ground, provoke the faults and add the verdicts as they come, with a bar on stderr."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from deployments.drill import running
    from deployments.drill.ground import open_ground

    columns = (TextColumn("{task.description:<28}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        job = bar.add_task("starting", total=sum(fault.steps for fault in faults))
        with open_ground(lambda name: bar.update(job, description=f"starting {name}")) as ground:
            bar.update(job, description=faults[0].name)
            for verdict in running.provoke(ground, faults, on_step=lambda _: bar.advance(job)):
                verdicts.append(verdict)
                following = faults[len(verdicts)].name if len(verdicts) < len(faults) else "stopping"
                bar.update(job, description=following)


@contextmanager
def _ending_cleanly() -> Iterator[None]:
    """Treat a request to terminate as Ctrl-C: what was started is stopped."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _list(known: Mapping[str, Fault], *, as_json: bool) -> None:
    from deployments.data import display

    rows: list[dict[str, Any]] = [{"name": fault.name, "what is done": fault.about} for fault in known.values()]
    if as_json:
        display.as_json(rows)
    else:
        display.table(rows)


def _show(verdicts: Sequence[Verdict]) -> None:
    """Print the table, the state of each in words, and how many were in order."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column("fault", no_wrap=True)
    for heading in ("intended", "at broker", "doubled", "lost"):
        table.add_column(heading, justify="right")
    for heading in ("books equal", "verdict"):
        table.add_column(heading)
    table.add_column("s", justify="right")
    for one in verdicts:
        counts = (str(number) for number in (one.intended, one.at_broker, one.doubled, one.lost))
        shown = "[green]ok[/]" if one.ok else "[red]FAILED[/]"
        table.add_row(one.name, *counts, "yes" if one.books_equal else "no", shown, f"{one.seconds:.1f}")
    console = Console(highlight=False)
    for one in verdicts:
        console.print(one.name, style="bold", markup=False)
        for line in (one.done, one.state, *(f"WRONG: {problem}" for problem in one.problems)):
            console.print(f"  {line}", markup=False, soft_wrap=True)
    console.print(table)
    failed = sum(not one.ok for one in verdicts)
    orders = sum(one.intended for one in verdicts)
    console.print(
        f"\n{len(verdicts) - failed} of {len(verdicts)} faults in order, {orders} orders intended"
        + (f"; {failed} FAILED" if failed else "")
    )
