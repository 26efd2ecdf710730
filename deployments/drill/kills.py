"""kill -9 of the executing process at five points, again and again."""

from __future__ import annotations

import multiprocessing
import random
import sys
import time
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from deployments.drill import dying
from deployments.drill.decisions import plant
from deployments.drill.judging import Case, finish
from deployments.drill.points import Death, name_of
from deployments.drill.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from multiprocessing.context import ForkServerContext, SpawnContext

    from deployments.drill.ground import Ground
    from deployments.drill.points import Point

    Starter = ForkServerContext | SpawnContext

ORDERS = 3
PATIENCE = 60.0
"""Seconds in which a process has to reach the point where it dies."""
RETURNED = frozenset({0, 1})
"""Exit codes of a process that was not killed: it ended, or failed."""


def killed(
    ground: Ground, point: Point, *, repetitions: int, seed: int = 1, on_done: Callable[[], None] = lambda: None
) -> Verdict:
    """Kill a process at one point, `repetitions` times at random places, and let the next runs finish its work."""
    began = time.monotonic()
    chance = random.Random(f"{point} {seed}")  # noqa: S311 - repeatable, not secret
    each = []
    with starter() as start:
        for _ in range(repetitions):
            death = Death(point, chance.randint(1, ORDERS), chance.random() < 0.5)  # noqa: PLR2004 - heads or tails
            each.append(_killed_once(ground, start, death))
            on_done()
    return _together(each, f"kill -9 {point}, {repetitions} times", began)


def _killed_once(ground: Ground, start: Starter, death: Death) -> Verdict:
    ground.begin()
    case = Case(name_of(death.point), ground, plant(ground.engine, ORDERS, quantity=(1, 2, 3)), time.monotonic())
    process = start.Process(target=dying.live_and_die, args=(ground.places, death), daemon=True)
    process.start()
    try:
        process.join(PATIENCE)
        code = process.exitcode
    finally:
        process.kill()
    wrong = [f"{death} did not kill it: it ended with {code}"] if code is None or code in RETURNED else []
    finish(ground)
    return case.verdict(str(death), problems=wrong)


def _together(each: Sequence[Verdict], done: str, began: float) -> Verdict:
    """Return the repetitions as one: counts added up, equal books only if all of them are."""
    states = Counter(one.state for one in each)
    return Verdict(
        name=each[0].name,
        done=done,
        intended=sum(one.intended for one in each),
        at_broker=sum(one.at_broker for one in each),
        doubled=sum(one.doubled for one in each),
        lost=sum(one.lost for one in each),
        books_equal=all(one.books_equal for one in each),
        state="; or ".join(f"{number} times: {state}" for state, number in states.items()),
        seconds=round(time.monotonic() - began, 1),
        problems=tuple(f"{one.done}: {problem}" for one in each for problem in one.problems),
    )


@contextmanager
def starter() -> Iterator[Any]:
    """Yield what starts processes; where the platform can, from a server that has imported everything."""
    context: Any
    if "forkserver" in multiprocessing.get_all_start_methods():
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([dying.__name__])
    else:
        context = multiprocessing.get_context("spawn")
    with hidden_program():
        yield context


@contextmanager
def hidden_program() -> Iterator[None]:
    """Let processes start that need nothing of the program that was started, and would run it a second time."""
    names: dict[str, Any] = vars(sys.modules["__main__"])
    kept: dict[str, Any] = {name: names[name] for name in ("__file__", "__spec__") if name in names}
    names.pop("__file__", None)
    names["__spec__"] = None
    try:
        yield
    finally:
        names.update(kept)
