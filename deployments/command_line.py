"""What every command shares: errors as one line, and the choice between a table and JSON."""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of a table.")]


def one_line_errors[**P](command: Callable[P, None]) -> Callable[P, None]:
    """Turn the project's errors into one line on stderr and exit code 1, Ctrl-C into 130."""

    @functools.wraps(command)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
        from trading.errors import TradingError

        try:
            command(*args, **kwargs)
        except TradingError as error:
            from deployments import terminal

            terminal.show_error(error)
            raise typer.Exit(1) from None
        except KeyboardInterrupt:
            sys.stderr.write("interrupted\n")
            raise typer.Exit(130) from None

    return guarded
