"""Whether a strategy's result is to be believed: the checks of `trading.robustness` over stored bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from prefect import task

from db.json import plain
from db.repositories import checks as recorded_checks
from db.repositories import results, strategies
from tasks.policies import REPEATABLE
from tasks.resources import database, flow_run_id
from tasks.strategy_engine.history import history_of
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
    by: str = "prefect",
    progress: Callable[[str], None] = lambda _: None,
) -> tuple[Report, Verdict]:
    """Question a strategy's current version over its universe, or `symbols`, and write down what was found.

    Without `start` over five years. A check over the version's own universe that does not fail lets it trade; `by`
    says who asked. `progress` is told what is being checked.

    Raises
    ------
    UnknownNameError
        There is no strategy of that name.
    DataError
        There are no bars, or too few, in the range.
    """
    with database().connect() as connection:
        stored = strategies.named(connection, name)
        tried = results.sharpes_tried(connection, name)
    asked = history_of(stored, symbols=symbols, start=start, end=end, warm_up=WARM_UPS[-1] * stored.warm_up)
    begin = int((session_dates(asked.panel.timestamps) < np.datetime64(asked.first, "D")).sum())
    trial = Trial(asked.strategy, asked.panel, begin, costs=asked.strategy.costs, dividends=asked.dividends)
    checks = assess(trial, sharpes_tried=tried, progress=progress)
    verdict = overall(checks)
    counted = {each: sum(check.verdict == each for check in checks) for each in ("pass", "warn", "fail")}
    figures: dict[str, object] = {
        "strategy": f"{name} {asked.strategy.version}",
        "sessions": f"{asked.first} to {asked.last}",
    }
    rows = [
        {"check": check.name, "verdict": check.verdict, "figure": check.figure, "what it means": check.sentence}
        for check in checks
    ]
    with database().begin() as connection:
        row = {
            "strategy": name,
            "strategy_version": stored.version,
            "symbols": list(symbols) if symbols else None,
            "range_start": asked.first,
            "range_end": asked.last,
            "bars_sha256": asked.panel.fingerprint(),
            "verdict": verdict,
            "checks": plain([check.as_dict() for check in checks]),
            "actor": by,
            "flow_run_id": flow_run_id(),
        }
        figures["recorded as"] = recorded_checks.record(connection, row)
    return Report(f"Is {name} to be believed?", {**figures, "verdict": verdict, **counted}, rows), verdict
