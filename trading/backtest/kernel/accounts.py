"""The account of a backtest: its terms, the market it trades in, what is held, and the log of what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from trading.compilation import compiled, lean

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trading.bars import Floats

    Integers = NDArray[np.int64]


OPEN, CLOSE, TYPICAL = range(3)
"""Where orders fill in the bar after the decision; typical is (high + low + close) / 3."""

AT_DECISION, AT_FILL = range(2)
"""When a share of capital becomes a quantity."""

MARK, END_AT_CLOSE, END_AT_OPEN = range(3)
"""What becomes of positions after the last bar: marked, or closed at that bar's close or open."""

DECIDED, STOPPED, TRAILED, TOOK_PROFIT, DELISTED, ENDED, RUINED, SPLIT_CASH, SPLIT = range(9)
"""Why a fill happened; `SPLIT` is no fill: its quantity is the ratio."""

NO_BAR, NO_POWER, TOO_MANY, NO_VOLUME, LAST_BAR = range(5)
"""Why an order, or what was left of it, did not fill."""

SPLIT_ACTION, DIVIDEND_ACTION = range(2)

COMMISSION, SLIPPAGE, BORROW, INTEREST, DIVIDENDS = range(5)
"""The columns of what was paid, in USD; dividends are what was received."""

CASH, HELD_VALUE, GROSS_VALUE = range(3)
"""Places in `Account.money`; the last two are brought up to date by `mark` and by every fill."""

YEAR = 365.0
"""Days over which annual rates accrue."""


class Terms(NamedTuple):
    """Costs and rules of an account in numbers; rates are fractions, amounts USD."""

    fill_at: int
    size_at: int
    at_end: int
    standing: bool
    commission_fixed: float
    commission_bps: float
    commission_per_share: float
    commission_minimum: float
    slippage_fixed: float
    slippage_bps: float
    slippage_volume_share: float
    slippage_square_root: float
    margin: float
    max_positions: int
    volume_limit: float
    borrow_rate: float
    interest_rate: float
    stop_loss: float
    take_profit: float
    trailing_stop: float
    delisted_after: int
    delisting_haircut: float


class Market(NamedTuple):
    """(T, N) prices and volumes, and (S + 1,) the rows at which sessions begin, (S,) their days since 1970."""

    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    starts: Integers
    days: Integers


class Account(NamedTuple):
    """What is held, per column, and the log of what happened."""

    held: Floats
    cost: Floats
    extreme: Floats
    barred: Floats
    marked: Floats
    marked_row: Integers
    used: Floats
    used_row: Integers
    money: Floats
    paid: Floats
    counts: Integers


class Log(NamedTuple):
    """Fills (row, column, kind; quantity, price, fee) and refused orders (row, column, reason; quantity)."""

    fills: Integers
    figures: Floats
    refused: Integers
    quantities: Floats


FILLS, REFUSED, POSITIONS = range(3)
"""Places in `Account.counts`."""


@compiled
def opened(columns: int, capital: float) -> Account:
    """Return an account that holds nothing but its opening cash, USD."""
    return Account(
        np.zeros(columns),
        np.zeros(columns),
        np.zeros(columns),
        np.zeros(columns),
        np.zeros(columns),
        np.full(columns, -1, np.int64),
        np.zeros(columns),
        np.full(columns, -1, np.int64),
        np.array([capital, 0.0, 0.0]),
        np.zeros(5),
        np.zeros(3, np.int64),
    )


@compiled
def grown(log: Log, counts: Integers, most: int) -> Log:
    """Return the log with room for `most` further lines of each kind."""
    fills, figures, refused, quantities = log
    if counts[FILLS] + most > len(fills):
        size = 2 * len(fills) + most
        more_fills, more_figures = np.empty((size, 3), np.int64), np.empty((size, 3))
        more_fills[: counts[FILLS]] = fills[: counts[FILLS]]
        more_figures[: counts[FILLS]] = figures[: counts[FILLS]]
        fills, figures = more_fills, more_figures
    if counts[REFUSED] + most > len(refused):
        size = 2 * len(refused) + most
        more_refused, more_quantities = np.empty((size, 3), np.int64), np.empty(size)
        more_refused[: counts[REFUSED]] = refused[: counts[REFUSED]]
        more_quantities[: counts[REFUSED]] = quantities[: counts[REFUSED]]
        refused, quantities = more_refused, more_quantities
    return Log(fills, figures, refused, quantities)


@lean
def refuse(account: Account, log: Log, row: int, column: int, reason: int, quantity: float) -> None:
    """Log an order, or what was left of it, as not filled."""
    at = account.counts[REFUSED]
    log.refused[at, 0], log.refused[at, 1], log.refused[at, 2] = row, column, reason
    log.quantities[at] = quantity
    account.counts[REFUSED] = at + 1


@lean
def note(
    account: Account, log: Log, row: int, column: int, kind: int, quantity: float, price: float, fee: float
) -> None:
    """Log a fill."""
    at = account.counts[FILLS]
    log.fills[at, 0], log.fills[at, 1], log.fills[at, 2] = row, column, kind
    log.figures[at, 0], log.figures[at, 1], log.figures[at, 2] = quantity, price, fee
    account.counts[FILLS] = at + 1


@lean
def last_close(account: Account, close: Floats, row: int, column: int) -> float:
    """Return the last close at or before a row, 0 before the first; looks back to the last look only."""
    known = account.marked_row[column]
    at = row
    while at > known:
        price = close[at, column]
        if price > 0:
            account.marked[column] = price
            break
        at -= 1
    account.marked_row[column] = row
    return account.marked[column]


@lean
def mark(account: Account, market: Market, row: int) -> float:
    """Bring values up to the closes of a row; return the equity."""
    net, gross = 0.0, 0.0
    for column in range(len(account.held)):
        held = account.held[column]
        if held != 0:
            price = market.close[row, column]
            if price > 0:
                account.marked[column], account.marked_row[column] = price, row
            else:
                price = last_close(account, market.close, row, column)
            value = held * price
            net += value
            gross += abs(value)
    account.money[HELD_VALUE], account.money[GROSS_VALUE] = net, gross
    return account.money[CASH] + net
