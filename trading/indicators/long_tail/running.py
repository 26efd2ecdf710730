"""Running a study: pandas-ta over the present bars of each symbol, quietly, its values placed back."""

from __future__ import annotations

import warnings
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from trading.indicators.long_tail.corrected import CORRECTED

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType

    import pandas as pd

    from trading.bars import Floats
    from trading.indicators.long_tail.study import Study

_ONE_AT_A_TIME = Lock()
"""Python's list of warning filters is one for all threads: whoever changes it for a while does so alone."""


@lru_cache(maxsize=1)
def library() -> ModuleType:
    """Return pandas-ta, imported at its first use: it takes a second, and warns of pandas' next version.

    It takes TA-Lib's figures where that is installed; here it is told that it is not, so that an indicator is the
    same on every machine.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pandas_ta

    pandas_ta.Imports["talib"] = False
    module: ModuleType = pandas_ta
    return module


def run(study: Study, inputs: Sequence[Floats], values: Sequence[float]) -> Floats:
    """Return (outputs, N, T): the study over (N, T) inputs with its parameters' values.

    NaN where an input has none, before each output's warm-up, and where the formula gives no finite number.
    """
    out = np.full((len(study.outputs), *inputs[0].shape), np.nan)
    warm_ups = [int(output.warm_up(*values)) for output in study.outputs]
    with _ONE_AT_A_TIME, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = library()
        work: Callable[..., Any] = getattr(module, study.function)
        work = CORRECTED.get(study.function, work)
        for symbol in range(len(inputs[0])):
            there = ~np.any([np.isnan(one[symbol]) for one in inputs], axis=0)
            present = [one[symbol, there] for one in inputs]
            for row, found in enumerate(_computed(study, work, present, values, min(warm_ups))):
                found[: warm_ups[row] - 1] = np.nan
                out[row, symbol, there] = found
    return out


def _computed(
    study: Study, work: Callable[..., Any], present: Sequence[Floats], values: Sequence[float], needed: int
) -> list[Floats]:
    """Return every output over the bars of one symbol, none of them finite where there are fewer than `needed`."""
    import pandas as pd

    bars = len(present[0])
    nothing: list[Floats] = [np.full(bars, np.nan) for _ in study.outputs]
    if bars < needed:
        return nothing
    given = {
        "open_" if name == "open" else name: pd.Series(one, copy=True)
        for name, one in zip(study.inputs, present, strict=True)
    }
    constants = {parameter.name: value for parameter, value in zip(study.parameters, values, strict=True)}
    with np.errstate(all="ignore"):
        answer = work(**given, **constants, **study.fixed)
    found = answer[0] if isinstance(answer, tuple) else answer
    if found is None:
        return nothing
    table = found.to_frame() if isinstance(found, pd.Series) else found
    return [_figures(table, output.column) for output in study.outputs]


def _figures(table: pd.DataFrame, column: int | tuple[int, int]) -> Floats:
    if isinstance(column, tuple):
        one, other = (_figures(table, part) for part in column)
        return np.where(np.isnan(one), other, one)
    found: Floats = table.iloc[:, column].to_numpy(dtype=np.float64, copy=True)
    return np.where(np.isfinite(found), found, np.nan)
