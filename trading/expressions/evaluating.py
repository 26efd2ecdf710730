"""Values of a checked expression over a panel: (N, T) arrays, a row for each symbol."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trading.bars import Floats
    from trading.expressions.nodes import Node
    from trading.indicators import BySymbol

    Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """A condition of each symbol and bar (N, T): known to hold, known not to hold, or, where both are False, unknown.

    What is compared with an absent figure is unknown, and `not` leaves it so (Kleene 1938).
    """

    yes: Bools
    no: Bools

    def __and__(self, other: Truth) -> Truth:
        return Truth(self.yes & other.yes, self.no | other.no)

    def __or__(self, other: Truth) -> Truth:
        return Truth(self.yes | other.yes, self.no & other.no)

    def __invert__(self) -> Truth:
        return Truth(self.no, self.yes)


def series(node: Node, data: BySymbol) -> Floats:
    """Return the (N, T) values of a number or series; NaN where there is none."""
    value = evaluate(node, data)
    return np.full(data.shape, value) if isinstance(value, float) else cast("Floats", value)


def condition(node: Node, data: BySymbol) -> Truth:
    """Return where a condition holds."""
    return cast("Truth", evaluate(node, data))


def evaluate(node: Node, data: BySymbol) -> Any:
    """Return a node's value: a float, (N, T) floats or a `Truth`; each is computed once for a panel."""
    if node.kind == "number":
        return node.value
    if node.work is None:
        raise TypeError(f"{node.text} has nothing to do")
    work = node.work
    return data.remembered(("expression", node.key), lambda: work(data, *(evaluate(part, data) for part in node.parts)))
