"""Portfolio risk, limits and the trading state."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.concurrency import run_in_threadpool
from pydantic import ValidationError

from api.broker import cancel_open_orders
from api.dependencies import AccountDep, AccountQuery, ConnectionDep, EngineDep, Limit, OrchestratorDep, SettingsDep
from api.errors import MissingError, RefusedError, first_problem
from api.schemas.orders import RiskDecision
from api.schemas.risk import (
    ChangedState,
    LimitBreach,
    LimitValue,
    Risk,
    RiskLimit,
    RiskSnapshot,
    StandDown,
    StateChange,
    StateRequest,
    TradingState,
)
from db.repositories import accounts, audit
from db.repositories import risk as repository
from db.results import portfolio, risk
from trading.errors import TradingError, UnknownNameError
from trading.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection, Engine

    from trading.config import Settings

router = APIRouter(prefix="/api/risk", tags=["risk"])

ACTOR = "api"
HALT = "halt-trading"
"""The flow, and its deployment, that cancels open orders and closes positions."""


@router.get("")
def risk_now(connection: ConnectionDep, account: AccountDep, limit: Limit = 100) -> Risk:
    """Return the account's risk: the latest snapshot, histories, limits, breaches, the trading state."""
    history = RiskSnapshot.each(risk.snapshots(connection, account, limit=limit))
    return Risk(
        snapshot=history[0] if history else None,
        history=history,
        limits=_limits(connection),
        breaches=LimitBreach.each(risk.breaches(connection, account, limit=limit)),
        trading_state=_state(connection, account),
        changes=StateChange.each(risk.changes(connection, account, limit=limit)),
    )


@router.get("/decisions")
def decisions(
    *,
    connection: ConnectionDep,
    account: AccountDep,
    session: Annotated[date | None, Query(description="only this session")] = None,
    verdict: Annotated[Literal["approved", "reduced", "rejected"] | None, Query()] = None,
    limit: Limit = 100,
) -> list[RiskDecision]:
    """Return risk decisions with the checks that made them, newest first."""
    return RiskDecision.each(risk.decisions(connection, account, session=session, verdict=verdict, limit=limit))


@router.put("/limits/{name}")
def set_limit(engine: EngineDep, name: str, body: LimitValue) -> RiskLimit:
    """Set a limit, from the next decision on."""
    if name not in Limits.model_fields:
        raise UnknownNameError("limit", name, Limits.model_fields)
    with engine.begin() as connection:
        _check_limit(connection, name, body.value)
        repository.set_limit(connection, name, body.value, by=ACTOR)
        audit.record(connection, actor=ACTOR, action="risk.limit", subject=name, detail={"value": body.value})
        return next(limit for limit in _limits(connection) if limit.name == name)


@router.post("/state")
async def set_trading_state(
    *,
    settings: SettingsDep,
    engine: EngineDep,
    orchestrator: OrchestratorDep,
    body: StateRequest,
    account: AccountQuery = None,
) -> ChangedState:
    """Halt, reduce or resume the account's trading; a halt cancels every open order at the broker at once.

    A run is started as well that brings the books up to date with what was cancelled.
    """
    if body.state != "HALTED":
        written = await run_in_threadpool(_change, engine, account, body.state, body)
        return ChangedState(**written.model_dump())
    halted = await run_in_threadpool(_halt, settings, engine, account, body)
    return await _stood_down(orchestrator, halted, {"reason": body.reason})


@router.post("/flatten", status_code=202)
async def flatten(
    *,
    settings: SettingsDep,
    engine: EngineDep,
    orchestrator: OrchestratorDep,
    body: StandDown,
    account: AccountQuery = None,
) -> ChangedState:
    """Halt the account's trading, cancel every open order, and start the run that closes every position."""
    halted = await run_in_threadpool(_halt, settings, engine, account, body)
    return await _stood_down(orchestrator, halted, {"reason": body.reason, "flatten": True})


async def _stood_down(
    orchestrator: OrchestratorDep, halted: ChangedState, parameters: Mapping[str, Any]
) -> ChangedState:
    """Start the run; nothing is sent and the orders are cancelled whether or not Prefect answers."""
    try:
        run = await orchestrator.start(HALT, HALT, parameters, idempotency_key=None)
    except TradingError as error:
        lacking = "no position is closed" if parameters.get("flatten") else "the books wait for the next manage-orders"
        notes = [*([halted.note] if halted.note else []), f"{lacking} ({error})"]
        return halted.model_copy(update={"note": "; ".join([*notes, "run `trading halt`"])})
    return halted.model_copy(update={"run": run})


def _halt(settings: Settings, engine: Engine, account: str | None, asked: StandDown) -> ChangedState:
    """Write the state first, so that nothing more is sent; then cancel, and say so where that is not possible."""
    halted = ChangedState(**_change(engine, account, "HALTED", asked).model_dump())
    with engine.connect() as connection:
        used = accounts.newest(connection)
    if used is None or account not in {None, used}:
        return halted  # the broker's login is the newest account's; the run looks after it
    try:
        return halted.model_copy(update={"cancelled": len(cancel_open_orders(settings.broker, engine, used))})
    except TradingError as error:
        return halted.model_copy(
            update={"note": f"orders are no longer sent, but open ones are not cancelled ({error})"}
        )


def _change(engine: Engine, account: str | None, state: str, asked: StandDown) -> TradingState:
    with engine.begin() as connection:
        chosen = portfolio.account(connection, account)
        if chosen is None:
            raise MissingError("no account has been seen yet, so there is no trading to halt or resume")
        repository.set_trading_state(
            connection,
            account=chosen,
            state=state,
            reason=asked.reason,
            by=asked.who,
            at=accounts.last_seen(connection, chosen),
        )
        return _state(connection, chosen)


def _limits(connection: Connection) -> list[RiskLimit]:
    chosen = {row.name: row for row in risk.overrides(connection)}
    listed = []
    for name, field in Limits.model_fields.items():
        row = chosen.get(name)
        default = float(field.default)
        listed.append(
            RiskLimit(
                name=name,
                value=row.value if row else default,
                default=default,
                description=field.description or "",
                updated_by=row.updated_by if row else None,
                updated_at=row.updated_at if row else None,
            )
        )
    return listed


def _check_limit(connection: Connection, name: str, value: float) -> None:
    others = {row.name: row.value for row in risk.overrides(connection)}
    try:
        Limits.model_validate({**others, name: value})
    except ValidationError as error:
        raise RefusedError(first_problem(error.errors())) from None


def _state(connection: Connection, account: str | None) -> TradingState:
    row = risk.trading_state(connection, account)
    if row is None:
        return TradingState(state="ACTIVE", reason="", changed_by=None, changed_at=None)
    return TradingState.of(row)
