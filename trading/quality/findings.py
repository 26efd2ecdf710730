"""What rules find: arrays while judging, words only for what is found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from numpy.typing import NDArray

    from trading.quality.batch import Batch

Severity = Literal["warning", "error"]
Verdict = Literal["suspect", "quarantined"]


@dataclass(frozen=True, slots=True)
class Issue:
    """A defect of one bar, or of a bar that is not there: what, where, how bad, and in words."""

    symbol: str
    ts: datetime
    rule: str
    severity: Severity
    detail: str
    verdict: Verdict


@dataclass(frozen=True, slots=True, eq=False)
class Findings:
    """K findings of a rule: symbol codes, timestamps (UTC), verdicts, and the sentence of the k-th."""

    codes: NDArray[np.int64]
    stamps: NDArray[np.datetime64]
    quarantined: NDArray[np.bool_]
    describe: Callable[[int], str]

    def __len__(self) -> int:
        return len(self.codes)


def at_rows(
    batch: Batch,
    rows: NDArray[np.int64],
    quarantined: NDArray[np.bool_] | np.bool_ | bool,
    describe: Callable[[int, int], str],
) -> Findings:
    """Return findings on rows of a batch; `describe` is called with the number of a finding and its row."""
    return Findings(
        batch.codes[rows],
        batch.stamps[rows],
        np.broadcast_to(quarantined, rows.shape),
        lambda number: describe(number, int(rows[number])),
    )
