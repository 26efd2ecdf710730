"""The faults that are armed, and the dice that decide which of them hit."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from simulator.faults.models import Fault

F = TypeVar("F", bound="Fault")


@dataclass(slots=True)
class Armed:
    """A fault, how often it hit, and whether it can again."""

    number: int
    fault: Fault
    hits: int = 0

    @property
    def spent(self) -> bool:
        """Whether it has hit as often as it was to."""
        return self.fault.count is not None and self.hits >= self.fault.count

    def listed(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {"id": self.number, "hits": self.hits, "spent": self.spent, **self.fault.model_dump()}


class Faults:
    """Armed faults in the order they were armed."""

    def __init__(self, seed: str = "") -> None:
        self._armed: list[Armed] = []
        self._numbers = 0
        self.reseed(seed)

    def reseed(self, seed: str) -> None:
        """Begin the sequence of chances that a seed gives."""
        self._dice = Random(f"faults {seed}")  # noqa: S311 - chances of a simulation have to be repeatable

    def arm(self, fault: Fault) -> Armed:
        """Add a fault."""
        self._numbers += 1
        armed = Armed(self._numbers, fault)
        self._armed.append(armed)
        return armed

    def disarm(self, number: int | None = None) -> int:
        """Remove a fault, or all of them; return how many."""
        kept = [armed for armed in self._armed if number is not None and armed.number != number]
        removed = len(self._armed) - len(kept)
        self._armed = kept
        return removed

    def listed(self) -> list[dict[str, Any]]:
        """Return every fault as JSON, spent ones too."""
        return [armed.listed() for armed in self._armed]

    def draw(self, kind: type[F], applies: Callable[[F], bool] = lambda _: True) -> list[F]:
        """Return the faults of a kind that hit now, each counted; a spent one never hits."""
        return list(self._hits(kind, applies))

    def first(self, kind: type[F], applies: Callable[[F], bool] = lambda _: True) -> F | None:
        """Return the first fault of a kind that hits now, or None; later ones are not drawn."""
        return next(self._hits(kind, applies), None)

    def _hits(self, kind: type[F], applies: Callable[[F], bool]) -> Iterator[F]:
        for armed in self._armed:
            fault = armed.fault
            if armed.spent or not isinstance(fault, kind) or not applies(fault):
                continue
            if fault.probability >= 1 or self._dice.random() < fault.probability:
                armed.hits += 1
                yield fault
