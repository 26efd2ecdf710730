"""Strategies: read, define, activate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter
from pydantic import ValidationError

from api.dependencies import ConnectionDep, EngineDep
from api.errors import RefusedError, first_problem
from api.schemas.orders import StrategyVersion
from api.schemas.strategies import Definition, Saved, StatusChange, Strategy, StrategyCheck, StrategyDetail
from db.repositories import audit, checks
from db.repositories import strategies as repository
from db.results import market, strategies
from trading.errors import TradingError, UnknownNameError
from trading.strategies import Strategy as Defined

if TYPE_CHECKING:
    from collections.abc import Iterable

router = APIRouter(prefix="/api/strategies", tags=["strategies"])

ACTOR = "api"


@router.get("")
def strategy_list(connection: ConnectionDep) -> list[Strategy]:
    """Return every strategy with its current definition, by name."""
    return Strategy.each(strategies.strategies(connection))


@router.get("/schema")
def strategy_schema() -> dict[str, Any]:
    """Return the JSON schema of a strategy's definition."""
    return Defined.model_json_schema()


@router.get("/{name}")
def strategy_detail(connection: ConnectionDep, name: str) -> StrategyDetail:
    """Return a strategy and every version it has had."""
    row = strategies.strategy(connection, name)
    if row is None:
        raise UnknownNameError("strategy", name, strategies.names(connection))
    versions = StrategyVersion.each(strategies.versions(connection, name))
    found = checks.latest(connection, row.version)
    check = None if found is None else StrategyCheck.of(found)
    return StrategyDetail(**Strategy.of(row).model_dump(), versions=versions, check=check)


@router.put("/{name}")
def define(engine: EngineDep, name: str, body: Definition) -> Saved:
    """Store a definition as the strategy's new version; a new strategy comes up paused.

    So does one that traded: the new version is to be checked before it trades.
    """
    strategy = _validated(name, body.definition)
    with engine.begin() as connection:
        _check_symbols(strategy.universe, market.symbols(connection))
        version = repository.save(connection, strategy, by=ACTOR)
        audit.record(connection, actor=ACTOR, action="strategy.defined", subject=name, detail={"version": version})
    return Saved(name=name, version=version)


@router.post("/{name}/status")
def set_status(engine: EngineDep, name: str, body: StatusChange) -> Strategy:
    """Make a strategy active, paused or retired; active only after a check of its version that did not fail."""
    with engine.begin() as connection:
        repository.set_status(connection, name, body.status, by=ACTOR, anyway=body.anyway)
        detail = repository.status_detail(body.status, body.anyway)
        audit.record(connection, actor=ACTOR, action="strategy.status", subject=name, detail=detail)
        row = strategies.strategy(connection, name)
    if row is None:
        raise UnknownNameError("strategy", name, ())
    return Strategy.of(row)


def _validated(name: str, definition: dict[str, Any]) -> Defined:
    try:
        strategy = Defined.model_validate({"name": name, **definition})
    except ValidationError as error:
        raise RefusedError(f"definition.{first_problem(error.errors())}") from None
    except TradingError as error:
        raise RefusedError(str(error)) from None
    if strategy.name != name:
        raise RefusedError(f"definition.name is {strategy.name!r} but the path says {name!r}; make them the same")
    return strategy


def _check_symbols(universe: Iterable[str], known: list[str]) -> None:
    for symbol in universe:
        if known and symbol not in known:
            raise RefusedError(f"definition.universe: {UnknownNameError('symbol', symbol, known)}")
