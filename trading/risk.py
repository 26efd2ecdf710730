"""Portfolio risk: exposure, beta, value at risk, drawdown, and the trading state that follows from them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from trading.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trading.bars import Floats
    from trading.limits import Limits, TradingState

EXPOSURE_TOLERANCE = 0.05
"""How far exposure may drift above its limit, as a fraction of it, before positions only shrink."""

FEWEST_RETURNS = 20
"""Returns needed for beta and value at risk."""


@dataclass(frozen=True, slots=True)
class Exposure:
    """Notional over equity; `long` and `short` are zero or above, `weights` are signed, by symbol."""

    long: float
    short: float
    gross: float
    net: float
    weights: dict[str, float] = field(default_factory=dict)

    @property
    def largest(self) -> tuple[str, float] | None:
        """The symbol with the largest weight either way, and that weight."""
        return max(self.weights.items(), key=lambda item: abs(item[1]), default=None)

    @property
    def concentration(self) -> float:
        """Herfindahl index of the weights, 1 for a single position, 0 without any."""
        return sum((weight / self.gross) ** 2 for weight in self.weights.values()) if self.gross else 0.0


@dataclass(frozen=True, slots=True)
class PortfolioRisk:
    """A snapshot of the account's risk.

    Attributes
    ----------
    equity
        USD.
    exposure
        Notional over equity.
    beta
        Of the positions held, to the benchmark; None where unknown.
    var_95, cvar_95
        Loss of one session, as a fraction of equity, not exceeded in 95 of 100 past sessions, and the mean
        of the worse ones (historical simulation of today's positions); None where unknown.
    drawdown
        Fall from the equity's peak, 0 to 1.
    daily_loss
        Loss since the last close as a fraction of it, 0 or above.
    """

    equity: float
    exposure: Exposure
    beta: float | None
    var_95: float | None
    cvar_95: float | None
    drawdown: float
    daily_loss: float


@dataclass(frozen=True, slots=True)
class Breach:
    """A limit that is exceeded: the figure, the threshold, the state it asks for, and a sentence."""

    limit: str
    value: float
    threshold: float
    state: TradingState
    sentence: str


def exposure(positions: Mapping[str, float], prices: Mapping[str, float], equity: float) -> Exposure:
    """Return the exposure of signed quantities at prices in USD.

    Raises
    ------
    InvalidValueError
        Equity is not above zero, or a position has no price.
    """
    if not (math.isfinite(equity) and equity > 0):
        raise InvalidValueError("equity", equity, "an amount above zero")
    unpriced = sorted(s for s, quantity in positions.items() if quantity and not prices.get(s, math.nan) > 0)
    if unpriced:
        raise InvalidValueError("price", None, f"a price of {', '.join(unpriced)}")
    weights = {s: quantity * prices[s] / equity for s, quantity in positions.items() if quantity}
    long = sum(weight for weight in weights.values() if weight > 0)
    short = -sum(weight for weight in weights.values() if weight < 0)
    return Exposure(long, short, long + short, long - short, weights)


def beta(returns: Floats, benchmark: Floats) -> float | None:
    """Return the least squares slope of (T,) returns on benchmark returns; None below 20 pairs."""
    both = np.isfinite(returns) & np.isfinite(benchmark)
    if both.sum() < FEWEST_RETURNS or np.ptp(benchmark[both]) == 0:
        return None
    covariance = np.cov(returns[both], benchmark[both])
    return float(covariance[0, 1] / covariance[1, 1])


def value_at_risk(returns: Floats, confidence: float = 0.95) -> float | None:
    """Return the historical VaR of (T,) returns as a loss, 0 or above; None below 20 returns."""
    known = returns[np.isfinite(returns)]
    if len(known) < FEWEST_RETURNS:
        return None
    return max(0.0, -float(np.quantile(known, 1 - confidence)))


def expected_shortfall(returns: Floats, confidence: float = 0.95) -> float | None:
    """Return the mean loss of the returns at or below the VaR quantile (CVaR); None below 20 returns."""
    known = returns[np.isfinite(returns)]
    if len(known) < FEWEST_RETURNS:
        return None
    return max(0.0, -float(known[known <= np.quantile(known, 1 - confidence)].mean()))


def drawdown(equity: Floats | Sequence[float]) -> float:
    """Return the fall of the last of (T,) equity values from the highest, 0 to 1; 0 without values."""
    values = np.asarray(equity, dtype=np.float64)
    return float(max(0.0, 1 - values[-1] / values.max())) if len(values) else 0.0


def daily_loss(equity: float, previous_close: float | None) -> float:
    """Return the loss since the last close as a fraction of it, 0 when there is none or no earlier close."""
    return max(0.0, 1 - equity / previous_close) if previous_close else 0.0


def measure(
    *,
    positions: Mapping[str, float],
    prices: Mapping[str, float],
    equity_curve: Sequence[float],
    returns: Mapping[str, Floats],
    benchmark: Floats | None = None,
) -> PortfolioRisk:
    """Return the risk snapshot.

    Parameters
    ----------
    positions, prices
        Signed quantities held and prices in USD by symbol.
    equity_curve
        Equity at each close, oldest first; the last is today's, the one before the last close's.
    returns
        Symbol to (T,) daily returns on common sessions, of every position; without one VaR is unknown.
    benchmark
        (T,) daily returns on the same sessions.
    """
    if not len(equity_curve):
        raise InvalidValueError("equity_curve", [], "at least one equity value")
    equity = float(equity_curve[-1])
    exposed = exposure(positions, prices, equity)
    past = _simulated(exposed, returns)
    return PortfolioRisk(
        equity=equity,
        exposure=exposed,
        beta=None if past is None or benchmark is None else beta(past, benchmark),
        var_95=None if past is None else value_at_risk(past),
        cvar_95=None if past is None else expected_shortfall(past),
        drawdown=drawdown(equity_curve),
        daily_loss=daily_loss(equity, float(equity_curve[-2]) if len(equity_curve) > 1 else None),
    )


def breaches(snapshot: PortfolioRisk, limits: Limits) -> list[Breach]:
    """Return every limit that the snapshot exceeds, gravest first."""
    gross, net = snapshot.exposure.gross, abs(snapshot.exposure.net)
    slack = 1 + EXPOSURE_TOLERANCE
    rows: tuple[tuple[str, float, float, TradingState, str], ...] = (
        ("max_daily_loss", snapshot.daily_loss, limits.max_daily_loss, "HALTED", "loss since the last close"),
        ("max_drawdown", snapshot.drawdown, limits.max_drawdown, "HALTED", "drawdown"),
        ("reduce_drawdown", snapshot.drawdown, limits.reduce_drawdown, "REDUCING", "drawdown"),
        ("max_gross_exposure", gross, limits.max_gross_exposure * slack, "REDUCING", "gross exposure"),
        ("max_net_exposure", net, limits.max_net_exposure * slack, "REDUCING", "net exposure"),
    )
    return [
        Breach(name, value, limit, state, f"{words} {value:.1%} reached {name} {limit:.1%}")
        for name, value, limit, state, words in rows
        if value >= limit and value > 0
    ]


def next_trading_state(
    current: TradingState, snapshot: PortfolioRisk, limits: Limits
) -> tuple[TradingState, tuple[str, ...]]:
    """Return the trading state that follows, and the reasons in words.

    A halt stays until a person resumes; REDUCING ends by itself when no limit asks for it any more.
    """
    found = breaches(snapshot, limits)
    reasons = tuple(breach.sentence for breach in found)
    if current == "HALTED":
        return "HALTED", (*reasons, "halted until a person resumes")
    if any(breach.state == "HALTED" for breach in found):
        return "HALTED", reasons
    return ("REDUCING" if found else "ACTIVE"), reasons


def _simulated(exposed: Exposure, returns: Mapping[str, Floats]) -> Floats | None:
    """Return the (T,) returns that today's weights would have had; None when a symbol has none."""
    if not exposed.weights or any(symbol not in returns for symbol in exposed.weights):
        return None
    total: Floats = np.sum([weight * returns[symbol] for symbol, weight in exposed.weights.items()], axis=0)
    return total
