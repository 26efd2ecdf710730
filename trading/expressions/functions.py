"""The functions of the language: the indicators, looking back, crossing, comparing symbols."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from trading.expressions.evaluating import Truth
from trading.indicators.catalogue import CATALOGUE, Parameter
from trading.indicators.computing import only, run, turned

if TYPE_CHECKING:
    from collections.abc import Callable

    from trading.bars import Floats
    from trading.indicators import BySymbol, Indicator

Takes = Literal["series", "condition", "value"]
"""What an argument has to be; a value is a series or a number."""

_LENGTH = Parameter("length", 20)
_BARS = Parameter("bars", 1)


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the language.

    Attributes
    ----------
    takes
        Names of the arguments that are series or conditions, and which of the two.
    parameters
        The constants after them, with bounds; those at the end may be left out where `optional`.
    gives
        Its type.
    description
        What it gives, in a sentence.
    work
        From the panel's figures, the arguments and the constants to the values.
    warm_up, memory
        From the constants to the bars it adds to what its arguments need; 1 adds none.
    across
        Whether it compares symbols.
    optional
        Whether constants have defaults.
    """

    takes: tuple[tuple[str, Takes], ...]
    parameters: tuple[Parameter, ...]
    gives: Literal["series", "condition"]
    description: str
    work: Callable[..., object]
    warm_up: Callable[..., int] = lambda *_: 1
    memory: Callable[..., int] | None = None
    across: bool = False
    optional: bool = False

    def usage(self, name: str) -> str:
        """Return how it is called, such as "sma(series, length=20)"."""
        constants = [f"{one.name}={one.default:g}" if self.optional else one.name for one in self.parameters]
        return f"{name}({', '.join([*(argument for argument, _ in self.takes), *constants])})"


def _of_indicator(indicator: Indicator) -> Function:
    """Return an indicator as a function: of one series it takes that first, of several fields it reads them."""
    if len(indicator.inputs) == 1:
        takes: tuple[tuple[str, Takes], ...] = (("series", "series"),)

        def work(_: BySymbol, values: Floats, *constants: float) -> Floats:
            results: Floats = run(indicator.kernel, [values], constants)[indicator.output]
            return results
    else:
        takes = ()

        def work(data: BySymbol, *constants: float) -> Floats:  # type: ignore[misc]  # the other shape of call
            return data.indicator(indicator, constants)

    return Function(
        takes,
        indicator.parameters,
        "series",
        indicator.description,
        work,
        indicator.warm_up,
        indicator.memory,
        across="market" in indicator.inputs,
        optional=True,
    )


def _finite(values: Floats) -> Floats:
    return np.where(np.isfinite(values), values, np.nan)


def _log(_: BySymbol, values: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return _finite(np.log(values))


def _sqrt(_: BySymbol, values: Floats) -> Floats:
    with np.errstate(invalid="ignore"):
        return np.sqrt(values)


def _ago(_: BySymbol, values: Floats, bars: int) -> Floats:
    return only("ago", values, bars)


def _change(data: BySymbol, values: Floats, bars: int) -> Floats:
    return values - _ago(data, values, bars)


def _before(data: BySymbol, value: Floats) -> Floats:
    return _ago(data, value, 1) if value.ndim else value


def _crossed_above(data: BySymbol, one: Floats | float, other: Floats | float) -> Truth:
    one, other = np.asarray(one), np.asarray(other)  # at most one of them is a constant
    was, were = _before(data, one), _before(data, other)
    return Truth((one > other) & (was <= were), (one <= other) | (was > were))


def _crossed_below(data: BySymbol, one: Floats | float, other: Floats | float) -> Truth:
    return _crossed_above(data, other, one)


def _always(_: BySymbol, held: Truth, length: int) -> Truth:
    lowest = only("lowest", _figures(held), length)
    return Truth(lowest == 1, lowest == 0)


def _ever(_: BySymbol, held: Truth, length: int) -> Truth:
    top = only("highest", _figures(held), length)
    return Truth(top == 1, top == 0)


def _figures(held: Truth) -> Floats:
    return np.where(held.yes, 1.0, np.where(held.no, 0.0, np.nan))


def ranked(values: Floats) -> Floats:
    """Return (N, T) ranks among the symbols that have a value at a bar: 1 the highest, ties in column order."""
    bars = -turned(values)
    order = np.argsort(bars, axis=1, kind="stable")
    ranks = np.empty_like(bars)
    np.put_along_axis(ranks, order, np.arange(1.0, bars.shape[1] + 1)[None, :], axis=1)
    return turned(np.where(np.isnan(bars), np.nan, ranks))


def _rank(_: BySymbol, values: Floats) -> Floats:
    return ranked(values)


def _percent_rank(_: BySymbol, values: Floats) -> Floats:
    count = (~np.isnan(values)).sum(axis=0)
    return np.where(np.isnan(values), np.nan, (count - ranked(values)) / np.maximum(count - 1, 1))


def _universe_mean(_: BySymbol, values: Floats) -> Floats:
    there = ~np.isnan(values)
    mean = np.where(there, values, 0.0).sum(axis=0) / np.maximum(there.sum(axis=0), 1)
    return np.where(there, mean, np.nan)


def _breadth(_: BySymbol, held: Truth) -> Floats:
    there = held.yes | held.no
    share = held.yes.sum(axis=0) / np.maximum(there.sum(axis=0), 1)
    return np.where(there, share, np.nan)


_ONE: tuple[tuple[str, Takes], ...] = (("series", "series"),)
_TWO: tuple[tuple[str, Takes], ...] = (("one", "value"), ("other", "value"))
_HELD: tuple[tuple[str, Takes], ...] = (("condition", "condition"),)


def _windowed(name: str, description: str) -> Function:
    def work(_: BySymbol, values: Floats, length: int) -> Floats:
        return only(name, values, length)

    return Function(_ONE, (_LENGTH,), "series", description, work, lambda n: n)


FUNCTIONS: dict[str, Function] = {
    **{name: _of_indicator(indicator) for name, indicator in CATALOGUE.items() if not indicator.anchored},
    "highest": _windowed("highest", "The highest of the last length values, this bar's included."),
    "lowest": _windowed("lowest", "The lowest of the last length values, this bar's included."),
    "total": _windowed("total", "The sum of the last length values, this bar's included."),
    "ago": Function(_ONE, (_BARS,), "series", "The value that many bars of the symbol earlier.", _ago, lambda n: n + 1),
    "change": Function(_ONE, (_BARS,), "series", "The value minus the one bars earlier.", _change, lambda n: n + 1),
    "crossed_above": Function(
        _TWO, (), "condition", "One is above the other, and was not at the bar before.", _crossed_above, lambda: 2
    ),
    "crossed_below": Function(
        _TWO, (), "condition", "One is below the other, and was not at the bar before.", _crossed_below, lambda: 2
    ),
    "always": Function(
        _HELD, (_LENGTH,), "condition", "The condition held at each of the last length bars.", _always, lambda n: n
    ),
    "ever": Function(
        _HELD, (_LENGTH,), "condition", "The condition held at one of the last length bars.", _ever, lambda n: n
    ),
    "abs": Function(_ONE, (), "series", "The value without its sign.", lambda _, values: np.abs(values)),
    "log": Function(_ONE, (), "series", "The natural logarithm; none of zero and below.", _log),
    "sqrt": Function(_ONE, (), "series", "The square root; none below zero.", _sqrt),
    "min": Function(_TWO, (), "series", "The lower of the two.", lambda _, one, other: np.minimum(one, other)),
    "max": Function(_TWO, (), "series", "The higher of the two.", lambda _, one, other: np.maximum(one, other)),
    "rank": Function(_ONE, (), "series", "Place among the symbols at this bar: 1 the highest.", _rank, across=True),
    "percent_rank": Function(
        _ONE,
        (),
        "series",
        "Place among the symbols: 1 the highest, 0 the lowest.",
        _percent_rank,
        across=True,
    ),
    "universe_mean": Function(
        _ONE, (), "series", "The mean over the symbols at this bar.", _universe_mean, across=True
    ),
    "breadth": Function(
        _HELD, (), "series", "The share of the symbols, 0 to 1, for which the condition holds.", _breadth, across=True
    ),
}
"""Every function by name."""
