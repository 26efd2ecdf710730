"""One pass over the bars: decisions to fills to equity."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from trading.backtest.kernel.accounts import (
    AT_DECISION,
    AT_FILL,
    CASH,
    FILLS,
    GROSS_VALUE,
    HELD_VALUE,
    LAST_BAR,
    MARK,
    OPEN,
    POSITIONS,
    REFUSED,
    RUINED,
    SPLIT_ACTION,
    Log,
    grown,
    last_close,
    mark,
    opened,
    refuse,
)
from trading.backtest.kernel.exits import close_out, delist, finish, watch
from trading.backtest.kernel.fills import bought, fill_orders
from trading.backtest.kernel.nights import act, overnight
from trading.backtest.kernel.prefetch import prefetch
from trading.backtest.kernel.sizing import CLOSED, KEPT, TARGET, SizingTerms, size_row
from trading.compilation import compiled, lean

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trading.backtest.kernel.accounts import Account, Integers, Market, Terms
    from trading.bars import Floats


class Figures(NamedTuple):
    """(T, N) figures of `trading.sizing.statistics`, or (1, N) where the method reads none."""

    volatility: Floats
    atr: Floats
    mean: Floats


class Actions(NamedTuple):
    """Splits (ratio) and dividends (USD per share), by row, each applied before that row's open."""

    rows: Integers
    columns: Integers
    kinds: Integers
    values: Floats


class Course(NamedTuple):
    """Everything that is given: nothing in it changes."""

    market: Market
    weights: Floats
    figures: Figures
    sizing: SizingTerms
    terms: Terms
    actions: Actions


class Desk(NamedTuple):
    """What lies on the desk from row to row: orders, the last decision, and (6,) numbers at the places below."""

    wanted: Floats
    decision: Floats
    shares: Floats
    targets: Floats
    outcomes: NDArray[np.int8]
    missing: Integers
    at: Integers


ROW, SESSION, ACTION, DECISION, WAITING, RUINED_IN = range(6)
"""Places in `Desk.at`: the last row done, its session, the next action, the next decision, whether orders wait, and
the session of ruin."""


AHEAD = 8
"""Decisions and sessions by which bars are asked for before they are read."""


@compiled
def simulate(course: Course, first: int, capital: float) -> tuple[Log, Floats, Floats, Floats, int]:
    """Run an account over the bars from row `first` on.

    Parameters
    ----------
    course
        Its weights are (T, N), the share of the equity wanted from the next bar on, signed; NaN: no decision, what is
        held stays.

    Returns
    -------
    The log; (S, 4) cash, net and gross value and equity at each session's last close; what was paid; (N,) what is
    held at the end; and the session in which the equity fell to zero or below, or -1.
    """
    market, actions = course.market, course.actions
    rows, columns = market.close.shape
    account = opened(columns, capital)
    session = np.searchsorted(market.starts, first, side="right") - 1
    desk = Desk(
        np.full(columns, np.nan),
        np.empty(columns),
        np.empty(columns),
        np.empty(columns),
        np.empty(columns, np.int8),
        np.zeros(columns, np.int64),
        np.array([first - 1, session, np.searchsorted(actions.rows, first, side="right"), 0, 0, -1]),
    )
    curve = np.zeros((len(market.days), 4))
    most = 6 * columns + len(actions.rows)
    log = Log(np.empty((64, 3), np.int64), np.empty((64, 3)), np.empty((64, 3), np.int64), np.empty(64))
    decisions = deciding_rows(course.weights, first)
    while desk.at[ROW] < rows - 1:
        log = grown(log, account.counts, most)
        pass_over(course, decisions, account, log, desk, curve, most)
    if desk.at[WAITING]:
        log = grown(log, account.counts, most)
        left_over(account, log, course, desk.wanted)
    fills, refused = account.counts[FILLS], account.counts[REFUSED]
    told = Log(log.fills[:fills], log.figures[:fills], log.refused[:refused], log.quantities[:refused])
    return told, curve, account.paid, account.held, desk.at[RUINED_IN]


@lean
def pass_over(
    course: Course, decisions: Integers, account: Account, log: Log, desk: Desk, curve: Floats, most: int
) -> None:
    """Go through the rows until the last, or until the log may not hold the `most` lines that one row may add."""
    market, terms, at = course.market, course.terms, desk.at
    last = len(market.close) - 1
    watching = terms.stop_loss > 0 or terms.take_profit > 0 or terms.trailing_stop > 0
    following = market.starts[at[SESSION] + 1]
    room, spare = len(log.fills) - most, len(log.refused) - most
    row = at[ROW]
    while row < last and account.counts[FILLS] <= room and account.counts[REFUSED] <= spare:
        row += 1
        quiet = row != following and not at[WAITING] and not terms.delisted_after
        if quiet and not (watching and account.counts[POSITIONS] > 0):
            due = course.actions.rows[at[ACTION]] if at[ACTION] < len(course.actions.rows) else last + 1
            row = max(row, min(following - 1, due, decisions[at[DECISION]]))
        if row == following:
            at[SESSION] += 1
            following = market.starts[at[SESSION] + 1]
            prefetch(market.close, market.starts[min(at[SESSION] + AHEAD, len(market.days))] - 1)
            if terms.borrow_rate > 0 or terms.interest_rate > 0:
                days = market.days[at[SESSION]] - market.days[at[SESSION] - 1]
                overnight(account, market, terms, row, float(days))
        inside(course, account, log, desk, row, watching)
        deciding = row == decisions[at[DECISION]]
        if deciding:
            at[DECISION] += 1
            ahead = decisions[min(at[DECISION] + AHEAD, len(decisions) - 1)]
            prefetch(market.close, min(ahead, last))
            prefetch(market.open, min(ahead + 1, last))
        if deciding or row == following - 1:
            at_close(course, account, log, desk, curve, row, row == following - 1, deciding)
    at[ROW] = row


@lean
def inside(course: Course, account: Account, log: Log, desk: Desk, row: int, watching: bool) -> None:
    """Do what happens in a bar before its close, in order."""
    market, terms, actions, at = course.market, course.terms, course.actions, desk.at
    unit, band = course.sizing.unit, course.sizing.rebalance_band
    while at[ACTION] < len(actions.rows) and actions.rows[at[ACTION]] <= row:
        column, kind, value = (
            actions.columns[at[ACTION]],
            actions.kinds[at[ACTION]],
            actions.values[at[ACTION]],
        )
        act(account, log, market, row, column, kind, value, unit)
        if kind == SPLIT_ACTION and terms.size_at == AT_DECISION:
            desk.wanted[column] = np.trunc(desk.wanted[column] * value * unit) / unit
        at[ACTION] += 1
    for step in range(2):
        if (step == 0) == (terms.fill_at == OPEN):
            if at[WAITING]:
                fill_orders(account, log, market, terms, row, desk.wanted, unit, band)
                at[WAITING] = 0
        elif watching and account.counts[POSITIONS] > 0:
            watch(account, log, market, terms, row, unit)
            overtaken(account, desk.wanted)
    if terms.delisted_after > 0:
        delist(account, log, market, terms, row, desk.missing)
    if row == len(market.close) - 1 and terms.at_end != MARK and at[RUINED_IN] < 0:
        finish(account, log, market, terms, row)


@lean
def overtaken(account: Account, wanted: Floats) -> None:
    """Forget orders on the side that was stopped out."""
    for column in range(len(wanted)):
        if account.barred[column] * wanted[column] > 0:
            wanted[column] = np.nan


@lean
def at_close(
    course: Course, account: Account, log: Log, desk: Desk, curve: Floats, row: int, ending: bool, deciding: bool
) -> None:
    """Mark the account to the closes; note the curve where the session is `ending`, and decide."""
    market, terms, at = course.market, course.terms, desk.at
    equity = mark(account, market, row)
    if equity <= 0 and at[RUINED_IN] < 0:
        at[RUINED_IN] = at[SESSION]
        for column in range(len(account.held)):
            if account.held[column] != 0:
                last = last_close(account, market.close, row, column)
                close_out(account, log, terms, row, column, RUINED, last, last)
        equity = mark(account, market, row)
    if ending:
        session = at[SESSION]
        curve[session, 0], curve[session, 1] = account.money[CASH], account.money[HELD_VALUE]
        curve[session, 2], curve[session, 3] = account.money[GROSS_VALUE], equity
    if deciding and at[RUINED_IN] < 0:
        decide(course, account, desk, row, equity)


@lean
def decide(course: Course, account: Account, desk: Desk, row: int, equity: float) -> None:
    """Turn a row's weights into what is wanted at the next: a quantity, or a share of the equity at the fill."""
    terms, sizing, figures = course.terms, course.sizing, course.figures
    unbarred(account.barred, terms.standing, course.weights[row], desk.decision)
    known = row if len(figures.volatility) == len(course.weights) else 0
    scale = size_row(
        sizing,
        desk.decision,
        course.market.close[row],
        account.held,
        max(0.0, equity),
        figures.volatility[known],
        figures.atr[known],
        figures.mean[known],
        desk.shares,
        desk.targets,
        desk.outcomes,
    )
    waiting = False
    for column in range(len(desk.wanted)):
        wanted = np.nan
        outcome = desk.outcomes[column]
        if outcome == CLOSED:
            wanted = 0.0
        elif terms.size_at == AT_DECISION:
            if outcome == TARGET and desk.targets[column] != account.held[column]:
                wanted = desk.targets[column]
        elif outcome in (TARGET, KEPT) and desk.shares[column] != 0:
            wanted = min(max(desk.shares[column], -sizing.max_weight), sizing.max_weight) * scale
        desk.wanted[column] = wanted
        waiting = waiting or not np.isnan(wanted)
    desk.at[WAITING] = int(waiting)


@lean
def unbarred(barred: Floats, standing: bool, weights: Floats, decision: Floats) -> None:
    """Write a row's weights, 0 where the decision that was stopped out still stands."""
    for column in range(len(weights)):
        weight = weights[column]
        if barred[column] != 0 and not np.isnan(weight):
            if standing and weight * barred[column] > 0:
                weight = 0.0
            else:
                barred[column] = 0.0
        decision[column] = weight


@compiled
def deciding_rows(weights: Floats, first: int) -> Integers:
    """Return the rows from `first` on that have a weight, and the number of rows at the end.

    They are listed before the pass, which then jumps from one to the next while the processor fetches its bars ahead.
    """
    rows, columns = weights.shape
    found, count = np.empty(max(0, rows - first) + 1, np.int64), 0
    if columns == 1:
        flat = weights.ravel()[first:]
        for at in range(len(flat)):  # without a branch that the processor would have to guess
            found[count] = first + at
            count += flat[at] == flat[at]  # not NaN
    else:
        for row in range(first, rows):
            column = 0
            while column < columns and np.isnan(weights[row, column]):
                column += 1
            found[count] = row
            count += column < columns
    found[count] = rows
    return found[: count + 1]


@lean
def left_over(account: Account, log: Log, course: Course, wanted: Floats) -> None:
    """Note what was decided on the last bar; a share of capital at about the quantity it would buy."""
    market, terms, sizing = course.market, course.terms, course.sizing
    rows = len(market.close)
    for buying in (False, True):
        for column in range(len(wanted)):
            target, held = wanted[column], account.held[column]
            if terms.size_at == AT_FILL and target != 0 and not np.isnan(target):
                last = last_close(account, market.close, rows - 1, column)
                target = bought(account, terms, target, last, sizing.unit, sizing.rebalance_band, held)
            change = target - held
            if not np.isnan(change) and change != 0 and (change > 0) == buying:
                refuse(account, log, rows, column, LAST_BAR, change)
