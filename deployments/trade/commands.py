"""The commands about trading itself, collected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deployments.trade import states

if TYPE_CHECKING:
    import typer


def add_trade_commands(app: typer.Typer) -> None:
    """Add halt, resume and flatten to the `trading` command."""
    app.command()(states.halt)
    app.command()(states.resume)
    app.command()(states.flatten)
