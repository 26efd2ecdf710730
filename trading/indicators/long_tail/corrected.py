"""Formulas that pandas-ta 0.4.71b0 has wrong without TA-Lib, made of its own parts, right."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd


def cci(high: pd.Series[float], low: pd.Series[float], close: pd.Series[float], length: int) -> pd.Series[float]:
    """Return the commodity channel index (Lambert 1980); pandas-ta divides only the average, an operator too early."""
    from pandas_ta import mad

    typical = (high + low + close) / 3
    return (typical - typical.rolling(length).mean()) / (0.015 * mad(typical, length=length))


def wcp(high: pd.Series[float], low: pd.Series[float], close: pd.Series[float]) -> pd.Series[float]:
    """Return the weighted close; pandas-ta leaves out the division by 4."""
    return (high + low + 2 * close) / 4


def inertia(close: pd.Series[float], length: int, rvi_length: int) -> pd.Series[float] | None:
    """Return the end of the line through the relative volatility index; pandas-ta fails where that is nowhere known."""
    from pandas_ta import linreg, rvi

    volatility = rvi(close, length=rvi_length)
    return None if volatility is None else linreg(volatility, length=length, talib=False)


CORRECTED: Mapping[str, Callable[..., pd.Series[float] | None]] = {"cci": cci, "inertia": inertia, "wcp": wcp}
"""What is computed here instead, by the name of pandas-ta's function."""
