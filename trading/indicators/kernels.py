"""The arithmetic of indicators, compiled: every kernel takes (N, T) arrays, a row for each symbol.

A bar is there when every input has a figure; the others are left out before the window is counted and are NaN in
the result. Sums, deviations and extremes of windows are put together from windows of half the length, so they
take log2(length) passes, and each depends on its own window alone, to the bit. All kernels are in this one file
because a compiled function is kept on disk until its own file changes, whatever becomes of what it calls.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from trading.calendar import SESSIONS_PER_YEAR
from trading.compilation import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trading.bars import Floats

STILL = 1e-14
"""A deviation below this fraction of the mean is rounding, and counts as none."""


# --- the bars that are there ---------------------------------------------------------------------------------------


@compiled
def _present(row: Floats) -> NDArray[np.int64]:
    missing = 0
    for value in row:
        missing += math.isnan(value)
    if not missing:
        return np.arange(len(row))
    return np.flatnonzero(~np.isnan(row))


@compiled
def _taken(row: Floats, where: NDArray[np.int64]) -> Floats:
    return row if len(where) == len(row) else row[where]


@compiled
def _placed(values: Floats, where: NDArray[np.int64], out: Floats) -> None:
    if len(where) == len(out):
        out[:] = values
        return
    out[:] = np.nan
    for i in range(len(where)):
        out[where[i]] = values[i]


@compiled
def transposed(values: Floats, out: Floats) -> None:
    """Write the transpose of `values` to `out`, in blocks that fit the cache."""
    rows, columns = values.shape
    for top in range(0, rows, 64):
        for left in range(0, columns, 8):
            for column in range(left, min(left + 8, columns)):
                for row in range(top, min(top + 64, rows)):
                    out[column, row] = values[row, column]


# --- windows of one symbol -----------------------------------------------------------------------------------------


@compiled
def _added(one: Floats, other: Floats, out: Floats) -> None:
    """Write the sums; views with indices from 0 on, so that the processor adds several at a time."""
    for t in range(len(out)):
        out[t] = one[t] + other[t]


@compiled
def _joined(  # two windows next to each other: sums, squared deviations, and how many values are in each
    sum_a: Floats, square_a: Floats, a: int, sum_b: Floats, square_b: Floats, b: int, sums: Floats, squares: Floats
) -> None:
    left, right, share = 1 / a, 1 / b, a * b / (a + b)
    for t in range(len(sums)):
        apart = sum_a[t] * left - sum_b[t] * right
        squares[t] = square_a[t] + square_b[t] + apart * apart * share
        sums[t] = sum_a[t] + sum_b[t]


@compiled
def _higher(one: Floats, other: Floats, out: Floats) -> None:
    for t in range(len(out)):
        out[t] = max(other[t], one[t])


@compiled
def _sums(x: Floats, length: int) -> Floats:
    """Sum of the last `length` values; NaN before there are as many."""
    size = len(x)
    result = np.full(size, np.nan)
    if size < length:
        return result
    total, block, spare = np.zeros(size), x.copy(), np.empty(size)
    covered, width, rest = 0, 1, length
    while rest:
        if rest & 1:
            _added(total[covered:], block[: size - covered], total[covered:])
            covered += width
        rest >>= 1
        if rest:
            _added(block[width:], block[: size - width], spare[width:])
            spare[:width] = block[:width]
            block, spare = spare, block
            width *= 2
    result[length - 1 :] = total[length - 1 :]
    return result


@compiled
def _means(x: Floats, length: int) -> Floats:
    return _sums(x, length) / length


@compiled
def _moments(x: Floats, length: int) -> tuple[Floats, Floats]:
    """Sum of each window, and its squared deviations from the mean (Chan, Golub & LeVeque 1979, eq. 2.1)."""
    size = len(x)
    sums, squares = np.full(size, np.nan), np.full(size, np.nan)
    if size < length:
        return sums, squares
    total, about = np.zeros(size), np.zeros(size)
    block, spread = x.copy(), np.zeros(size)
    spare, wider = np.empty(size), np.empty(size)
    covered, width, rest = 0, 1, length
    while rest:
        if rest & 1:
            if covered == 0:
                total[:] = block
                about[:] = spread
            else:
                new, old = total[covered:], about[covered:]
                _joined(new, old, covered, block[: size - covered], spread[: size - covered], width, new, old)
            covered += width
        rest >>= 1
        if rest:
            left, right = size - width, width
            _joined(
                block[right:], spread[right:], width, block[:left], spread[:left], width, spare[right:], wider[right:]
            )
            spare[:width] = block[:width]
            wider[:width] = spread[:width]
            block, spare = spare, block
            spread, wider = wider, spread
            width *= 2
    sums[length - 1 :] = total[length - 1 :]
    squares[length - 1 :] = about[length - 1 :]
    return sums, squares


@compiled
def _deviations(x: Floats, length: int, ddof: int) -> tuple[Floats, Floats]:
    """Mean and standard deviation of each window; 0 where it stands still, NaN when length <= ddof."""
    sums, squares = _moments(x, length)
    means = sums / length
    if length <= ddof:
        return means, np.full(len(x), np.nan)
    for t in range(length - 1, len(x)):
        floor = STILL * means[t]
        variance = squares[t] / (length - ddof)
        squares[t] = math.sqrt(variance) if variance > floor * floor else 0.0
    return means, squares


@compiled
def _extremes(x: Floats, length: int, sign: float) -> Floats:
    """Return the highest (sign 1) or the lowest (sign -1) of the last `length` values."""
    size = len(x)
    result = np.full(size, np.nan)
    if size < length:
        return result
    block, spare, width = x * sign, np.empty(size), 1
    while 2 * width <= length:
        for t in range(width, size):
            one, other = block[t], block[t - width]
            spare[t] = max(other, one)
        spare[:width] = block[:width]
        block, spare = spare, block
        width *= 2
    shift = length - width
    for t in range(length - 1, size):
        one, other = block[t], block[t - shift]
        result[t] = sign * (max(other, one))
    return result


@compiled
def _smoothed(x: Floats, length: int, alpha: float, first: int, seed: float) -> Floats:
    """Smooth exponentially from `seed` at index `first`: each value is alpha new and 1 - alpha old."""
    size = len(x)
    result = np.full(size, np.nan)
    if size <= first or first < length - 1:
        return result
    value, kept = seed, 1 - alpha
    result[first] = value
    for t in range(first + 1, size):
        value = kept * value + alpha * x[t]
        result[t] = value
    return result


@compiled
def _mean_upto(x: Floats, length: int, first: int) -> float:
    total = 0.0
    for t in range(first - length + 1, min(first + 1, len(x))):
        total += x[t]
    return total / length


@compiled
def _ema(x: Floats, length: int, first: int) -> Floats:
    """Exponential average, alpha 2 / (length + 1), seeded at `first` with the mean of the `length` values to it."""
    return _smoothed(x, length, 2 / (length + 1), first, _mean_upto(x, length, first))


@compiled
def _wilder(x: Floats, length: int) -> Floats:
    return _smoothed(x, length, 1 / length, length - 1, _mean_upto(x, length, length - 1))


@compiled
def _true_ranges(high: Floats, low: Floats, close: Floats) -> Floats:
    """Range of each bar from the second on, extended to the close before: (T - 1,)."""
    size = max(len(close) - 1, 0)
    result = np.empty(size)
    for t in range(size):
        top = max(close[t], high[t + 1])
        bottom = min(close[t], low[t + 1])
        result[t] = top - bottom
    return result


@compiled
def _directional(moves: Floats, length: int) -> Floats:
    """Smooth as Wilder's sums do: seeded with length - 1 moves, first used one bar later."""
    size = len(moves)
    result = np.full(size, np.nan)
    if size >= length:
        value = 0.0
        for t in range(length - 1):
            value += moves[t]
        kept = 1 - 1 / length
        for t in range(length - 1, size):
            value = kept * value + moves[t]
            result[t] = value
    return result


@compiled
def _returns(x: Floats) -> Floats:
    size = max(len(x) - 1, 0)
    result = np.empty(size)
    for t in range(size):
        result[t] = x[t + 1] / x[t] - 1
    return result


# --- kernels: inputs (N, T), parameters, out (outputs, N, T) -------------------------------------------------------


@compiled
def sma(close: Floats, length: int, out: Floats) -> None:
    """Write the mean of the last `length` values."""
    for i in range(len(close)):
        where = _present(close[i])
        _placed(_means(_taken(close[i], where), length), where, out[0, i])


@compiled
def ema(close: Floats, length: int, out: Floats) -> None:
    """Write the exponential average with alpha = 2 / (length + 1), seeded with the first mean."""
    for i in range(len(close)):
        where = _present(close[i])
        _placed(_ema(_taken(close[i], where), length, length - 1), where, out[0, i])


@compiled
def wma(close: Floats, length: int, out: Floats) -> None:
    """Write the mean weighted 1, 2, ... `length` from the oldest to the newest."""
    for i in range(len(close)):
        where = _present(close[i])
        x = _taken(close[i], where)
        result = np.zeros(len(x))
        for back in range(length):
            weight = (length - back) / (0.5 * length * (length + 1))
            for t in range(length - 1, len(x)):
                result[t] += weight * x[t - back]
        result[: length - 1] = np.nan
        _placed(result, where, out[0, i])


@compiled
def rsi(close: Floats, length: int, out: Floats) -> None:
    """Write 100 * up / (up + down) of Wilder's averages of rises and falls; 50 where nothing moved."""
    for i in range(len(close)):
        where = _present(close[i])
        x = _taken(close[i], where)
        result = np.full(len(x), np.nan)
        if len(x) > length:
            up, down = 0.0, 0.0
            for t in range(1, length + 1):
                change = x[t] - x[t - 1]
                up += max(change, 0.0)
                down += max(-change, 0.0)
            alpha = 1 / length
            kept = 1 - alpha
            up, down = up * alpha, down * alpha
            result[length] = 100 * up / (up + down) if up + down > 0 else 50.0
            for t in range(length + 1, len(x)):
                change = x[t] - x[t - 1]
                up = kept * up + alpha * max(change, 0.0)
                down = kept * down + alpha * max(-change, 0.0)
                result[t] = 100 * up / (up + down) if up + down > 0 else 50.0
        _placed(result, where, out[0, i])


@compiled
def macd(close: Floats, fast: int, slow: int, signal: int, out: Floats) -> None:
    """Write the fast minus the slow exponential average, its exponential average, and the difference of the two.

    Both averages are seeded at the bar where the longer has its first value.
    """
    for i in range(len(close)):
        where = _present(close[i])
        x = _taken(close[i], where)
        first = max(fast, slow) - 1
        line = _ema(x, fast, first) - _ema(x, slow, first)
        smooth = np.full(len(x), np.nan)
        if len(x) > first:
            smooth[first:] = _ema(line[first:], signal, signal - 1)
        _placed(line, where, out[0, i])
        _placed(smooth, where, out[1, i])
        _placed(line - smooth, where, out[2, i])


@compiled
def bollinger(close: Floats, length: int, deviations: float, out: Floats) -> None:
    """Write the average plus and minus `deviations` population deviations, and the average."""
    for i in range(len(close)):
        where = _present(close[i])
        means, spread = _deviations(_taken(close[i], where), length, 0)
        _placed(means + deviations * spread, where, out[0, i])
        _placed(means - deviations * spread, where, out[1, i])
        _placed(means, where, out[2, i])


@compiled
def bollinger_place(close: Floats, length: int, deviations: float, out: Floats) -> None:
    """Write the width of the bands over their middle, and where the close stands from the lower (0) to the upper (1).

    The place is NaN where the bands meet.
    """
    for i in range(len(close)):
        where = _present(close[i])
        x = _taken(close[i], where)
        means, spread = _deviations(x, length, 0)
        place = np.full(len(x), np.nan)
        for t in range(length - 1, len(x)):
            if spread[t] > 0:
                place[t] = 0.5 + (x[t] - means[t]) / (2 * deviations * spread[t])
        _placed(2 * deviations * spread / means, where, out[0, i])
        _placed(place, where, out[1, i])


@compiled
def atr(high: Floats, low: Floats, close: Floats, length: int, out: Floats) -> None:
    """Write Wilder's average of the true range."""
    for i in range(len(close)):
        where = _present(high[i] + low[i] + close[i])
        x = _taken(close[i], where)
        ranges = _true_ranges(_taken(high[i], where), _taken(low[i], where), x)
        result = np.full(len(x), np.nan)
        result[1:] = _wilder(ranges, length)
        _placed(result, where, out[0, i])


@compiled
def atr_simple(high: Floats, low: Floats, close: Floats, length: int, out: Floats) -> None:
    """Write the simple mean of the true range."""
    for i in range(len(close)):
        where = _present(high[i] + low[i] + close[i])
        x = _taken(close[i], where)
        ranges = _true_ranges(_taken(high[i], where), _taken(low[i], where), x)
        result = np.full(len(x), np.nan)
        result[1:] = _means(ranges, length)
        _placed(result, where, out[0, i])


@compiled
def adx(high: Floats, low: Floats, length: int, out: Floats) -> None:
    """Write Wilder's average of 100 * |DI+ - DI-| / (DI+ + DI-), 0 where neither moves.

    The true range, and with it the close, cancels in the ratio of the two.
    """
    for i in range(len(high)):
        where = _present(high[i] + low[i])
        tops, bottoms = _taken(high[i], where), _taken(low[i], where)
        size = max(len(tops) - 1, 0)
        rising, falling, index = np.zeros(size), np.zeros(size), np.zeros(size)
        for t in range(size):
            up, down = tops[t + 1] - tops[t], bottoms[t] - bottoms[t + 1]
            rising[t] = up if up > down and up > 0 else 0.0
            falling[t] = down if down > up and down > 0 else 0.0
        plus, minus = _directional(rising, length), _directional(falling, length)
        for t in range(length - 1, size):
            total = plus[t] + minus[t]
            index[t] = 100 * abs(plus[t] - minus[t]) / total if total > 0 else 0.0
        result = np.full(len(tops), np.nan)
        if size >= length:
            result[length:] = _wilder(index[length - 1 :], length)
        _placed(result, where, out[0, i])


@compiled
def stochastic(high: Floats, low: Floats, close: Floats, length: int, slowing: int, signal: int, out: Floats) -> None:
    """Write %K, the mean over `slowing` bars of the close's place in the range of `length` bars, and its mean %D.

    The place is 0 to 100, and 0 where the range is a point.
    """
    for i in range(len(close)):
        where = _present(high[i] + low[i] + close[i])
        x = _taken(close[i], where)
        top, bottom = _extremes(_taken(high[i], where), length, 1.0), _extremes(_taken(low[i], where), length, -1.0)
        k, d = np.full(len(x), np.nan), np.full(len(x), np.nan)
        first = length - 1
        if len(x) > first:
            place = np.zeros(len(x) - first)
            for t in range(first, len(x)):
                if top[t] > bottom[t]:
                    place[t - first] = 100 * (x[t] - bottom[t]) / (top[t] - bottom[t])
            k[first:] = _means(place, slowing)
            if len(x) > first + slowing - 1:
                d[first + slowing - 1 :] = _means(k[first + slowing - 1 :], signal)
        _placed(k, where, out[0, i])
        _placed(d, where, out[1, i])


@compiled
def donchian(high: Floats, low: Floats, length: int, out: Floats) -> None:
    """Write the highest high and the lowest low of the last `length` bars, this one included, and their middle."""
    for i in range(len(high)):
        where = _present(high[i] + low[i])
        top = _extremes(_taken(high[i], where), length, 1.0)
        bottom = _extremes(_taken(low[i], where), length, -1.0)
        _placed(top, where, out[0, i])
        _placed(bottom, where, out[1, i])
        _placed((top + bottom) / 2, where, out[2, i])


@compiled
def keltner(high: Floats, low: Floats, close: Floats, length: int, bars: int, multiple: float, out: Floats) -> None:
    """Write the exponential average of the close plus and minus `multiple` average true ranges of `bars`."""
    for i in range(len(close)):
        where = _present(high[i] + low[i] + close[i])
        x = _taken(close[i], where)
        middle, reach = _ema(x, length, length - 1), np.full(len(x), np.nan)
        ranges = _true_ranges(_taken(high[i], where), _taken(low[i], where), x)
        reach[1:] = multiple * _wilder(ranges, bars)
        _placed(middle + reach, where, out[0, i])
        _placed(middle - reach, where, out[1, i])


@compiled
def roc(close: Floats, length: int, out: Floats) -> None:
    """Write the change over `length` bars in percent."""
    for i in range(len(close)):
        where = _present(close[i])
        x = _taken(close[i], where)
        result = np.full(len(x), np.nan)
        for t in range(length, len(x)):
            result[t] = 100 * (x[t] / x[t - length] - 1)
        _placed(result, where, out[0, i])


@compiled
def _signed_volumes(close: Floats, volume: Floats) -> Floats:
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
        where = _present(close[i] + volume[i])
        x, shares = _taken(close[i], where), _taken(volume[i], where)
        signed = _signed_volumes(x, shares)
        if len(x):
            signed[0] = shares[0]
        _placed(np.cumsum(signed), where, out[0, i])


@compiled
def obv_change(close: Floats, volume: Floats, length: int, out: Floats) -> None:
    """Write the volumes of rising bars minus those of falling bars, of the last `length`."""
    for i in range(len(close)):
        where = _present(close[i] + volume[i])
        signed = _signed_volumes(_taken(close[i], where), _taken(volume[i], where))
        sums = np.full(len(signed), np.nan)
        sums[1:] = _sums(signed[1:], length)
        _placed(sums, where, out[0, i])


@compiled
def vwap(high: Floats, low: Floats, close: Floats, volume: Floats, length: int, out: Floats) -> None:
    """Write the volume-weighted mean of (high + low + close) / 3 over `length` bars; NaN where nothing traded."""
    for i in range(len(close)):
        where = _present(high[i] + low[i] + close[i] + volume[i])
        shares = _taken(volume[i], where)
        typical = (_taken(high[i], where) + _taken(low[i], where) + _taken(close[i], where)) / 3
        value, total = _sums(typical * shares, length), _sums(shares, length)
        result = np.full(len(shares), np.nan)
        for t in range(length - 1, len(shares)):
            if total[t] > 0:
                result[t] = value[t] / total[t]
        _placed(result, where, out[0, i])


@compiled
def volatility(close: Floats, length: int, out: Floats) -> None:
    """Write the sample deviation (ddof 1) of `length` log returns, times the root of 252."""
    scale = math.sqrt(SESSIONS_PER_YEAR)
    for i in range(len(close)):
        where = _present(close[i])
        x = _taken(close[i], where)
        result = np.full(len(x), np.nan)
        if len(x) > 1:
            logs = np.log(x)
            result[1:] = scale * _deviations(logs[1:] - logs[:-1], length, 1)[1]
        _placed(result, where, out[0, i])


@compiled
def mean_return(close: Floats, length: int, out: Floats) -> None:
    """Write the mean of `length` simple returns, times 252."""
    for i in range(len(close)):
        where = _present(close[i])
        x = _taken(close[i], where)
        result = np.full(len(x), np.nan)
        result[1:] = SESSIONS_PER_YEAR * _means(_returns(x), length)
        _placed(result, where, out[0, i])


@compiled
def zscore(close: Floats, length: int, out: Floats) -> None:
    """Write the distance to the average in sample deviations (ddof 1); NaN where the close stands still."""
    for i in range(len(close)):
        where = _present(close[i])
        x = _taken(close[i], where)
        means, spread = _deviations(x, length, 1)
        result = np.full(len(x), np.nan)
        for t in range(length - 1, len(x)):
            if spread[t] > 0:
                result[t] = (x[t] - means[t]) / spread[t]
        _placed(result, where, out[0, i])


@compiled
def beta(close: Floats, market: Floats, length: int, out: Floats) -> None:
    """Write the slope of `length` returns on the market's returns over the same bars; NaN where the market stood."""
    for i in range(len(close)):
        where = _present(close[i] + market[i])
        own, others = _returns(_taken(close[i], where)), _returns(_taken(market[i], where))
        squares_both = _moments(own + others, length)[1]
        squares_apart = _moments(own - others, length)[1]
        squares = _moments(others, length)[1]
        result = np.full(len(where), np.nan)
        for t in range(length - 1, len(own)):
            if squares[t] > 0:
                result[t + 1] = (squares_both[t] - squares_apart[t]) / (4 * squares[t])
        _placed(result, where, out[0, i])


@compiled
def dollar_volume(close: Floats, volume: Floats, length: int, out: Floats) -> None:
    """Write the mean of close times volume, in USD."""
    for i in range(len(close)):
        where = _present(close[i] + volume[i])
        _placed(_means(_taken(close[i], where) * _taken(volume[i], where), length), where, out[0, i])


@compiled
def highest(values: Floats, length: int, out: Floats) -> None:
    """Write the highest of the last `length` values."""
    for i in range(len(values)):
        where = _present(values[i])
        _placed(_extremes(_taken(values[i], where), length, 1.0), where, out[0, i])


@compiled
def lowest(values: Floats, length: int, out: Floats) -> None:
    """Write the lowest of the last `length` values."""
    for i in range(len(values)):
        where = _present(values[i])
        _placed(_extremes(_taken(values[i], where), length, -1.0), where, out[0, i])


@compiled
def total(values: Floats, length: int, out: Floats) -> None:
    """Write the sum of the last `length` values."""
    for i in range(len(values)):
        where = _present(values[i])
        _placed(_sums(_taken(values[i], where), length), where, out[0, i])


@compiled
def ago(values: Floats, bars: int, out: Floats) -> None:
    """Write the value `bars` bars of the symbol earlier."""
    for i in range(len(values)):
        where = _present(values[i])
        x = _taken(values[i], where)
        result = np.full(len(x), np.nan)
        result[bars:] = x[: max(len(x) - bars, 0)]
        _placed(result, where, out[0, i])
