"""Nodes put together of their parts: constants, fields, and what an operator makes of others."""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING

import numpy as np

from trading.expressions.errors import ExpressionError
from trading.expressions.nodes import Kind, Node

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from trading.bars import Field, Floats
    from trading.expressions.evaluating import Truth
    from trading.indicators import BySymbol

LARGEST = 1e15
"""Largest constant."""


def number(value: float, column: int) -> Node:
    """Return a constant; ExpressionError where it is too large, with the column."""
    if not abs(value) <= LARGEST:
        raise ExpressionError(column, f"a constant is at most {LARGEST:g} in size")
    return Node("number", f"{value:g}", repr(float(value)), value=float(value))


def folded(work: Callable[..., object], parts: Sequence[Node], column: int) -> float:
    """Return what an operator makes of constants; ExpressionError for a division by zero, with the column."""
    try:
        value = float(work(*(part.value for part in parts)))  # type: ignore[arg-type]  # of floats
    except ZeroDivisionError:
        raise ExpressionError(column, "a division by zero") from None
    return value if math.isfinite(value) else math.inf


def field(name: Field) -> Node:
    """Return a field of the bars."""
    return Node("series", name, name, (), lambda data: data.field(name), leaf=True)


def finite(work: Callable[..., Floats], one: Floats | float, other: Floats | float) -> Floats:
    """Return what an operator makes of figures; NaN where a division has no finite result."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        values = work(one, other)
    return np.where(np.isfinite(values), values, np.nan) if work is operator.truediv else values


def all_of(_: BySymbol, first: Truth, *others: Truth) -> Truth:
    """Return whether all conditions hold."""
    for other in others:
        first &= other
    return first


def bracketed(part: Node, *, within: Kind) -> str:
    """Return a part's text, in brackets where it is made with operators that would be read otherwise without."""
    joined = part.key.startswith("(") and " " in part.text
    if within == "condition":
        joined = joined and all(inner.kind == "condition" for inner in part.parts)
    return f"({part.text})" if joined else part.text


def combined(kind: Kind, parts: tuple[Node, ...], sign: str, work: Callable[..., object]) -> Node:
    """Return what an operator written between the parts makes of them."""
    return Node(
        kind,
        sign.join(bracketed(part, within=kind) for part in parts),
        "(" + sign.join(part.key for part in parts) + ")",
        parts,
        work,
        max(part.warm_up for part in parts),
        max(part.memory for part in parts),
        across=any(part.across for part in parts),
    )
