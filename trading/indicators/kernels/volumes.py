"""What volume says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trading.compilation import compiled
from trading.indicators.kernels.rows import placed, present, shared_by_two, taken
from trading.indicators.kernels.windows import window_means, window_sums

if TYPE_CHECKING:
    from trading.bars import Floats


@compiled
def signed_volumes(close: Floats, volume: Floats) -> Floats:
    """Volumes of rising bars, minus those of falling ones."""
    result = np.zeros(len(close))
    for t in range(1, len(close)):
        if close[t] > close[t - 1]:
            result[t] = volume[t]
        elif close[t] < close[t - 1]:
            result[t] = -volume[t]
    return result


@compiled
def obv(close: Floats, volume: Floats, out: Floats) -> None:
    """Write the first volume plus those of rising bars minus those of falling bars since."""
    for i in range(len(close)):
        where, x, shares = shared_by_two(close[i], volume[i])
        signed = signed_volumes(x, shares)
        if len(x):
            signed[0] = shares[0]
        placed(np.cumsum(signed), where, out[0, i])


@compiled
def obv_change(close: Floats, volume: Floats, length: int, out: Floats) -> None:
    """Write the volumes of rising bars minus those of falling bars, of the last `length`."""
    for i in range(len(close)):
        where, x, shares = shared_by_two(close[i], volume[i])
        placed(window_sums(signed_volumes(x, shares)[1:], length), where, out[0, i])


@compiled
def vwap(high: Floats, low: Floats, close: Floats, volume: Floats, length: int, out: Floats) -> None:
    """Write the volume-weighted mean of (high + low + close) / 3 over `length` bars; NaN where nothing traded."""
    for i in range(len(close)):
        where = present(high[i] + low[i] + close[i] + volume[i])
        shares = taken(volume[i], where)
        typical = (taken(high[i], where) + taken(low[i], where) + taken(close[i], where)) / 3
        value, total = window_sums(typical * shares, length), window_sums(shares, length)
        result = np.full(len(shares), np.nan)
        for t in range(length - 1, len(shares)):
            if total[t] > 0:
                result[t] = value[t] / total[t]
        placed(result, where, out[0, i])


@compiled
def dollar_volume(close: Floats, volume: Floats, length: int, out: Floats) -> None:
    """Write the mean of close times volume, in USD."""
    for i in range(len(close)):
        where, x, shares = shared_by_two(close[i], volume[i])
        placed(window_means(x * shares, length), where, out[0, i])
