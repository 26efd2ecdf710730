"""Every fault of the drill by name: what is done, and what does it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from deployments.drill import bad_answers, points

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from deployments.drill.ground import Ground
    from deployments.drill.verdict import Verdict

    type Provoke = Callable[[Ground, Callable[[], None]], Verdict]

TEN_MINUTES = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Fault:
    """One line of the table: `needs` names the servers that it stops or empties, `steps` how often `tick` is called."""

    name: str
    about: str
    provoke: Provoke
    needs: tuple[str, ...] = ()
    steps: int = 1


def faults(*, repetitions: int, cut_seconds: float, sessions: int) -> Mapping[str, Fault]:
    """Return the faults in the order in which they are provoked.

    Parameters
    ----------
    repetitions
        Of each point at which the process is killed.
    cut_seconds
        How long the stream is cut.
    sessions
        How many are replayed twice.
    """
    listed = [
        Fault(
            points.name_of(point),
            f"kill -9 of the executing process {point}",
            partial(_kill, point, repetitions),
            steps=repetitions,
        )
        for point in points.POINTS
    ]
    listed += [
        Fault(name, f"{bad_answers.words(fault)} to some posts", _one("answers", "answered_badly", name=name))
        for name, fault in bad_answers.ANSWERS.items()
    ]
    postgres, redis = ("postgres",), ("redis",)
    listed += [
        Fault(
            "postgres-restarted",
            "PostgreSQL stopped and started while orders are sent",
            _one("outages", "postgres_away", how="restarted"),
            postgres,
        ),
        Fault(
            "postgres-killed",
            "PostgreSQL killed and started while orders are sent",
            _one("outages", "postgres_away", how="killed"),
            postgres,
        ),
        Fault("redis-flushed", "FLUSHALL all through a session", _one("outages", "redis_flushed"), redis),
        Fault("redis-stopped", "Redis stopped all through a session", _one("outages", "redis_stopped"), redis),
        Fault("ten-at-once", "the same submission ten times at once, then a retry", _one("races", "ten_at_once")),
        Fault("cancel-meets-fill", "cancels while the market opens", _one("races", "cancel_meets_fill")),
        Fault("stream-cut", "the stream cut while orders fill", _one("streams", "cut", seconds=cut_seconds)),
        Fault("clock-fast", "the broker's clock ten minutes fast", _one("clocks", "wrong_clock", off=TEN_MINUTES)),
        Fault("clock-slow", "the broker's clock ten minutes slow", _one("clocks", "wrong_clock", off=-TEN_MINUTES)),
        Fault("replay-twice", "the same sessions replayed twice", _one("replays", "twice", sessions=sessions)),
    ]
    return {fault.name: fault for fault in listed}


def _one(module: str, function: str, **options: Any) -> Provoke:
    """Return what provokes a fault; its module, which imports the whole system, is loaded only then."""

    def provoke(ground: Ground, tick: Callable[[], None]) -> Verdict:
        verdict: Verdict = getattr(import_module(f"deployments.drill.{module}"), function)(ground, **options)
        tick()
        return verdict

    return provoke


def _kill(point: points.Point, repetitions: int, ground: Ground, tick: Callable[[], None]) -> Verdict:
    from deployments.drill.kills import killed

    return killed(ground, point, repetitions=repetitions, on_done=tick)
