"""What an entry of the catalogue is: an indicator, its parameters and how far it looks back."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from trading.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_LENGTH = 5000
"""Longest window, in bars."""

SETTLED = 1e-9
"""What may be left of the seed's influence on a recursive average when its `memory` is over."""

Input = Literal["open", "high", "low", "close", "volume", "market"]
"""A field of a bar, or `market`: the index of equal shares of the panel's symbols, 1 at its first bar."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter with its default and its bounds, both included; whole unless said otherwise."""

    name: str
    default: float
    least: float = 1
    most: float = MAX_LENGTH
    whole: bool = True

    def checked(self, value: float, owner: str) -> float:
        """Return the value; InvalidValueError, in the name of `owner`, when it is none of this parameter's."""
        if not (self.least <= value <= self.most) or (self.whole and not float(value).is_integer()):
            kind = "a whole number" if self.whole else "a number"
            raise InvalidValueError(f"{self.name} of {owner}", value, f"{kind} from {self.least:g} to {self.most:g}")
        return int(value) if self.whole else float(value)


@dataclass(frozen=True, slots=True)
class Indicator:
    """An entry of the catalogue.

    Attributes
    ----------
    name
        First part of its spec.
    parameters
        In the order a spec gives them.
    inputs
        What it reads of every bar.
    warm_up
        From parameter values to the number of bars before the first value, that bar included.
    memory
        From parameter values to the number of bars after which the value no longer depends on where the history
        starts, to `SETTLED`; for windowed indicators it is the warm-up, and exact.
    description
        What it measures, in which unit, with the source of the formula.
    kernel, output
        The function that computes it, and which of its results this is.
    source
        Where the function is from.
    as_a_rule
        Whether `memory` is what it takes as a rule, with no bound that could be proved: the next value depends on
        comparisons with the last one, so two histories agree from the bar on at which both turned.
    anchored
        Whether the level depends on where the history starts for ever; no strategy may read it.
    """

    name: str
    parameters: tuple[Parameter, ...]
    inputs: tuple[Input, ...]
    warm_up: Callable[..., int]
    memory: Callable[..., int]
    description: str
    kernel: str
    output: int = 0
    source: str = "numba kernel"
    as_a_rule: bool = False
    anchored: bool = False


def forgotten(alpha: float) -> int:
    """Return after how many bars an exponential average has forgotten its seed, to `SETTLED`."""
    return 0 if alpha >= 1 else math.ceil(math.log(SETTLED) / math.log(1 - alpha))


def ema_memory(length: int) -> int:
    """Return the memory of an EMA seeded with a mean of its first bars."""
    return length + forgotten(2 / (length + 1))


def wilder_memory(length: int) -> int:
    """Return the memory of Wilder's average, seeded likewise."""
    return length + forgotten(1 / length)
