"""The commands about trading itself, collected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deployments.trade import reconciling, states, tracing

if TYPE_CHECKING:
    import typer


def add_trade_commands(app: typer.Typer) -> None:
    """Add halt, resume, flatten, reconcile and trace to the `trading` command."""
    app.command()(states.halt)
    app.command()(states.resume)
    app.command()(states.flatten)
    app.command()(reconciling.reconcile)
    app.command()(tracing.trace)
