"""Portfolio risk, limits and the trading state."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from api.schemas.base import Answer, Question
from api.schemas.runs import Started

State = Literal["ACTIVE", "REDUCING", "HALTED"]


class RiskSnapshot(Answer):
    """The portfolio's risk at one moment; exposures, losses and drawdown are fractions of equity."""

    at: datetime
    session: date
    equity: float
    gross_exposure: float
    net_exposure: float
    largest_weight: float
    beta: float | None
    var_95: float | None
    cvar_95: float | None
    drawdown: float
    daily_return: float | None
    state: str


class RiskLimit(Answer):
    """A limit as it stands; `updated_by` is null while it stands at its default."""

    name: str
    value: float
    default: float
    description: str
    updated_by: str | None
    updated_at: datetime | None


class LimitBreach(Answer):
    """A limit found broken."""

    id: int
    session: date
    at: datetime
    limit_name: str
    value: float
    threshold: float
    sentence: str
    alerted: bool


class TradingState(Answer):
    """Whether the account may trade; nobody has changed it while `changed_by` is null."""

    state: str
    reason: str
    changed_by: str | None
    changed_at: datetime | None


class StateChange(Answer):
    """A change of the trading state."""

    old: str
    new: str
    reason: str
    changed_by: str
    changed_at: datetime


class Risk(Answer):
    """Everything about the account's risk; histories newest first."""

    snapshot: RiskSnapshot | None
    history: list[RiskSnapshot]
    limits: list[RiskLimit]
    breaches: list[LimitBreach]
    trading_state: TradingState
    changes: list[StateChange]


class LimitValue(Question):
    """A limit's new value; 0 and 1 for the limits that are yes or no."""

    value: float = Field(allow_inf_nan=False)


class StandDown(Question):
    """Why trading halts and every position is closed, and who wants it."""

    reason: str = Field(min_length=3, max_length=500)
    who: str = Field(default="api", min_length=1, max_length=80)


class StateRequest(StandDown):
    """The trading state to go to, why, and who wants it."""

    state: State


class ChangedState(TradingState):
    """The trading state after a change, and what a halt did.

    `cancelled` counts the open orders that the broker took on to cancel, null when it was not asked or did not
    answer; `run` is the flow run that brings the books up to date and closes positions; `note` what is missing.
    """

    cancelled: int | None = None
    run: Started | None = None
    note: str | None = None
