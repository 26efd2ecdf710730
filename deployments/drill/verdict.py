"""What came of one fault: counts, whether the books agree, and the state in words."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was done and what came of it.

    Attributes
    ----------
    intended
        Approved decisions: orders that were to be at the broker, once each.
    at_broker
        Orders that the broker has.
    doubled, lost
        Orders beyond one per decision, and decisions without an order and without an explanation in the books;
        counted by symbol, side and quantity, so that our own ids prove nothing by themselves.
    books_equal
        Whether orders, fills, positions and cash of the books are the broker's.
    state
        How it stands at the end, in words.
    problems
        What is not as it should be; empty when all is well.
    """

    name: str
    done: str
    intended: int
    at_broker: int
    doubled: int
    lost: int
    books_equal: bool
    state: str
    seconds: float
    problems: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing was doubled, nothing lost, and everything is explained."""
        return not (self.doubled or self.lost or self.problems) and self.books_equal

    def as_dict(self) -> dict[str, Any]:
        """Return it for programs."""
        return {**asdict(self), "verdict": "ok" if self.ok else "FAILED"}
