"""What rules that are written as expressions share: names, constants, and how errors name their place."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from trading.bars import FIELDS
from trading.expressions import FUNCTIONS, ExpressionError, parse, series
from trading.indicators.long_tail import LONG_TAIL
from trading.rules.readiness import known

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trading.bars import Floats
    from trading.expressions import Node
    from trading.expressions.nodes import Kind
    from trading.indicators import BySymbol
    from trading.rules.readiness import Values

MOST_NAMES = 20
"""Most named expressions, and most constants, of a rule."""

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,29}$")]
Text = Annotated[str, Field(max_length=2000)]
RESERVED = frozenset({*FIELDS, *FUNCTIONS, "and", "or", "not", "if", "else", "in", "is", "for", "lambda"}) - {
    one.name for one in LONG_TAIL
}
"""Words that nothing may be named after; a name such as `slope` may be taken, `slope(close, 5)` stays what it is."""


class Written(BaseModel):
    """The part of a rule that its expressions may use by name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    parameters: dict[Name, float] = Field(
        default_factory=dict, max_length=MOST_NAMES, description="constants that the expressions use by name"
    )
    indicators: dict[Name, Text] = Field(
        default_factory=dict,
        max_length=MOST_NAMES,
        description='expressions that later ones use by name, such as {"fast": "sma(close, 20)"}',
    )

    def named(self) -> dict[str, Node]:
        """Return the named expressions, checked; ValueError says which is wrong, and where."""
        found: dict[str, Node] = {}
        for name in [*self.parameters, *self.indicators]:
            if name in RESERVED:
                raise ValueError(f"{name!r} is a word of the language; take another name")
        twice = set(self.parameters) & set(self.indicators)
        if twice:
            raise ValueError(f"{', '.join(sorted(twice))} is both a parameter and an indicator; take another name")
        for name, text in self.indicators.items():
            node = self.checked(f"indicators.{name}", text, "series", found)
            found[name] = _called(node, name)
        return found

    def checked(self, place: str, text: str, gives: Kind, named: dict[str, Node]) -> Node:
        """Return a checked expression; ValueError says the place and the column of what is wrong."""
        try:
            return parse(text, gives=gives, named=named, parameters=self.parameters)
        except ExpressionError as error:
            raise ValueError(f"{place}: {error}") from None


def _called(node: Node, name: str) -> Node:
    return replace(node, text=name, leaf=True)


def figures(nodes: Sequence[Node], data: BySymbol, column: int, row: int = -1) -> dict[str, float | None]:
    """Return the values of a symbol's parts of expressions, by their text."""
    shown = data.remembered(("shown", *nodes), lambda: _shown(nodes, data))
    return {text: known(float(values[column, row])) for text, values in shown.items()}


def _shown(nodes: Sequence[Node], data: BySymbol) -> dict[str, Floats]:
    """Return the (N, T) values of the parts of expressions that people want to see, by their text."""
    found: dict[str, Floats] = {}
    for node in nodes:
        for leaf in node.leaves():
            if leaf.text not in found:
                found[leaf.text] = series(leaf, data)
    return found


def worded(values: Values | dict[str, float | None]) -> str:
    """Return figures in words: "rsi(close, 14) 28.10, close 12.34"."""
    return ", ".join(f"{name} {_amount(value)}" for name, value in values.items())


def _amount(value: float | str | None) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, str):
        return value
    if abs(value) >= 1e6:  # noqa: PLR2004 - volumes
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) >= 1 or value == 0 else f"{value:.4f}"


def row_of(data: BySymbol, column: int, bars_back: int) -> int:
    """Return the row of a symbol's bar that many bars before its last."""
    rows = np.flatnonzero(~np.isnan(data.field("close")[column]))
    return int(rows[-1 - bars_back])
