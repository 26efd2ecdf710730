"""The core indicators: those with compiled kernels over whole panels, which agree with TA-Lib."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trading.indicators.entry import Indicator, Parameter, ema_memory, wilder_memory

if TYPE_CHECKING:
    from collections.abc import Callable

    from trading.indicators.entry import Input


def _macd_memory(fast: int, slow: int, signal: int) -> int:
    return ema_memory(max(fast, slow)) + ema_memory(signal)


def _keltner_memory(length: int, bars: int, _: float) -> int:
    return max(ema_memory(length), 1 + wilder_memory(bars))


def _length(default: float) -> tuple[Parameter, ...]:
    return (Parameter("length", default),)


_CLOSE: tuple[Input, ...] = ("close",)
_BAND: tuple[Input, ...] = ("high", "low")
_RANGE: tuple[Input, ...] = ("high", "low", "close")
_TRADED: tuple[Input, ...] = ("close", "volume")
_MACD = (Parameter("fast", 12), Parameter("slow", 26), Parameter("signal", 9))
_BANDS = (*_length(20), Parameter("deviations", 2, least=0.01, most=100, whole=False))
_STOCHASTIC = (*_length(14), Parameter("slowing", 3), Parameter("signal", 3))
_KELTNER = (
    *_length(20),
    Parameter("atr_length", 10),
    Parameter("multiple", 2, least=0.01, most=100, whole=False),
)


def _entry(
    name: str,
    parameters: tuple[Parameter, ...],
    inputs: tuple[Input, ...],
    warm_up: Callable[..., int],
    description: str,
    *,
    memory: Callable[..., int] | None = None,
    kernel: str | None = None,
    output: int = 0,
    anchored: bool = False,
) -> Indicator:
    return Indicator(
        name, parameters, inputs, warm_up, memory or warm_up, description, kernel or name, output, anchored=anchored
    )


CORE: tuple[Indicator, ...] = (
    _entry("sma", _length(20), _CLOSE, lambda n: n, "Simple moving average."),
    _entry(
        "ema",
        _length(20),
        _CLOSE,
        lambda n: n,
        "Exponential moving average, alpha 2/(n+1), seeded with the SMA, as TA-Lib's EMA.",
        memory=ema_memory,
    ),
    _entry("wma", _length(20), _CLOSE, lambda n: n, "Weighted moving average, weights 1 (oldest) to n (newest)."),
    _entry(
        "rsi",
        _length(14),
        _CLOSE,
        lambda n: n + 1,
        "Relative strength index, 0-100 (Wilder 1978, ch. 6), seeded with means; 50 where nothing moved.",
        memory=lambda n: 1 + wilder_memory(n),
    ),
    _entry(
        "macd",
        _MACD,
        _CLOSE,
        lambda f, s, _: max(f, s),
        "MACD line: fast EMA minus slow EMA (Appel 1979), both seeded at the slow one's first bar, as TA-Lib's MACD.",
        memory=_macd_memory,
    ),
    _entry(
        "macd_signal",
        _MACD,
        _CLOSE,
        lambda f, s, g: max(f, s) + g - 1,
        "Signal line: EMA of the MACD line.",
        memory=_macd_memory,
        kernel="macd",
        output=1,
    ),
    _entry(
        "macd_histogram",
        _MACD,
        _CLOSE,
        lambda f, s, g: max(f, s) + g - 1,
        "MACD line minus its signal line.",
        memory=_macd_memory,
        kernel="macd",
        output=2,
    ),
    _entry(
        "bollinger_upper",
        _BANDS,
        _CLOSE,
        lambda n, _: n,
        "Upper Bollinger band (Bollinger 2001), ddof 0.",
        kernel="bollinger",
    ),
    _entry(
        "bollinger_lower",
        _BANDS,
        _CLOSE,
        lambda n, _: n,
        "Lower Bollinger band (Bollinger 2001), ddof 0.",
        kernel="bollinger",
        output=1,
    ),
    _entry(
        "bollinger_width",
        _BANDS,
        _CLOSE,
        lambda n, _: n,
        "Width of the Bollinger bands over their middle.",
        kernel="bollinger_place",
    ),
    _entry(
        "bollinger_percent",
        _BANDS,
        _CLOSE,
        lambda n, _: n,
        "%b: place of the close between the bands, 0 to 1.",
        kernel="bollinger_place",
        output=1,
    ),
    _entry(
        "atr",
        _length(14),
        _RANGE,
        lambda n: n + 1,
        "Average true range in USD (Wilder 1978, ch. 3), seeded with the mean of the first n ranges.",
        memory=lambda n: 1 + wilder_memory(n),
    ),
    _entry("atr_simple", _length(14), _RANGE, lambda n: n + 1, "Simple mean of the true range in USD."),
    _entry(
        "adx",
        _length(14),
        _BAND,
        lambda n: 2 * n,
        "Average directional index, 0-100 (Wilder 1978, ch. 4), seeds as TA-Lib's ADX.",
        memory=lambda n: 1 + 2 * wilder_memory(n),
    ),
    _entry(
        "stochastic_k",
        _STOCHASTIC,
        _RANGE,
        lambda n, s, _: n + s - 1,
        "Slow %K, 0-100 (Lane 1984): close within the range of n bars, averaged; 0 where the range is a point.",
        kernel="stochastic",
    ),
    _entry(
        "stochastic_d",
        _STOCHASTIC,
        _RANGE,
        lambda n, s, d: n + s + d - 2,
        "Slow %D: simple average of slow %K.",
        kernel="stochastic",
        output=1,
    ),
    _entry(
        "donchian_upper",
        _length(20),
        _BAND,
        lambda n: n,
        "Highest high of the last n bars, this one included (Donchian 1960).",
        kernel="donchian",
    ),
    _entry(
        "donchian_lower",
        _length(20),
        _BAND,
        lambda n: n,
        "Lowest low of the last n bars, this one included (Donchian 1960).",
        kernel="donchian",
        output=1,
    ),
    _entry(
        "donchian_middle",
        _length(20),
        _BAND,
        lambda n: n,
        "Middle of the Donchian channel.",
        kernel="donchian",
        output=2,
    ),
    _entry(
        "keltner_upper",
        _KELTNER,
        _RANGE,
        lambda n, a, _: max(n, a + 1),
        "EMA of the close plus a multiple of Wilder's ATR (Keltner 1960 as revised by Raschke).",
        memory=_keltner_memory,
        kernel="keltner",
    ),
    _entry(
        "keltner_lower",
        _KELTNER,
        _RANGE,
        lambda n, a, _: max(n, a + 1),
        "EMA of the close minus a multiple of Wilder's ATR (Keltner 1960 as revised by Raschke).",
        memory=_keltner_memory,
        kernel="keltner",
        output=1,
    ),
    _entry("roc", _length(20), _CLOSE, lambda n: n + 1, "Rate of change over n bars, in percent."),
    _entry(
        "obv",
        (),
        _TRADED,
        lambda: 1,
        "On-balance volume (Granville 1963), in shares since the history's first bar, as TA-Lib's OBV.",
        anchored=True,
    ),
    _entry(
        "obv_change",
        _length(20),
        _TRADED,
        lambda n: n + 1,
        "Change of on-balance volume over n bars, in shares (Granville 1963).",
    ),
    _entry(
        "vwap",
        _length(20),
        ("high", "low", "close", "volume"),
        lambda n: n,
        "Volume-weighted mean of (high + low + close) / 3 over n bars, in USD.",
    ),
    _entry("volatility", _length(20), _CLOSE, lambda n: n + 1, "Annualised deviation of daily log returns, ddof 1."),
    _entry("mean_return", _length(126), _CLOSE, lambda n: n + 1, "Mean of n simple daily returns, times 252."),
    _entry(
        "zscore",
        (Parameter("length", 20, least=2),),
        _CLOSE,
        lambda n: n,
        "Distance to the average in sample deviations.",
    ),
    _entry(
        "beta",
        (Parameter("length", 60, least=2),),
        ("close", "market"),
        lambda n: n + 1,
        "Slope of n returns on those of equal shares of the universe (Sharpe 1963, eq. 1), as TA-Lib's BETA.",
    ),
    _entry("dollar_volume", _length(20), _TRADED, lambda n: n, "Mean close times volume, in USD."),
    _entry("average_volume", _length(20), ("volume",), lambda n: n, "Mean volume, in shares.", kernel="sma"),
)
"""In the order in which people meet them."""
