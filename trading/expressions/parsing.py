"""From text to a checked expression."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from trading.expressions.checking import Checker
from trading.expressions.errors import ExpressionError
from trading.expressions.nodes import KIND_NAMES, Kind, Node
from trading.expressions.syntax import syntax_tree

if TYPE_CHECKING:
    from collections.abc import Mapping

NOTHING: Mapping[str, Node] = MappingProxyType({})
NO_NUMBERS: Mapping[str, float] = MappingProxyType({})


def parse(
    text: str,
    *,
    gives: Kind = "condition",
    named: Mapping[str, Node] = NOTHING,
    parameters: Mapping[str, float] = NO_NUMBERS,
) -> Node:
    """Return the checked expression that a text holds.

    Parameters
    ----------
    text
        Such as "crossed_above(sma(close, 20), sma(close, 50)) and rsi(close, 14) < 70".
    gives
        The type it has to have.
    named
        Expressions that may be used by name.
    parameters
        Constants that may be used by name.

    Raises
    ------
    ExpressionError
        It is not in the language, has another type, or is too large; with the column.
    """
    flat = " ".join(text.split("\n")).strip()
    node = Checker(named, parameters).check(syntax_tree(flat))
    if node.kind != gives and not (gives == "series" and node.kind == "number"):
        example = "write a comparison, such as close > sma(close, 50)" if gives == "condition" else "write a number"
        raise ExpressionError(1, f"this is {KIND_NAMES[node.kind]}, and {KIND_NAMES[gives]} is needed; {example}")
    return node
