"""The points at which the executing process is killed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Point = Literal["before the intent", "after the intent", "during the post", "after acceptance", "before the fill"]
POINTS: tuple[Point, ...] = (
    "before the intent",
    "after the intent",
    "during the post",
    "after acceptance",
    "before the fill",
)


@dataclass(frozen=True)
class Death:
    """Where to die, and at which time round; `half` tears the request itself, or the commit of positions."""

    point: Point
    nth: int
    half: bool


def name_of(point: Point) -> str:
    """Return the name of the fault that kills at a point."""
    return f"kill-{point.replace(' the ', ' ').replace(' ', '-')}"
