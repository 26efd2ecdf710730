"""Whether a strategy's result is to be believed: the checks of `trading.robustness` over stored bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from prefect import task

from db.repositories import results, strategies
from tasks.policies import REPEATABLE
from tasks.resources import broker, database
from tasks.strategy_engine.backtests import YEARS, load_warmed_up, of_universe, require_bars
from trading.calendar import session_dates
from trading.report import Report
from trading.robustness.assessment import assess
from trading.robustness.sensitivity import WARM_UPS, Trial
from trading.robustness.verdicts import overall

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from trading.robustness.verdicts import Verdict


@task(**REPEATABLE)
def check_strategy(
    name: str,
    *,
    start: date | None,
    end: date | None,
    symbols: Sequence[str] | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> tuple[Report, Verdict]:
    """Question a strategy's current version over its universe, or `symbols`; nothing is stored.

    Without `start` over five years. `progress` is told what is being checked.

    Raises
    ------
    UnknownNameError
        There is no strategy of that name.
    DataError
        There are no bars, or too few, in the range.
    """
    last = end or broker().clock().last_completed
    first = start or last.replace(year=last.year - YEARS, day=min(last.day, 28))
    with database().connect() as connection:
        strategy = of_universe(strategies.named(connection, name), symbols)
        panel = load_warmed_up(connection, strategy, first, last, warm_up=WARM_UPS[-1] * strategy.warm_up)
        tried = results.sharpes_tried(connection, name)
    require_bars(panel, symbols or (), first, last)
    begin = int((session_dates(panel.timestamps) < np.datetime64(first, "D")).sum())
    checks = assess(Trial(strategy, panel, begin, costs=strategy.costs), sharpes_tried=tried, progress=progress)
    verdict = overall(checks)
    counted = {each: sum(check.verdict == each for check in checks) for each in ("pass", "warn", "fail")}
    asked = {"strategy": f"{name} {strategy.version}", "sessions": f"{first} to {last}"}
    rows = [
        {"check": check.name, "verdict": check.verdict, "figure": check.figure, "what it means": check.sentence}
        for check in checks
    ]
    return Report(f"Is {name} to be believed?", {**asked, "verdict": verdict, **counted}, rows), verdict
