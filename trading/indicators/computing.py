"""Computing indicators: a panel's figures laid out symbol by symbol, and the kernels run over all cores."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import pairwise
from typing import TYPE_CHECKING, cast

import numpy as np

from trading.indicators.catalogue import parse
from trading.indicators.long_tail import STUDIES, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from trading.bars import Floats, Panel
    from trading.indicators.catalogue import Indicator, Input

SMALL = 100_000
"""Cells of a panel that are not worth a second thread."""

OUTPUTS = {"macd": 3, "bollinger": 3, "bollinger_place": 2, "stochastic": 2, "donchian": 3, "keltner": 2}
"""How many results a kernel has, where it is not one."""


class BySymbol:
    """A panel's figures as (N, T) arrays, a row for each symbol, and what was computed of them so far."""

    def __init__(self, panel: Panel) -> None:
        self.panel = panel
        self.shape = (len(panel.symbols), len(panel))
        self._known: dict[object, object] = {}

    def field(self, name: Input) -> Floats:
        """Return (N, T) figures of a field, or of the market's index."""
        return self.remembered(
            name, lambda: turned(market_index(self.panel) if name == "market" else self.panel.field(name))
        )

    def indicator(self, indicator: Indicator, values: Sequence[float]) -> Floats:
        """Return the (N, T) values of an indicator of the panel's own fields."""
        results: Floats = self.kernel(indicator.kernel, indicator.inputs, values)[indicator.output]
        return results

    def kernel(self, name: str, inputs: tuple[Input, ...], values: Sequence[float]) -> Floats:
        """Return all results of a kernel over the panel's fields: (outputs, N, T)."""
        return self.remembered(
            (name, inputs, tuple(values)), lambda: run(name, [self.field(one) for one in inputs], values)
        )

    def remembered[T](self, key: object, make: Callable[[], T]) -> T:
        """Return what was made under a key, made now when it was not."""
        if key not in self._known:
            self._known[key] = make()
        return cast("T", self._known[key])


_IN_USE: ContextVar[BySymbol | None] = ContextVar("in_use", default=None)


@contextmanager
def sharing(panel: Panel) -> Iterator[None]:
    """Let everything that is asked of this panel inside the block be computed once."""
    token = _IN_USE.set(BySymbol(panel))
    try:
        yield
    finally:
        _IN_USE.reset(token)


def by_symbol(panel: Panel) -> BySymbol:
    """Return the figures of a panel, those in use where it is the one that is shared."""
    found = _IN_USE.get()
    return found if found is not None and found.panel is panel else BySymbol(panel)


def run(name: str, inputs: Sequence[Floats], values: Sequence[float]) -> Floats:
    """Return (outputs, N, T): a kernel over (N, T) inputs, the symbols shared out among the cores.

    A study of the long tail is computed symbol by symbol instead.
    """
    if name in STUDIES:
        return running.run(STUDIES[name], inputs, values)
    from trading.indicators import kernels

    kernel = getattr(kernels, name)
    out = np.empty((OUTPUTS.get(name, 1), *inputs[0].shape))
    _shared(lambda part: kernel(*(one[part] for one in inputs), *values, out[:, part]), len(inputs[0]), out[0].size)
    return out


def only(name: str, values: Floats, length: float) -> Floats:
    """Return the (N, T) result of a kernel of one series, one constant and one result."""
    result: Floats = run(name, [values], (length,))[0]
    return result


def turned(values: Floats) -> Floats:
    """Return the transpose as an array of its own: (T, N) to (N, T) or back."""
    from trading.indicators import kernels

    plain = np.array(values, order="C") if not values.flags.c_contiguous or not values.flags.writeable else values
    out = np.empty(plain.shape[::-1])
    _shared(lambda part: kernels.transposed(plain[:, part], out[part]), out.shape[0], out.size)
    return out


def compute(spec: str, panel: Panel) -> Floats:
    """Return the (T, N) values that `spec` names, NaN during warm-up and where a symbol has no bar.

    Parameters
    ----------
    spec
        Name and parameters joined by underscores: "rsi_14", "bollinger_upper_20_2"; the rest are defaults.
    panel
        The bars.

    Raises
    ------
    UnknownNameError, InvalidValueError
        As `parse`.
    """
    indicator, values = parse(spec)
    return turned(by_symbol(panel).indicator(indicator, values))


def warm_up(spec: str) -> int:
    """Return how many bars `spec` needs for its first value."""
    indicator, values = parse(spec)
    return int(indicator.warm_up(*values))


def memory(spec: str) -> int:
    """Return after how many bars a value of `spec` no longer depends on where the history starts; see `Indicator`."""
    indicator, values = parse(spec)
    return int(indicator.memory(*values))


def market_index(panel: Panel) -> Floats:
    """Return (T, N), in every column the index of equal shares of all symbols, rebalanced at each bar.

    A bar's return is the mean over the symbols with a bar now and before; 1 at the first bar.
    """
    close = panel.close
    if not close.size:
        return close.copy()
    rows = np.where(np.isnan(close), 0, np.arange(len(panel))[:, None])
    last = np.take_along_axis(close, np.maximum.accumulate(rows, axis=0), axis=0)
    gains = np.full(close.shape, np.nan)
    gains[1:] = close[1:] / last[:-1] - 1
    known = ~np.isnan(gains)
    mean = np.where(known, gains, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return np.repeat(np.cumprod(1 + mean)[:, None], close.shape[1], axis=1)


def _shared(work: Callable[[slice], object], symbols: int, cells: int) -> None:
    """Run `work` over all symbols, in as many threads as the process has cores when that pays."""
    cores = min(_cores(), symbols)
    if cells < SMALL or cores < 2:  # noqa: PLR2004 - one is no sharing
        work(slice(0, symbols))
        return
    edges = [symbols * core // cores for core in range(cores + 1)]
    with ThreadPoolExecutor(cores) as pool:
        for done in [pool.submit(work, slice(a, b)) for a, b in pairwise(edges)]:
            done.result()


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
