"""What a backtest rests on: costs, exits inside the bar, rules of the account, and all of it in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from trading.backtest.kernel.accounts import Terms
    from trading.costs import Costs

MARGIN = 2.0
"""Gross notional over equity that the broker's overnight margin allows (Regulation T)."""

_PRICES = {"open": "open", "close": "close", "typical": "(high + low + close) / 3, for want of a VWAP in the bars"}


class Exits(BaseModel):
    """Orders that close a position inside a bar; distances are fractions of the price, 0.05 = 5 %, 0 = none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stop_loss: float = Field(0.0, ge=0, lt=1, description="stop this far on the losing side of the average entry price")
    take_profit: float = Field(0.0, ge=0, le=100, description="limit this far on the winning side of it")
    trailing_stop: float = Field(
        0.0, ge=0, lt=1, description="stop this far behind the best price of the completed bars since the entry"
    )


class Rules(BaseModel):
    """How the account works."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fill_at: Literal["open", "close", "typical"] = Field(
        "open", description="price of the next bar at which orders fill"
    )
    size_at: Literal["decision", "fill"] = Field(
        "decision",
        description="when a share of capital becomes a quantity: at the close of the decision, or at the fill",
    )
    at_end: Literal["mark", "close", "open"] = Field(
        "mark", description="positions after the last bar: marked to its close, or closed at its close or open"
    )
    margin: float = Field(MARGIN, gt=0, le=20, description="gross notional over equity that an order may lead to")
    max_positions: int = Field(0, ge=0, description="positions at one time; 0: any number")
    volume_limit: float = Field(0.0, ge=0, le=1, description="share of a bar's volume that may be filled; 0: all of it")
    borrow_rate: float = Field(0.0, ge=0, le=10, description="borrow fee of shorts, a year, fraction of their value")
    interest_rate: float = Field(0.0, ge=0, le=10, description="interest on cash below zero, a year")
    delisted_after: int = Field(0, ge=0, description="rows without a bar until a position is closed; 0: never")
    delisting_haircut: float = Field(0.0, ge=0, le=1, description="lost of the last close when closed as delisted")


def terms(costs: Costs, exits: Exits, rules: Rules, *, standing: bool) -> Terms:
    """Return the assumptions as the compiled kernel reads them.

    `standing`: weights say what is wanted, row after row, so that a position that was stopped out is not taken again
    before its weight has been zero, missing or of the other side; else each weight is a new decision.
    """
    from trading.backtest.kernel.accounts import Terms

    return Terms(
        fill_at=("open", "close", "typical").index(rules.fill_at),
        size_at=("decision", "fill").index(rules.size_at),
        at_end=("mark", "close", "open").index(rules.at_end),
        standing=standing,
        commission_fixed=costs.commission_per_order,
        commission_bps=costs.commission_bps,
        commission_per_share=costs.commission_per_share,
        commission_minimum=costs.commission_minimum,
        slippage_fixed=costs.half_spread,
        slippage_bps=costs.slippage_bps,
        slippage_volume_share=costs.volume_impact,
        slippage_square_root=costs.square_root_impact,
        margin=rules.margin,
        max_positions=rules.max_positions,
        volume_limit=rules.volume_limit,
        borrow_rate=rules.borrow_rate,
        interest_rate=rules.interest_rate,
        stop_loss=exits.stop_loss,
        take_profit=exits.take_profit,
        trailing_stop=exits.trailing_stop,
        delisted_after=rules.delisted_after,
        delisting_haircut=rules.delisting_haircut,
    )


def words(costs: Costs, exits: Exits, rules: Rules, *, actions: bool) -> tuple[str, ...]:
    """Return what a result rests on, sentence by sentence."""
    return (
        *_order_words(rules),
        _cost_words(costs),
        *_exit_words(exits),
        *_account_words(rules),
        "Splits and cash dividends are booked at the open of their day; spin-offs are not."
        if actions
        else "Bars are taken as adjusted: no dividends.",
        "Account-wide risk limits and other strategies in the same account are not applied.",
        "Positions open at the end are marked to the last close."
        if rules.at_end == "mark"
        else f"Positions open at the end are closed at the last bar's {rules.at_end}.",
    )


def _cost_words(costs: Costs) -> str:
    slippage = [f"{costs.slippage_bps:g} bps of the price"]
    if costs.half_spread:
        slippage.append(f"{costs.half_spread:g} USD per share")
    if costs.volume_impact:
        slippage.append(f"{costs.volume_impact:g} of the price by the squared share of the volume")
    if costs.square_root_impact:
        slippage.append(f"{costs.square_root_impact:g} of the price by the root of the share of the volume")
    paid = f"{costs.commission_bps:g} bps of notional plus {costs.commission_per_share:g} USD per share"
    if costs.commission_minimum:
        paid += f", at least {costs.commission_minimum:g} USD"
    if costs.commission_per_order:
        paid += f", plus {costs.commission_per_order:g} USD per fill"
    return f"Slippage {' plus '.join(slippage)}; commission {paid}."


def _order_words(rules: Rules) -> list[str]:
    price = _PRICES[rules.fill_at]
    whole = f"at most {rules.volume_limit:.0%} of the bar's volume" if rules.volume_limit else "the whole quantity"
    sized = "Sizes use the equity at the close of the decision; cash may dip below zero when an open gaps up."
    if rules.size_at == "fill":
        sized = "Sizes use the equity at the price of the fill, costs included."
    return [
        f"Decided at each close on completed bars; filled at the next bar's {price}, sells before buys.",
        f"An order whose symbol has no bar in the next session expires; otherwise {whole} fills.",
        sized,
    ]


def _account_words(rules: Rules) -> list[str]:
    most = f"at most {rules.max_positions} positions; " if rules.max_positions else ""
    gone = "A symbol that stops trading keeps its last close."
    if rules.delisted_after:
        left = f"its last close less {rules.delisting_haircut:.0%}"
        gone = f"A position without a bar for {rules.delisted_after} rows is closed at {left}."
    rates = f"borrow fee {rules.borrow_rate:.2%} and interest {rules.interest_rate:.2%} a year"
    return [f"Orders keep gross notional within {rules.margin:g} times equity; {most}{rates}.", gone]


def _exit_words(exits: Exits) -> list[str]:
    parts = {"stop loss": exits.stop_loss, "take profit": exits.take_profit, "trailing stop": exits.trailing_stop}
    used = ", ".join(f"{name} {distance:.2%}" for name, distance in parts.items() if distance)
    if not used:
        return []
    order = "a gap at the open fills at the open, then the stop acts before the target"
    return [
        f"Inside a bar: {used}; {order}.",
        "A trailing stop follows completed bars only; a target fills at its price.",
    ]
