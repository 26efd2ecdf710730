"""The commands of `trading data`, collected."""

from __future__ import annotations

import typer

from deployments.data import actions, exporting, gaps, importing, quality, restoring, showing
from deployments.data.lives import life_commands
from deployments.data.universe import universe_commands

data_commands = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help=(
        "Bars in and out of the running system: import and export files, find gaps, look at a symbol, check quality, "
        "bring archived bars back, say which company a ticker meant when, edit the universe.\n\n"
        "Example:  [bold]trading data import bars.csv --track[/bold]  then  [bold]trading data gaps[/bold]"
    ),
)
data_commands.command("import")(importing.import_file)
data_commands.command("actions")(actions.actions)
data_commands.command("export")(exporting.export)
data_commands.command("gaps")(gaps.gaps)
data_commands.command("show")(showing.show)
data_commands.command("quality")(quality.quality)
data_commands.command("restore")(restoring.restore)
data_commands.add_typer(life_commands, name="lives")
data_commands.add_typer(universe_commands, name="universe")
