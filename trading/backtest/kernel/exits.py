"""Positions that close by themselves: stops and targets inside a bar, delistings, the end of the backtest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trading.backtest.kernel.accounts import (
    DELISTED,
    END_AT_OPEN,
    ENDED,
    RUINED,
    STOPPED,
    TOOK_PROFIT,
    TRAILED,
    last_close,
)
from trading.backtest.kernel.fills import book, room_in, slipped, take
from trading.compilation import lean

if TYPE_CHECKING:
    from trading.backtest.kernel.accounts import Account, Integers, Log, Market, Terms


@lean
def leave(
    account: Account, log: Log, market: Market, terms: Terms, row: int, column: int, kind: int, base: float, unit: float
) -> None:
    """Close a position inside a bar, as far as the volume allows; a target is a limit order and does not slip."""
    held = account.held[column]
    size = min(abs(held), room_in(account, market, terms, row, column, unit))
    if size <= 0:
        return
    quantity = -size if held > 0 else size
    price = base if kind == TOOK_PROFIT else slipped(terms, base, quantity, market.volume[row, column])
    book(account, log, terms, row, column, kind, quantity, base, price)
    take(account, row, column, size)
    account.barred[column] = 1.0 if held > 0 else -1.0


@lean
def watch(account: Account, log: Log, market: Market, terms: Terms, row: int, unit: float) -> None:
    """Let stops and targets act inside a bar: a gap at the open first, then the stop, then the target."""
    for column in range(len(account.held)):
        held = account.held[column]
        start, high, low = market.open[row, column], market.high[row, column], market.low[row, column]
        if held == 0 or not (start > 0 and high > 0 and low > 0):
            continue
        side = 1.0 if held > 0 else -1.0
        entry = account.cost[column]
        stop = entry * (1 - side * terms.stop_loss) if terms.stop_loss > 0 else -side * np.inf
        kind = STOPPED
        if terms.trailing_stop > 0:
            trail = account.extreme[column] * (1 - side * terms.trailing_stop)
            if side * trail > side * stop:
                stop, kind = trail, TRAILED
        target = entry * (1 + side * terms.take_profit) if terms.take_profit > 0 else side * np.inf
        worst, best = (low, high) if side > 0 else (high, low)
        acts, base = True, start
        if side * start <= side * stop:
            pass  # a gap through the stop
        elif side * start >= side * target:
            kind = TOOK_PROFIT
        elif side * worst <= side * stop:
            base = stop
        elif side * best >= side * target:
            kind, base = TOOK_PROFIT, target
        else:
            acts = False
        if acts:
            leave(account, log, market, terms, row, column, kind, base, unit)
        if side * best > side * account.extreme[column]:
            account.extreme[column] = best


@lean
def close_out(
    account: Account, log: Log, terms: Terms, row: int, column: int, kind: int, base: float, price: float
) -> None:
    """Close a position at a price; at zero only where that is what became of it."""
    if price > 0 or kind in (DELISTED, RUINED):
        book(account, log, terms, row, column, kind, -account.held[column], base, price)


@lean
def delist(account: Account, log: Log, market: Market, terms: Terms, row: int, missing: Integers) -> None:
    """Close positions whose symbol has had no bar for too long, at the last close less the haircut."""
    for column in range(len(account.held)):
        if market.close[row, column] > 0:
            missing[column] = 0
            continue
        missing[column] += 1
        held = account.held[column]
        if held != 0 and missing[column] >= terms.delisted_after:
            base = last_close(account, market.close, row, column)
            side = 1.0 if held > 0 else -1.0
            close_out(account, log, terms, row, column, DELISTED, base, base * (1 - side * terms.delisting_haircut))


@lean
def finish(account: Account, log: Log, market: Market, terms: Terms, row: int) -> None:
    """Close every position in the last row, at its open or close."""
    for column in range(len(account.held)):
        held = account.held[column]
        if held != 0:
            base = market.open[row, column] if terms.at_end == END_AT_OPEN else market.close[row, column]
            if not base > 0:
                base = last_close(account, market.close, row, column)
            price = slipped(terms, base, -held, market.volume[row, column])
            close_out(account, log, terms, row, column, ENDED, base, price)
