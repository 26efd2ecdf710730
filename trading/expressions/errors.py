"""What is wrong with an expression, and at which column."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from trading.errors import TradingError

if TYPE_CHECKING:
    from collections.abc import Iterable


class ExpressionError(TradingError):
    """Raised when a text is no expression of the language; says the column, counted from 1, and what to write."""

    def __init__(self, column: int, problem: str) -> None:
        super().__init__(f"column {column}: {problem}")
        self.column = column
        self.problem = problem


def unknown(column: int, kind: str, name: str, known: Iterable[str]) -> ExpressionError:
    """Return the error for a name that is not there, with the nearest one that is."""
    known = sorted(known)
    close = get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}"
    return ExpressionError(column, f"unknown {kind} {name!r}; {hint}")
