"""How far a result may be chance: the Sharpe ratio's probability, the number of tries, and resampled histories."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from trading.calendar import SESSIONS_PER_YEAR
from trading.errors import InvalidValueError
from trading.performance import deflated_sharpe, probabilistic_sharpe
from trading.robustness.intervals import intervals
from trading.robustness.overfitting import BLOCKS, overfitting
from trading.robustness.verdicts import Check, graded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pandas as pd

    from trading.bars import Floats
    from trading.robustness.verdicts import Verdict

SURE, LIKELY = 0.95, 0.8
"""Probabilities from which a claim counts as shown, and as likely."""
FEWEST_VARIANTS = 4
FEWEST_TRIES = 2


def probable(returns: Floats) -> Check:
    """Give the probability that the true Sharpe ratio is above zero."""
    name = "probabilistic Sharpe"
    moments = _moments(returns)
    if moments is None:
        return Check(name, "fail", None, "The equity never moved.")
    sharpe, skew, kurt = moments
    found = probabilistic_sharpe(sharpe, n_obs=len(returns), skew=skew, kurt=kurt)
    return Check(name, _sure(found), found, f"The true Sharpe ratio is above zero with probability {found:.0%}.")


def deflated(returns: Floats, sharpes_tried: Sequence[float]) -> Check:
    """Give the same probability for the best of several tries, whose annual Sharpe ratios are given."""
    name = "deflated Sharpe"
    moments = _moments(returns)
    if moments is None:
        return Check(name, "fail", None, "The equity never moved.")
    sharpe, skew, kurt = moments
    tries = max(len(sharpes_tried), 1)
    found = _of_the_best(sharpe, sharpes_tried, n_obs=len(returns), skew=skew, kurt=kurt)
    counted = "it is the only try recorded" if tries == 1 else f"counting the {tries} tries recorded"
    return Check(name, _sure(found), found, f"Above zero with probability {found:.0%}, {counted}.")


def deflated_best(measured: Iterable[Mapping[str, Any]], sharpes_tried: Sequence[float]) -> float | None:
    """Return the deflated Sharpe ratio of the best of several tries.

    Parameters
    ----------
    measured
        The metrics of each try by name: `sharpe` (annual), `skew`, `kurtosis`, `sessions`.
    sharpes_tried
        Annual Sharpe ratios of every try that was ever recorded for the strategy, these among them.

    Returns
    -------
    float | None
        A probability; None with fewer than two tries, or when the best one's moments are not known.
    """
    known = [each for each in measured if each.get("sharpe") is not None]
    best = max(known, key=lambda each: each["sharpe"], default=None)
    if best is None or len(sharpes_tried) < FEWEST_TRIES or best.get("skew") is None or best.get("kurtosis") is None:
        return None
    sharpe = best["sharpe"] / math.sqrt(SESSIONS_PER_YEAR)
    return _of_the_best(sharpe, sharpes_tried, n_obs=best["sessions"] - 1, skew=best["skew"], kurt=best["kurtosis"])


def _of_the_best(sharpe: float, sharpes_tried: Sequence[float], *, n_obs: int, skew: float, kurt: float) -> float:
    """Return the deflated ratio of a daily Sharpe ratio, the best of tries whose annual ones are given."""
    daily = np.asarray(sharpes_tried, dtype=np.float64) / math.sqrt(SESSIONS_PER_YEAR)
    spread = float(daily.var(ddof=1)) if len(daily) > 1 else 0.0
    return deflated_sharpe(
        sharpe, n_trials=max(len(daily), 1), n_obs=n_obs, skew=skew, kurt=kurt, variance_of_trials=spread
    )


def overfitted(curves: Sequence[pd.Series[float]]) -> Check:
    """Give the probability that choosing the best of these variants by their past is choosing by luck."""
    import pandas as pd

    name = "overfitting (CSCV)"
    if len(curves) < FEWEST_VARIANTS:
        return Check(name, "warn", None, f"{len(curves)} variants are too few to choose among.")
    returns = pd.concat(curves, axis=1, join="inner").pct_change().dropna().to_numpy(dtype=np.float64)
    try:
        found = overfitting(returns, blocks=BLOCKS)
    except InvalidValueError as error:
        return Check(name, "warn", None, f"Not enough sessions: {error}.")
    verdict = graded(found.probability, warn=0.2, fail=0.5)
    told = f"The best of {len(curves)} variants on one half of the time is in the lower half on the other"
    return Check(name, verdict, found.probability, f"{told} in {found.probability:.0%} of {found.combinations:,} ways.")


def resampled(returns: Floats, *, seed: int = 0) -> list[Check]:
    """Give the bounds of Sharpe ratio and drawdown over histories resampled in blocks."""
    try:
        found = intervals(returns, seed=seed)
    except InvalidValueError as error:
        return [
            Check("Sharpe interval", "warn", None, f"{error}."),
            Check("drawdown interval", "warn", None, f"{error}."),
        ]
    sharpe, depth = found.sharpe, found.max_drawdown
    held = f"{sharpe.confidence:.0%} of resampled histories"
    verdict: Verdict = "pass" if sharpe.low > 0 else "warn" if sharpe.low + sharpe.high > 0 else "fail"
    return [
        Check("Sharpe interval", verdict, sharpe.low, f"Between {sharpe.low:.2f} and {sharpe.high:.2f} in {held}."),
        Check(
            "drawdown interval",
            graded(depth.high, warn=0.3, fail=0.6),
            depth.high,
            f"Maximum drawdown between {depth.low:.0%} and {depth.high:.0%} in {held}.",
        ),
    ]


def _moments(returns: Floats) -> tuple[float, float, float] | None:
    """Return the Sharpe ratio per session, skew and kurtosis; None for returns that never differ."""
    deviation = float(returns.std(ddof=1)) if len(returns) > 2 else 0.0  # noqa: PLR2004 - moments need a spread
    if deviation < 1e-12:  # noqa: PLR2004 - rounding
        return None
    standard = (returns - returns.mean()) / returns.std()
    return float(returns.mean()) / deviation, float((standard**3).mean()), float((standard**4).mean())


def _sure(probability: float) -> Verdict:
    return "pass" if probability >= SURE else "warn" if probability >= LIKELY else "fail"
