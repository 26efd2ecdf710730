"""How an indicator of the long tail is declared: a function of pandas-ta, what it is given and what it answers."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trading.indicators.entry import SETTLED, Indicator, Input, Parameter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

CLOSE: tuple[Input, ...] = ("close",)
VOLUME: tuple[Input, ...] = ("volume",)
BAND: tuple[Input, ...] = ("high", "low")
RANGE: tuple[Input, ...] = ("high", "low", "close")
BODY: tuple[Input, ...] = ("open", "close")
BAR: tuple[Input, ...] = ("open", "high", "low", "close")
TRADED: tuple[Input, ...] = ("close", "volume")
RANGE_TRADED: tuple[Input, ...] = ("high", "low", "close", "volume")
BAR_TRADED: tuple[Input, ...] = ("open", "high", "low", "close", "volume")

TURNS = 1500
"""Bars in which an indicator that turns on comparisons turns, as a rule, often enough to forget where it started."""


@dataclass(frozen=True, slots=True)
class Output:
    """A result of a study: its name in the catalogue, its column, and how far it looks back (see `Indicator`).

    Of two columns, the second fills what the first leaves empty.
    """

    name: str
    column: int | tuple[int, int]
    warm_up: Callable[..., int]
    description: str
    memory: Callable[..., int] | None = None
    as_a_rule: bool = False
    anchored: bool = False


@dataclass(frozen=True, slots=True)
class Study:
    """A function of pandas-ta with its inputs, its parameters and what it is always given."""

    function: str
    inputs: tuple[Input, ...]
    parameters: tuple[Parameter, ...]
    outputs: tuple[Output, ...]
    fixed: Mapping[str, Any] = field(default_factory=dict)

    @property
    def kernel(self) -> str:
        """The name under which the catalogue computes it."""
        return f"pandas_ta.{self.function}"

    def indicators(self) -> Iterator[Indicator]:
        """Yield an entry of the catalogue for each output."""
        for row, output in enumerate(self.outputs):
            yield Indicator(
                output.name,
                self.parameters,
                self.inputs,
                output.warm_up,
                _at_least(output.warm_up, output.memory),
                output.description,
                self.kernel,
                row,
                source=f"pandas-ta {self.function}",
                as_a_rule=output.as_a_rule,
                anchored=output.anchored,
            )


def _at_least(warm_up: Callable[..., int], memory: Callable[..., int] | None) -> Callable[..., int]:
    return warm_up if memory is None else lambda *values: max(warm_up(*values), memory(*values))


def study(
    function: str, inputs: tuple[Input, ...], parameters: tuple[Parameter, ...], *outputs: Output, **fixed: Any
) -> Study:
    """Return a study; `fixed` is what the function is always given besides its parameters."""
    return Study(function, inputs, parameters, outputs, fixed)


def bars(name: str, default: float, least: float = 2, most: float = 1000) -> Parameter:
    """Return a parameter that counts bars."""
    return Parameter(name, default, least, most)


def number(name: str, default: float, least: float = 0.01, most: float = 100) -> Parameter:
    """Return a parameter that is any number."""
    return Parameter(name, default, least, most, whole=False)


def length(default: float, least: float = 2, most: float = 1000) -> tuple[Parameter, ...]:
    """Return the parameters of an indicator with one window."""
    return (bars("length", default, least, most),)


def turned(*values: float) -> int:
    """Return the memory, as a rule, of what depends on its own past through comparisons."""
    return TURNS + 30 * max((value for value in values if isinstance(value, int)), default=0)


def faded(modulus: float) -> int:
    """Return after how many bars a filter whose largest pole is `modulus` has forgotten its start, to `SETTLED`."""
    return 0 if modulus <= 0 else math.ceil(math.log(SETTLED) / math.log(modulus))
