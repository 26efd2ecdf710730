"""Research runs: parameter grids, and strategies with other parameters."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from trading.backtest import run
from trading.errors import InvalidValueError, UnknownNameError
from trading.rules.written import Written
from trading.strategies import Strategy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from trading.adjustment import Actions
    from trading.backtest import BacktestResult
    from trading.bars import Panel
    from trading.costs import Costs

AROUND = (0.8, 0.9, 1.0, 1.1, 1.2)


def grid(parameters: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Return every combination, the last parameter varying fastest; a single empty one for no parameters.

    Raises
    ------
    InvalidValueError
        A parameter has no values.
    """
    for name, values in parameters.items():
        if not len(values):
            raise InvalidValueError(f"values of {name}", list(values), "at least one")
    return [dict(zip(parameters, combination, strict=True)) for combination in product(*parameters.values())]


def with_parameters(strategy: Strategy, params: Mapping[str, Any]) -> Strategy:
    """Return the strategy with rule or sizing parameters replaced, checked as when it was made.

    Parameters
    ----------
    strategy
        The one to start from.
    params
        Names of the constants that the rule's expressions use, or of the rule's or the sizing's fields, plain
        ("fast") or with their part ("sizing.max_weight").

    Raises
    ------
    UnknownNameError
        A name is no parameter of this strategy; the message suggests one.
    InvalidValueError
        A value, or the combination, is not allowed.
    """
    check_names(strategy, params)
    parts = {"rule": dict(strategy.rule), "sizing": dict(strategy.sizing)}
    if isinstance(strategy.rule, Written):
        parts["rule"]["parameters"] = dict(strategy.rule.parameters)
    places = _places(strategy)
    for name, value in params.items():
        *inner, field = places[name]
        part = parts[inner[0]]
        for step in inner[1:]:
            part = part[step]
        part[field] = value
    try:
        return Strategy.model_validate({**strategy.model_dump(), **parts})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(step) for step in first["loc"]) or "parameters"
        raise InvalidValueError(f"{where} of {strategy.name}", dict(params), first["msg"]) from None


def check_names(strategy: Strategy, names: Iterable[str]) -> None:
    """Refuse names that are no parameter of a strategy.

    Raises
    ------
    UnknownNameError
        For the first of them; the message suggests one.
    """
    places = _places(strategy)
    for name in names:
        if name not in places:
            raise UnknownNameError("parameter", name, places)


def evaluate(
    strategy: Strategy,
    panel: Panel,
    *,
    params: Mapping[str, Any] | None = None,
    capital: float = 100_000.0,
    costs: Costs | None = None,
    start: date | None = None,
    actions: Actions | None = None,
) -> dict[str, Any]:
    """Return a row of a sweep: parameters, the version they make, counts of trades and fills, and metrics."""
    tried = with_parameters(strategy, params or {})
    result = run(tried, panel, capital=capital, costs=costs, start=start, actions=actions)
    return {**(params or {}), "strategy": tried.name, "version": tried.version, **figures_of(result)}


def figures_of(result: BacktestResult) -> dict[str, Any]:
    """Return a backtest's counts of trades, fills and refused orders, its final equity (USD) and its metrics."""
    return {
        "trades": len(result.trades),
        "fills": len(result.fills),
        "refused": len(result.refused),
        "final_equity": float(result.equity.iloc[-1]),
        **result.metrics.as_dict(),
    }


def around(strategy: Strategy, *, most: int = 2) -> dict[str, list[Any]]:
    """Return the first `most` numbers of a rule with values a tenth and a fifth up and down: a grid to look around in.

    Raises
    ------
    InvalidValueError
        The rule has no number.
    """
    found: dict[str, list[Any]] = {}
    for name, value in numbers_of(strategy)[:most]:
        found[name] = _around(value)
    if not found:
        raise InvalidValueError(f"the rule of {strategy.name}", strategy.rule.kind, "one with a number to change")
    return found


def _around(value: float) -> list[int | float]:
    if not isinstance(value, int):
        return [float(f"{value * factor:.6g}") for factor in AROUND]
    found = sorted({round(value * factor) for factor in AROUND})
    return [*found] if len(found) > 1 else [value - 1, value, value + 1]


def numbers_of(strategy: Strategy) -> list[tuple[str, int | float]]:
    """Return the numbers of a strategy's rule by name: the constants of its expressions first, then its fields."""
    rule = strategy.rule
    named = list(rule.parameters.items()) if isinstance(rule, Written) else []
    fields = [(name, getattr(rule, name)) for name in type(rule).model_fields]
    return [
        (name, value)
        for name, value in [*named, *fields]
        if isinstance(value, int | float) and not isinstance(value, bool)
    ]


def _places(strategy: Strategy) -> dict[str, tuple[str, ...]]:
    """Return every name a parameter may go by, and where it stands; the rule's plain names win."""
    places: dict[str, tuple[str, ...]] = {}
    for part, model in (("sizing", strategy.sizing), ("rule", strategy.rule)):
        for field in type(model).model_fields:
            if field != "kind":
                places[field] = places[f"{part}.{field}"] = (part, field)
    if isinstance(strategy.rule, Written):
        for name in strategy.rule.parameters:
            places[f"rule.parameters.{name}"] = ("rule", "parameters", name)
            places.setdefault(name, ("rule", "parameters", name))
    return places
