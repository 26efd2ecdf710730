"""Running the rules over a frame of bars, and what each bar is worth after."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from typing import TYPE_CHECKING, Literal

import numpy as np

from trading.adjustment.actions import Actions, read_actions
from trading.errors import UnknownNameError
from trading.quality.batch import make_batch
from trading.quality.catalogue import RULES
from trading.quality.findings import Issue
from trading.quality.thresholds import DEFAULTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pandas as pd
    from numpy.typing import NDArray

    from trading.bars import Timeframe
    from trading.quality.batch import Batch
    from trading.quality.catalogue import Rule
    from trading.quality.findings import Findings, Verdict
    from trading.quality.thresholds import Thresholds

BarVerdict = Literal["good", "suspect", "quarantined"]


def check(
    bars: pd.DataFrame,
    *,
    splits: Actions | pd.DataFrame | None = None,
    timeframe: Timeframe = "1Day",
    reference: pd.DataFrame | None = None,
    daily: pd.DataFrame | None = None,
    rules: Iterable[str] | None = None,
    thresholds: Thresholds = DEFAULTS,
) -> list[Issue]:
    """Return what every rule finds, ordered by symbol, time and rule.

    Parameters
    ----------
    bars
        Raw bars of any number of symbols in the order they were delivered: symbol, ts (timezone-aware), open,
        high, low, close, volume.
    splits
        Corporate actions, as `trading.adjustment.read_actions` takes them: moves they explain are no jumps.
    timeframe
        Of the bars.
    reference
        The same bars from another feed, to compare with.
    daily
        Daily bars, unadjusted, to compare intraday bars with.
    rules
        Names of the rules to run. Default: all.
    thresholds
        What the rules are judged by.

    Raises
    ------
    DataError
        A column is missing, or a timestamp is missing or has no time zone.
    UnknownNameError
        A rule does not exist.
    """
    batch = make_batch(bars, timeframe)
    actions = read_actions(splits) if splits is not None and not isinstance(splits, Actions) else splits
    batch = replace(
        batch,
        actions=actions,
        reference=None if reference is None else make_batch(reference, timeframe),
        daily=None if daily is None else make_batch(daily, "1Day"),
    )
    chosen = sorted(_chosen(rules), key=lambda rule: rule.name)
    found = [(rule, rule.judge(batch, thresholds)) for rule in chosen]
    return list(_issues(batch, [(rule, findings) for rule, findings in found if len(findings)]))


def bar_verdicts(bars: pd.DataFrame, issues: Iterable[Issue]) -> NDArray[np.object_]:
    """Return good, suspect or quarantined for each row of a frame: the worst that any rule said of it."""
    import pandas as pd

    worst: dict[tuple[str, pd.Timestamp], BarVerdict] = {}
    for issue in issues:
        bar = (issue.symbol, pd.Timestamp(issue.ts))
        worst[bar] = "quarantined" if "quarantined" in (issue.verdict, worst.get(bar)) else "suspect"
    rows = zip(bars["symbol"], bars["ts"].dt.tz_convert("UTC").dt.floor("us"), strict=True)
    return np.array([worst.get(bar, "good") for bar in rows], dtype=object)


def _chosen(names: Iterable[str] | None) -> Iterator[Rule]:
    for name in RULES if names is None else names:
        if name not in RULES:
            raise UnknownNameError("quality rule", name, RULES)
        yield RULES[name]


def _issues(batch: Batch, found: list[tuple[Rule, Findings]]) -> Iterator[Issue]:
    """Write down what was found, in order of symbol, time and rule."""
    if not found:
        return
    codes = np.concatenate([findings.codes for _, findings in found])
    stamps = np.concatenate([findings.stamps for _, findings in found]).astype("datetime64[us]")
    places = np.repeat(np.arange(len(found)), [len(findings) for _, findings in found])
    numbers = np.concatenate([np.arange(len(findings)) for _, findings in found])
    order = np.lexsort((numbers, places, stamps, codes))
    names, moments = batch.names[codes[order]].tolist(), stamps[order].tolist()
    which = zip(names, moments, places[order].tolist(), numbers[order].tolist(), strict=True)
    for symbol, ts, place, number in which:
        rule, findings = found[place]
        verdict: Verdict = "quarantined" if findings.quarantined[number] else "suspect"
        yield Issue(str(symbol), ts.replace(tzinfo=UTC), rule.name, rule.severity, findings.describe(number), verdict)
