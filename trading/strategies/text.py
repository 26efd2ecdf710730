"""Strategies as text: YAML in and out, and what differs between two versions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import ValidationError

from trading.errors import InvalidValueError, UnknownNameError
from trading.strategies.definition import Strategy

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LARGEST_TEXT = 100_000
"""Most characters of a definition."""


@dataclass(frozen=True, slots=True)
class Change:
    """A place where two definitions differ; None where one of them has nothing."""

    place: str
    before: object
    after: object

    def __str__(self) -> str:
        return f"{self.place}: {_shown(self.before)} -> {_shown(self.after)}"


def to_yaml(strategy: Strategy) -> str:
    """Return the definition as YAML: what a person would write, without what is at its default."""
    content = strategy.model_dump(mode="json", exclude_defaults=True)
    rule = content.get("rule", {})
    ordered = {**content, "rule": {"kind": strategy.rule.kind, **rule}}
    text: str = yaml.safe_dump(ordered, sort_keys=False, allow_unicode=True, width=100)
    return text


def from_text(text: str) -> Strategy:
    """Return the strategy that a YAML (or JSON) text defines.

    Raises
    ------
    InvalidValueError
        It is not YAML, or not a definition; says where, and what is expected.
    """
    if len(text) > LARGEST_TEXT:
        raise InvalidValueError("length of the definition", len(text), f"at most {LARGEST_TEXT:,} characters")
    try:
        content = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "the text"
        raise InvalidValueError(place, str(getattr(error, "problem", error))[:80], "YAML") from None
    if not isinstance(content, dict):
        raise InvalidValueError("the definition", type(content).__name__, "names and values, such as name: mine")
    return from_content(content)


def from_content(content: Mapping[str, Any]) -> Strategy:
    """Return the strategy of a definition's names and values; InvalidValueError says which is wrong."""
    try:
        return Strategy.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        steps = [str(step) for step in first["loc"]]
        where = ".".join(steps) or "the definition"
        if first["type"] == "extra_forbidden":
            raise UnknownNameError("field", where, _known(content, steps)) from None
        raise InvalidValueError(where, _brief(first["input"]), first["msg"].removeprefix("Value error, ")) from None


def difference(before: Strategy, after: Strategy) -> list[Change]:
    """Return what changed between two definitions, place by place."""
    old, new = (dict(_places(strategy.model_dump(mode="json"))) for strategy in (before, after))
    places = [*old, *(place for place in new if place not in old)]
    return [Change(place, old.get(place), new.get(place)) for place in places if old.get(place) != new.get(place)]


def _places(content: object, prefix: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(content, dict) and content:
        for name, value in content.items():
            yield from _places(value, f"{prefix}.{name}" if prefix else str(name))
    else:
        yield prefix, content


def _known(content: Mapping[str, Any], steps: list[str]) -> list[str]:
    """Return the names there are beside an unknown one, such as `rule.conditions.entry`."""
    from trading.rules import Conditions, Momentum, Pairs, Plugin, Ranking, SmaCrossover

    rules = (SmaCrossover, Momentum, Conditions, Ranking, Pairs, Plugin)
    kinds = {rule.model_fields["kind"].default: rule for rule in rules}
    models: dict[str, Any] = {"": Strategy, **{f"rule.{kind}": rule for kind, rule in kinds.items()}}
    for name in ("sizing", "entry", "costs"):
        models[name] = Strategy.model_fields[name].annotation
    prefix = ".".join(steps[:-1])
    fields = models[prefix].model_fields if prefix in models else content
    return [f"{prefix}.{name}" if prefix else name for name in fields]


def _brief(value: object) -> object:
    return value if len(repr(value)) <= 80 else f"{str(value)[:77]}..."  # noqa: PLR2004 - a line


def _shown(value: object) -> str:
    return "nothing" if value is None else json.dumps(value)
