"""`trading reconcile`: the books against the broker, now."""

from __future__ import annotations

from typing import Annotated

import typer

from deployments.command_line import Json, one_line_errors

LEAST = 3


@one_line_errors
def reconcile(
    *,
    accept: Annotated[
        str | None,
        typer.Option("--accept", metavar="REASON", help="Take over the broker's figures, whatever the difference."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Compare orders, fills, positions and cash with the broker; exit code 1 when something is unexplained.

    Unknown orders are adopted as external, missed fills applied, small drifts corrected; a larger difference halts
    trading. Repeating it changes nothing.

    Example:  trading reconcile   then   trading reconcile --accept "shares moved in from another account"
    """
    if accept is not None and len(accept.strip()) < LEAST:
        raise typer.BadParameter(f"--accept is {accept!r}; say why in at least {LEAST} characters")
    from deployments.data import connection, display

    with connection.system():
        from tasks.execution.reconciliation import reconcile_books

        report = reconcile_books.fn(accept=accept)
    if as_json:
        display.as_json(display.document_of(report))
    else:
        display.show_report(report)
    if report.figures["verdict"] == "broken":
        raise typer.Exit(1)
