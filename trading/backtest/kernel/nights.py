"""What happens to an account between two bars: borrow fees, interest, splits and dividends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trading.backtest.kernel.accounts import (
    BORROW,
    CASH,
    DIVIDEND_ACTION,
    DIVIDENDS,
    INTEREST,
    POSITIONS,
    SPLIT,
    SPLIT_CASH,
    YEAR,
    last_close,
    note,
)
from trading.compilation import lean

if TYPE_CHECKING:
    from trading.backtest.kernel.accounts import Account, Log, Market, Terms


@lean
def act(
    account: Account, log: Log, market: Market, row: int, column: int, kind: int, value: float, unit: float
) -> None:
    """Apply a split (ratio) or a dividend (USD per share) to a position before a bar opens.

    What a split leaves of a share that cannot be held is paid out at the last close.
    """
    held = account.held[column]
    if kind == DIVIDEND_ACTION:
        account.money[CASH] += held * value
        account.paid[DIVIDENDS] += held * value
        return
    last = last_close(account, market.close, row - 1, column) / value
    account.marked[column] = last
    if held == 0:
        return
    account.cost[column] /= value
    account.extreme[column] /= value
    note(account, log, row, column, SPLIT, value, 0.0, 0.0)
    account.held[column] = np.trunc(held * value * unit) / unit
    rest = held * value - account.held[column]
    if rest != 0:
        account.money[CASH] += rest * last
        account.counts[POSITIONS] -= int(account.held[column] == 0)
        note(account, log, row, column, SPLIT_CASH, -rest, last, 0.0)


@lean
def overnight(account: Account, market: Market, terms: Terms, row: int, days: float) -> None:
    """Charge the borrow fee of shorts and the interest on cash below zero for the days since the last session."""
    if terms.borrow_rate > 0:
        for column in range(len(account.held)):
            if account.held[column] < 0:
                value = -account.held[column] * last_close(account, market.close, row - 1, column)
                fee = value * terms.borrow_rate * days / YEAR
                account.money[CASH] -= fee
                account.paid[BORROW] += fee
    if terms.interest_rate > 0 and account.money[CASH] < 0:
        fee = -account.money[CASH] * terms.interest_rate * days / YEAR
        account.money[CASH] -= fee
        account.paid[INTEREST] += fee
