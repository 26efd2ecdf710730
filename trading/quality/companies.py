"""Two companies under one ticker, judged as two symbols."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    import pandas as pd
    from numpy.typing import NDArray

    from trading.quality.findings import Issue

MARK = " before "
"""What stands between a ticker and the day on which the next company took it; no symbol has a blank."""


def former(symbol: str, taken: date) -> str:
    """Return the name that a ticker's bars before `taken` are judged under."""
    return f"{symbol}{MARK}{taken.isoformat()}"


def apart(rows: pd.DataFrame, days: NDArray[np.datetime64], taken: Mapping[str, Sequence[date]]) -> pd.DataFrame:
    """Return rows (symbol, ...) with those of a ticker's earlier companies under names of their own.

    Parameters
    ----------
    rows
        Bars or corporate actions.
    days
        (N,) datetime64[D], New York, of each row.
    taken
        Ticker -> the days on which another company took it, increasing.
    """
    if not taken or not len(rows):
        return rows
    symbols = rows["symbol"].to_numpy(dtype=object).copy()
    for symbol, starts in taken.items():
        for later in reversed(starts):
            symbols[(rows["symbol"] == symbol).to_numpy() & (days < np.datetime64(later, "D"))] = former(symbol, later)
    return rows.assign(symbol=symbols)


def together(issues: Iterable[Issue]) -> list[Issue]:
    """Return issues under the tickers their bars are stored by, by symbol, time and rule."""
    plain = [replace(issue, symbol=issue.symbol.partition(MARK)[0]) for issue in issues]
    return sorted(plain, key=lambda issue: (issue.symbol, issue.ts, issue.rule))
