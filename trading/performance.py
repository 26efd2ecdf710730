"""Performance: the metric set of an equity curve, its drawdowns, and how far to believe a Sharpe ratio.

Returns are simple and per session; a year has 252 sessions. Fractions throughout: 0.1 is 10 %. Losses that
are magnitudes by nature (drawdown, VaR, CVaR) are zero or above.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from trading.calendar import SESSIONS_PER_YEAR
from trading.errors import InvalidValueError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from trading.bars import Floats

EULER_GAMMA = 0.5772156649015329
_TINY = 1e-15  # below this a deviation is rounding, not risk


@dataclass(frozen=True, slots=True)
class Metrics:
    """The metric set; None where there are too few sessions or a denominator is zero.

    Attributes
    ----------
    sessions
        Points of the equity curve.
    total_return, cagr
        Over the period, and per year of 252 returns.
    volatility
        Annualised sample deviation (ddof 1) of returns.
    sharpe
        Mean excess return over its deviation, annualised (Sharpe 1994).
    sortino
        Mean excess return over the root mean square of its negative part, annualised (Sortino & Price 1994).
    max_drawdown
        Deepest fall from a peak, zero or above.
    max_drawdown_days
        Calendar days of the longest stretch below a peak, from the peak to its recovery or to the end.
    calmar
        `cagr` over `max_drawdown`.
    best_day, worst_day
        Largest and smallest return.
    positive_days
        Share of returns above zero.
    var_95, cvar_95
        Historical loss of one session: the 5 % quantile, and the mean of the returns at or below it.
    skew, kurtosis
        Of returns, population moments; a normal distribution has kurtosis 3.
    beta, alpha
        Slope on the benchmark's returns, and annualised intercept (Jensen 1968); None without a benchmark.
    undefined
        Why most of them are None, in words, for a curve that returns cannot be taken of.
    """

    sessions: int
    total_return: float | None = None
    cagr: float | None = None
    volatility: float | None = None
    sharpe: float | None = None
    sortino: float | None = None
    max_drawdown: float | None = None
    max_drawdown_days: int | None = None
    calmar: float | None = None
    best_day: float | None = None
    worst_day: float | None = None
    positive_days: float | None = None
    var_95: float | None = None
    cvar_95: float | None = None
    skew: float | None = None
    kurtosis: float | None = None
    beta: float | None = None
    alpha: float | None = None
    undefined: str | None = None

    def as_dict(self) -> dict[str, float | int | str | None]:
        """Return name to value, JSON-ready; `undefined` only where there is a reason."""
        return {name: value for name, value in asdict(self).items() if name != "undefined" or value is not None}


def metrics(equity: pd.Series[float], benchmark: pd.Series[float] | None = None, risk_free: float = 0.0) -> Metrics:
    """Return the metric set of an equity curve.

    From equity of zero or below no return can be taken, so a curve that gets there has no metrics but its total
    return and its drawdown, which may exceed 1, as far as it begins above zero; `Metrics.undefined` says so.

    Parameters
    ----------
    equity
        Equity in USD at each session's close, indexed by session (dates), oldest first.
    benchmark
        Level of a benchmark (price or equity) by session; sessions that only one of them has are left out.
    risk_free
        Annual rate, 0.02 = 2 %.

    Raises
    ------
    InvalidValueError
        A value is missing or infinite, or the benchmark's is not above zero.
    """
    values, days = np.asarray(equity, dtype=np.float64), np.asarray(equity.index, dtype="datetime64[D]")
    beside = None if benchmark is None or (values <= 0).any() else _common(equity, benchmark)
    return measured(values, days, beside, risk_free)


def measured(
    values: Floats, days: NDArray[np.datetime64], beside: tuple[Floats, Floats] | None = None, risk_free: float = 0.0
) -> Metrics:
    """Return the metric set of (S,) equity, USD, at the closes of (S,) days, datetime64[D]: `metrics` of arrays.

    `beside` is the equity and the level of a benchmark at the sessions that both of them have.

    Raises
    ------
    InvalidValueError
        A value is missing or infinite.
    """
    if (values <= 0).any():
        return _used_up(values, days)
    values = _values(values)
    if len(values) < 2:  # noqa: PLR2004 - one point has no return
        return Metrics(sessions=len(values))
    returns = values[1:] / values[:-1] - 1
    excess = returns - ((1 + risk_free) ** (1 / SESSIONS_PER_YEAR) - 1)
    depth, longest = _deepest(values, days)
    growth = _annual_growth(values)
    slope, intercept = (None, None) if beside is None else _market(_values(beside[0]), _values(beside[1]), risk_free)
    tail = float(np.quantile(returns, 0.05))
    worst = returns[returns <= tail]
    return Metrics(
        sessions=len(values),
        total_return=float(values[-1] / values[0] - 1),
        cagr=growth,
        volatility=_ratio(float(_deviation(returns)) * math.sqrt(SESSIONS_PER_YEAR), 1.0) if len(returns) > 1 else None,
        sharpe=_annual_ratio(excess, _deviation(excess)),
        sortino=_annual_ratio(excess, float(np.sqrt(np.mean(np.minimum(excess, 0) ** 2)))),
        max_drawdown=depth,
        max_drawdown_days=longest,
        calmar=None if growth is None else _ratio(growth, depth),
        best_day=float(returns.max()),
        worst_day=float(returns.min()),
        positive_days=float((returns > 0).mean()),
        var_95=max(0.0, -tail),
        cvar_95=max(0.0, -float(worst.mean())),
        skew=_moment(returns, 3),
        kurtosis=_moment(returns, 4),
        beta=slope,
        alpha=intercept,
    )


def _used_up(values: Floats, days: NDArray[np.datetime64]) -> Metrics:
    """Return what is defined of a curve that reaches zero or falls below it."""
    if not np.isfinite(values).all():
        raise InvalidValueError("equity curve", "a value that is missing or infinite", "USD")
    place = int(np.flatnonzero(values <= 0)[0])
    reason = f"equity was {values[place]:,.2f} USD on {days[place]}: there are no returns from zero or below"
    if values[0] <= 0:
        return Metrics(sessions=len(values), undefined=reason)
    depth, longest = _deepest(values, days)
    total = float(values[-1] / values[0] - 1)
    return Metrics(len(values), total, max_drawdown=depth, max_drawdown_days=longest, undefined=reason)


def drawdowns(equity: pd.Series[float]) -> pd.DataFrame:
    """Return every drawdown, oldest first.

    Returns
    -------
    Columns peak (session of the high before it), valley (session of the low), recovered (first session at or
    above the high again, NaT while it lasts), depth (zero or above), days (calendar days from the peak to the
    recovery or to the end).
    """
    import pandas as pd

    values, days = _values(equity), pd.DatetimeIndex(pd.to_datetime(equity.index))
    rows = []
    peak, valley = 0, 0
    for row in range(1, len(values) + 1):
        over = row == len(values)
        if over or values[row] >= values[peak]:
            if valley > peak:
                end = len(values) - 1 if over else row
                depth = 1 - values[valley] / values[peak]
                back = pd.NaT if over else days[row]
                rows.append((days[peak], days[valley], back, depth, (days[end] - days[peak]).days))
            peak = valley = row
        elif values[row] < values[valley]:
            valley = row
    return pd.DataFrame(rows, columns=["peak", "valley", "recovered", "depth", "days"])


def probabilistic_sharpe(sharpe: float, *, n_obs: int, skew: float, kurt: float, benchmark: float = 0.0) -> float:
    """Return the probability that the true Sharpe ratio exceeds `benchmark`.

    Bailey & Lopez de Prado 2012, "The Sharpe ratio efficient frontier", eq. 11. Ratios are per observation,
    not annualised; `kurt` is 3 for a normal distribution.

    Raises
    ------
    InvalidValueError
        Fewer than two observations, or moments that no distribution has.
    """
    if n_obs < 2:  # noqa: PLR2004 - the formula divides by n - 1
        raise InvalidValueError("n_obs", n_obs, "at least 2")
    variance = 1 - skew * sharpe + (kurt - 1) / 4 * sharpe**2
    if not variance > 0:
        raise InvalidValueError("skew and kurt", (skew, kurt), "moments with kurt >= skew**2 + 1")
    return NormalDist().cdf((sharpe - benchmark) * math.sqrt(n_obs - 1) / math.sqrt(variance))


def deflated_sharpe(
    sharpe: float, *, n_trials: int, n_obs: int, skew: float, kurt: float, variance_of_trials: float
) -> float:
    """Return the probability that a Sharpe ratio picked as the best of `n_trials` is above zero in truth.

    Bailey & Lopez de Prado 2014, "The deflated Sharpe ratio", eq. 9: the benchmark is the highest ratio
    expected of that many tries without skill. Ratios and `variance_of_trials` are per observation.

    Raises
    ------
    InvalidValueError
        No trial, a negative variance, or as `probabilistic_sharpe`.
    """
    if n_trials < 1 or not variance_of_trials >= 0:
        raise InvalidValueError("trials", (n_trials, variance_of_trials), "at least one, variance zero or more")
    luck = math.sqrt(variance_of_trials) * _expected_maximum(n_trials)
    return probabilistic_sharpe(sharpe, n_obs=n_obs, skew=skew, kurt=kurt, benchmark=luck)


def _expected_maximum(trials: int) -> float:
    """Return the expected maximum of that many standard normal draws (their eq. 6)."""
    if trials == 1:
        return 0.0
    inverse = NormalDist().inv_cdf
    return (1 - EULER_GAMMA) * inverse(1 - 1 / trials) + EULER_GAMMA * inverse(1 - 1 / (trials * math.e))


def _values(equity: pd.Series[float] | Floats) -> Floats:
    values: Floats = np.asarray(equity, dtype=np.float64)
    if not (np.isfinite(values).all() and (values > 0).all()):
        raise InvalidValueError("equity curve", "a value that is missing or not above zero", "USD above zero")
    return values


def _deviation(returns: Floats) -> float:
    return float(returns.std(ddof=1)) if len(returns) > 1 else 0.0


def _annual_ratio(excess: Floats, risk: float) -> float | None:
    return _ratio(float(excess.mean()) * math.sqrt(SESSIONS_PER_YEAR), risk)


def _annual_growth(values: Floats) -> float | None:
    years = (len(values) - 1) / SESSIONS_PER_YEAR
    exponent = math.log(values[-1] / values[0]) / years
    return math.expm1(exponent) if exponent < 700 else None  # noqa: PLR2004 - beyond it a float overflows


def _ratio(numerator: float, denominator: float) -> float | None:
    return numerator / denominator if denominator > _TINY else None


def _moment(returns: Floats, order: int) -> float | None:
    deviation = float(returns.std())
    return float(np.mean((returns - returns.mean()) ** order)) / deviation**order if deviation > _TINY else None


def _deepest(values: Floats, days: NDArray[np.datetime64]) -> tuple[float, int]:
    """Return the greatest depth and the longest days of `drawdowns`, without its table."""
    highs = np.maximum.accumulate(values)
    peaks = np.append(np.flatnonzero(values >= highs), len(values))
    below = np.flatnonzero(np.diff(peaks) > 1)
    if not len(below):
        return 0.0, 0
    ends = days[np.minimum(peaks[below + 1], len(values) - 1)]
    return float((1 - values / highs).max()), int((ends - days[peaks[below]]).max().astype(np.int64))


def _common(equity: pd.Series[float], benchmark: pd.Series[float]) -> tuple[Floats, Floats]:
    if not (equity.index.equals(benchmark.index) and benchmark.notna().all()):
        shared = equity.index.intersection(benchmark.dropna().index)
        equity, benchmark = equity.loc[shared], benchmark.loc[shared]
    return _values(equity), _values(benchmark)


def _market(ours: Floats, theirs: Floats, risk_free: float) -> tuple[float | None, float | None]:
    if len(ours) < 3:  # noqa: PLR2004 - a slope needs two returns
        return None, None
    y, x = np.diff(ours) / ours[:-1], np.diff(theirs) / theirs[:-1]
    spread = float(x.var(ddof=1))
    if spread <= _TINY**2:
        return None, None
    slope = float(np.cov(y, x)[0, 1]) / spread
    daily = (1 + risk_free) ** (1 / SESSIONS_PER_YEAR) - 1
    intercept = float((y - daily).mean() - slope * (x - daily).mean()) * SESSIONS_PER_YEAR
    return slope, intercept
