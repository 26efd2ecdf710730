"""The long tail of indicators: functions of pandas-ta that look back only.

Their definitions are pandas-ta's own, whether or not TA-Lib is installed; two that it has wrong are put
right (`corrected`). They are computed symbol by symbol in Python, tens to thousands of times slower than the core's
compiled kernels. A value comes from the bars up to its own, and the live update of a last bar is the same computation
over again. What looks ahead, redraws, reads the whole sample or is not what its name says is left out (`left_out`).
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from trading.indicators.long_tail import averages, candles, momentum, statistics, trend, volatility, volume

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trading.indicators.entry import Indicator
    from trading.indicators.long_tail.study import Study

_ALL = tuple(
    study for module in (averages, candles, momentum, statistics, trend, volatility, volume) for study in module.STUDIES
)

STUDIES: Mapping[str, Study] = MappingProxyType({study.kernel: study for study in _ALL})
"""Every study by the name of its kernel."""

LONG_TAIL: tuple[Indicator, ...] = tuple(
    sorted((indicator for study in _ALL for indicator in study.indicators()), key=lambda one: one.name)
)
"""An entry of the catalogue for each result of each study, by name."""
