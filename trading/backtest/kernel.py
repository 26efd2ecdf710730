"""The compiled heart of sizing and of the backtester: one pass over the bars, decisions to fills to equity.

Live decisions are sized by `size_row`, backtests by the same lines. All of it is in this one file because a
compiled function is kept on disk until its own file changes, whatever becomes of what it calls.

Inside one bar things happen in this order: the night's borrow fee and interest; splits and dividends; orders decided
at the close before, at the open (sells before buys, each in column order); stops and targets; with fills at the close
or at the typical price the orders come after the stops; positions without bars are closed as delisted; the next
decision.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from trading.compilation import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trading.bars import Floats

    Integers = NDArray[np.int64]


METHODS = ("equal_weight", "fixed_fraction", "volatility_target", "atr_risk", "half_kelly")
EQUAL_WEIGHT, FIXED_FRACTION, VOLATILITY_TARGET, ATR_RISK, HALF_KELLY = range(5)
"""The methods of `trading.sizing`, and their numbers."""

UNDECIDED, UNPRICED, CLOSED, FLAT, UNKNOWN, KEPT, TARGET = range(7)
"""Outcomes: no decision; no price; flat and held; flat; a figure is missing; within the band; the target."""


class SizingTerms(NamedTuple):
    """A `trading.sizing.Sizing` in numbers; `unit` is how many parts a share is divided into."""

    method: int
    fraction: float
    target_volatility: float
    risk_per_trade: float
    atr_multiple: float
    max_weight: float
    rebalance_band: float
    unit: float


@compiled
def exposure(terms: SizingTerms, weight: float, price: float, volatility: float, atr: float, mean: float) -> float:
    """Return the share of capital, signed, that the method gives a weight; NaN where a figure is missing."""
    if weight == 0:
        return 0.0
    if np.isnan(weight) or not (np.isfinite(price) and price > 0):
        return np.nan
    direction = 1.0 if weight > 0 else -1.0
    if terms.method == FIXED_FRACTION:
        share = direction * terms.fraction
    elif terms.method == VOLATILITY_TARGET:
        share = weight * terms.target_volatility / volatility
    elif terms.method == ATR_RISK:
        share = direction * terms.risk_per_trade * price / (terms.atr_multiple * atr)
    elif terms.method == HALF_KELLY:
        kelly = direction * mean / (volatility * volatility)
        share = np.nan if np.isnan(kelly) else weight * min(max(kelly / 2, 0.0), 1.0)
    else:
        share = weight
    return share if np.isfinite(share) else np.nan


@compiled
def size_row(
    terms: SizingTerms,
    weights: Floats,
    prices: Floats,
    current: Floats,
    capital: float,
    volatility: Floats,
    atr: Floats,
    mean: Floats,
    shares: Floats,
    targets: Floats,
    outcomes: NDArray[np.int8],
) -> float:
    """Write share, raw target and outcome of each of N symbols; return the scale that keeps the total in bounds.

    All arrays are (N,); `shares` is what the method gives before caps, `targets` what the capital buys,
    rounded towards zero. See `trading.sizing.size` for the meaning.
    """
    gross = 0.0
    for column in range(len(weights)):
        share = exposure(terms, weights[column], prices[column], volatility[column], atr[column], mean[column])
        shares[column] = share
        if share == share:  # noqa: PLR0124 - not NaN
            gross += abs(min(max(share, -terms.max_weight), terms.max_weight))
    scale = 1.0 if gross <= 1.0 else 1.0 / gross
    for column in range(len(weights)):
        capped = min(max(shares[column], -terms.max_weight), terms.max_weight)
        wanted = capital * capped * scale / prices[column] if shares[column] == shares[column] else np.nan
        target = np.trunc(wanted * terms.unit) / terms.unit + 0.0  # + 0.0 makes minus zero plain
        targets[column] = target
        outcomes[column] = _outcome(terms, weights[column], prices[column], shares[column], current[column], target)
    return scale


@compiled
def _outcome(terms: SizingTerms, weight: float, price: float, share: float, held: float, target: float) -> int:
    if np.isnan(weight):
        return UNDECIDED
    if not (np.isfinite(price) and price > 0):
        return UNPRICED
    if weight == 0:
        return CLOSED if held != 0 else FLAT
    if np.isnan(share):
        return UNKNOWN
    if held * target > 0 and abs(target - held) <= terms.rebalance_band * abs(held):
        return KEPT
    return TARGET


# --- the account -----------------------------------------------------------------------------------------------------

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
def _grown(log: Log, counts: Integers, most: int) -> Log:
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


@compiled
def _refuse(account: Account, log: Log, row: int, column: int, reason: int, quantity: float) -> None:
    at = account.counts[REFUSED]
    log.refused[at, 0], log.refused[at, 1], log.refused[at, 2] = row, column, reason
    log.quantities[at] = quantity
    account.counts[REFUSED] = at + 1


@compiled
def _note(
    account: Account, log: Log, row: int, column: int, kind: int, quantity: float, price: float, fee: float
) -> None:
    at = account.counts[FILLS]
    log.fills[at, 0], log.fills[at, 1], log.fills[at, 2] = row, column, kind
    log.figures[at, 0], log.figures[at, 1], log.figures[at, 2] = quantity, price, fee
    account.counts[FILLS] = at + 1


@compiled
def _last_close(account: Account, close: Floats, row: int, column: int) -> float:
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


@compiled
def _mark(account: Account, market: Market, row: int) -> float:
    """Bring values up to the closes of a row; return the equity."""
    net, gross = 0.0, 0.0
    for column in range(len(account.held)):
        held = account.held[column]
        if held != 0:
            price = market.close[row, column]
            if price > 0:
                account.marked[column], account.marked_row[column] = price, row
            else:
                price = _last_close(account, market.close, row, column)
            value = held * price
            net += value
            gross += abs(value)
    account.money[HELD_VALUE], account.money[GROSS_VALUE] = net, gross
    return account.money[CASH] + net


@compiled
def _slipped(terms: Terms, price: float, quantity: float, volume: float) -> float:
    """Return the fill price of a signed quantity, slippage included."""
    side = 1.0 if quantity > 0 else -1.0
    worse = terms.slippage_fixed
    if terms.slippage_volume_share > 0 or terms.slippage_square_root > 0:
        share = abs(quantity) / volume if volume > 0 else 1.0
        worse += price * (terms.slippage_volume_share * share**2 + terms.slippage_square_root * np.sqrt(share))
    return max(price * (1 + side * terms.slippage_bps / 10_000) + side * worse, 0.0)


@compiled
def _commission(terms: Terms, quantity: float, price: float) -> float:
    variable = quantity * (price * terms.commission_bps / 10_000 + terms.commission_per_share)
    return terms.commission_fixed + max(variable, terms.commission_minimum)


@compiled
def _fill(
    account: Account,
    log: Log,
    terms: Terms,
    row: int,
    column: int,
    kind: int,
    quantity: float,
    base: float,
    price: float,
) -> None:
    """Book a signed quantity at a price; `base` is the price without slippage."""
    size = abs(quantity)
    fee = _commission(terms, size, price)
    account.money[CASH] -= quantity * price + fee
    account.paid[COMMISSION] += fee
    account.paid[SLIPPAGE] += size * abs(price - base)
    _note(account, log, row, column, kind, quantity, price, fee)
    before = account.held[column]
    after = before + quantity
    if before * quantity > 0:
        account.cost[column] = (account.cost[column] * abs(before) + price * size) / abs(after)
    elif before * after <= 0:
        account.cost[column] = price
        account.extreme[column] = price
    account.counts[POSITIONS] += int(after != 0) - int(before != 0)
    account.held[column] = after


@compiled
def _base(market: Market, terms: Terms, row: int, column: int) -> float:
    """Return the price at which orders fill in a bar, before slippage; not above zero without a bar."""
    if terms.fill_at == OPEN:
        return market.open[row, column]
    if terms.fill_at == CLOSE:
        return market.close[row, column]
    return (market.high[row, column] + market.low[row, column] + market.close[row, column]) / 3


@compiled
def _room(account: Account, market: Market, terms: Terms, row: int, column: int, unit: float) -> float:
    """Return how much of a bar's volume may still be taken, rounded down."""
    if terms.volume_limit <= 0:
        return np.inf
    volume = market.volume[row, column]
    taken = account.used[column] if account.used_row[column] == row else 0.0
    return np.floor(max(0.0, terms.volume_limit * volume - taken) * unit) / unit if volume > 0 else 0.0


@compiled
def _take(account: Account, row: int, column: int, size: float) -> None:
    account.used[column] = size + (account.used[column] if account.used_row[column] == row else 0.0)
    account.used_row[column] = row


@compiled
def _order(
    account: Account, log: Log, market: Market, terms: Terms, row: int, column: int, change: float, unit: float
) -> None:
    """Fill a change of quantity in a row, or as much of it as the rules allow."""
    base = _base(market, terms, row, column)
    if not base > 0:
        _refuse(account, log, row, column, NO_BAR, change)
        return
    held = account.held[column]
    opening = abs(held + change) > abs(held)
    if opening and held == 0 and 0 < terms.max_positions <= account.counts[POSITIONS]:
        _refuse(account, log, row, column, TOO_MANY, change)
        return
    room = _room(account, market, terms, row, column, unit)
    wanted = change
    if abs(change) > room:
        change = room if change > 0 else -room
        _refuse(account, log, row, column, NO_VOLUME, wanted - change)
        if change == 0:
            return
    money = account.money
    gross = money[GROSS_VALUE] + (abs(held + change) - abs(held)) * base
    if opening and gross > terms.margin * (money[CASH] + money[HELD_VALUE]):
        _refuse(account, log, row, column, NO_POWER, change)
        return
    price = _slipped(terms, base, change, market.volume[row, column])
    _fill(account, log, terms, row, column, DECIDED, change, base, price)
    _take(account, row, column, abs(change))
    money[GROSS_VALUE] = gross
    money[HELD_VALUE] += change * base


@compiled
def _value_at_fill(account: Account, market: Market, terms: Terms, row: int) -> None:
    """Value what is held at the prices at which a row's orders fill, or at the last closes."""
    net, gross = 0.0, 0.0
    for column in range(len(account.held)):
        held = account.held[column]
        if held != 0:
            base = market.open[row, column] if terms.fill_at == OPEN else _base(market, terms, row, column)
            value = held * (base if base > 0 else _last_close(account, market.close, row - 1, column))
            net += value
            gross += abs(value)
    account.money[HELD_VALUE], account.money[GROSS_VALUE] = net, gross


@compiled
def _bought(account: Account, terms: Terms, share: float, base: float, unit: float, band: float, held: float) -> float:
    """Return the quantity that a share of the equity buys at a price, costs included."""
    equity = max(0.0, account.money[CASH] + account.money[HELD_VALUE] - terms.commission_fixed)
    side = 1.0 if share > 0 else -1.0
    price = base * (1 + side * terms.slippage_bps / 10_000) + side * terms.slippage_fixed
    cost = price + price * terms.commission_bps / 10_000 + terms.commission_per_share
    raw = equity * abs(share) // cost if unit == 1.0 else equity * abs(share) / cost
    target = side * (raw if unit == 1.0 else np.trunc(raw * unit) / unit if unit > 0 else raw)
    return held if held * target > 0 and abs(target - held) <= band * abs(held) else target


@compiled
def _trade(
    account: Account, log: Log, market: Market, terms: Terms, row: int, wanted: Floats, unit: float, band: float
) -> None:
    """Fill what was decided at the close before, sells before buys; NaN in `wanted` means no order."""
    _value_at_fill(account, market, terms, row)
    for buying in (False, True):
        for column in range(len(wanted)):
            aim = wanted[column]
            if np.isnan(aim):
                continue
            held = account.held[column]
            target = aim
            if terms.size_at == AT_FILL and aim != 0:
                base = _base(market, terms, row, column)
                if not base > 0:  # refused below, at about this quantity
                    base = _last_close(account, market.close, row - 1, column)
                target = _bought(account, terms, aim, base, unit, band, held)
                if (target > held) == buying and target * held < 0:
                    _order(account, log, market, terms, row, column, -held, unit)
                    held = account.held[column]
                    target = _bought(account, terms, aim, base, unit, band, held)
            change = target - held
            if change != 0 and (change > 0) == buying:
                wanted[column] = np.nan
                _order(account, log, market, terms, row, column, change, unit)


@compiled
def _exit(
    account: Account, log: Log, market: Market, terms: Terms, row: int, column: int, kind: int, base: float, unit: float
) -> None:
    """Close a position inside a bar, as far as the volume allows; a target is a limit order and does not slip."""
    held = account.held[column]
    size = min(abs(held), _room(account, market, terms, row, column, unit))
    if size <= 0:
        return
    quantity = -size if held > 0 else size
    price = base if kind == TOOK_PROFIT else _slipped(terms, base, quantity, market.volume[row, column])
    _fill(account, log, terms, row, column, kind, quantity, base, price)
    _take(account, row, column, size)
    account.barred[column] = 1.0 if held > 0 else -1.0


@compiled
def _watch(account: Account, log: Log, market: Market, terms: Terms, row: int, unit: float) -> None:
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
        if side * start <= side * stop:
            _exit(account, log, market, terms, row, column, kind, start, unit)
        elif side * start >= side * target:
            _exit(account, log, market, terms, row, column, TOOK_PROFIT, start, unit)
        elif side * worst <= side * stop:
            _exit(account, log, market, terms, row, column, kind, stop, unit)
        elif side * best >= side * target:
            _exit(account, log, market, terms, row, column, TOOK_PROFIT, target, unit)
        if side * best > side * account.extreme[column]:
            account.extreme[column] = best


@compiled
def _act(
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
    last = _last_close(account, market.close, row - 1, column) / value
    account.marked[column] = last
    if held == 0:
        return
    account.cost[column] /= value
    account.extreme[column] /= value
    _note(account, log, row, column, SPLIT, value, 0.0, 0.0)
    account.held[column] = np.trunc(held * value * unit) / unit
    rest = held * value - account.held[column]
    if rest != 0:
        account.money[CASH] += rest * last
        account.counts[POSITIONS] -= int(account.held[column] == 0)
        _note(account, log, row, column, SPLIT_CASH, -rest, last, 0.0)


@compiled
def _overnight(account: Account, market: Market, terms: Terms, row: int, days: float) -> None:
    """Charge the borrow fee of shorts and the interest on cash below zero for the days since the last session."""
    if terms.borrow_rate > 0:
        for column in range(len(account.held)):
            if account.held[column] < 0:
                value = -account.held[column] * _last_close(account, market.close, row - 1, column)
                fee = value * terms.borrow_rate * days / YEAR
                account.money[CASH] -= fee
                account.paid[BORROW] += fee
    if terms.interest_rate > 0 and account.money[CASH] < 0:
        fee = -account.money[CASH] * terms.interest_rate * days / YEAR
        account.money[CASH] -= fee
        account.paid[INTEREST] += fee


@compiled
def _close_out(
    account: Account, log: Log, terms: Terms, row: int, column: int, kind: int, base: float, price: float
) -> None:
    if price > 0 or kind in (DELISTED, RUINED):
        _fill(account, log, terms, row, column, kind, -account.held[column], base, price)


@compiled
def _delist(account: Account, log: Log, market: Market, terms: Terms, row: int, missing: Integers) -> None:
    """Close positions whose symbol has had no bar for too long, at the last close less the haircut."""
    for column in range(len(account.held)):
        if market.close[row, column] > 0:
            missing[column] = 0
            continue
        missing[column] += 1
        held = account.held[column]
        if held != 0 and missing[column] >= terms.delisted_after:
            base = _last_close(account, market.close, row, column)
            side = 1.0 if held > 0 else -1.0
            _close_out(account, log, terms, row, column, DELISTED, base, base * (1 - side * terms.delisting_haircut))


@compiled
def _finish(account: Account, log: Log, market: Market, terms: Terms, row: int) -> None:
    """Close every position in the last row, at its open or close."""
    for column in range(len(account.held)):
        held = account.held[column]
        if held != 0:
            base = market.open[row, column] if terms.at_end == END_AT_OPEN else market.close[row, column]
            if not base > 0:
                base = _last_close(account, market.close, row, column)
            price = _slipped(terms, base, -held, market.volume[row, column])
            _close_out(account, log, terms, row, column, ENDED, base, price)


@compiled
def _left_over(
    account: Account, log: Log, market: Market, terms: Terms, rows: int, wanted: Floats, unit: float, band: float
) -> None:
    """Note what was decided on the last bar; a share of capital at about the quantity it would buy."""
    for buying in (False, True):
        for column in range(len(wanted)):
            target, held = wanted[column], account.held[column]
            if terms.size_at == AT_FILL and target != 0 and not np.isnan(target):
                last = _last_close(account, market.close, rows - 1, column)
                target = _bought(account, terms, target, last, unit, band, held)
            change = target - held
            if not np.isnan(change) and change != 0 and (change > 0) == buying:
                _refuse(account, log, rows, column, LAST_BAR, change)


@compiled
def _unbarred(barred: Floats, standing: bool, weights: Floats, decision: Floats) -> None:
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
def _next_decision(weights: Floats, row: int, end: int) -> int:
    """Return the first row from `row` on that decides something, `end` if none before it does."""
    columns = weights.shape[1]
    flat = weights.ravel()
    at, stop = row * columns, end * columns
    while at + 16 <= stop:
        known = 0
        for place in range(16):
            known += flat[at + place] == flat[at + place]
        if known > 0:
            break
        at += 16
    while at < stop and np.isnan(flat[at]):
        at += 1
    return at // columns if at < stop else end


@compiled
def bought_and_held(closes: Floats) -> Floats:
    """Return the (S,) mean growth, from the first row on, of the columns that have a close in it."""
    growth = np.zeros(len(closes))
    count = 0
    for column in range(closes.shape[1]):
        first = closes[0, column]
        if not first > 0:
            continue
        count += 1
        last = first
        for row in range(len(closes)):
            if closes[row, column] > 0:
                last = closes[row, column]
            growth[row] += last / first
    return growth / count if count else np.full(len(closes), np.nan)


@compiled
def simulate(
    market: Market,
    weights: Floats,
    volatility: Floats,
    atr: Floats,
    mean: Floats,
    sizing: SizingTerms,
    terms: Terms,
    action_rows: Integers,
    action_columns: Integers,
    action_kinds: Integers,
    action_values: Floats,
    first: int,
    capital: float,
) -> tuple[Log, Floats, Floats, Floats, int]:
    """Run an account over the bars from row `first` on.

    Parameters
    ----------
    market
        Bars of T rows and N columns.
    weights
        (T, N) share of the equity wanted from the next bar on, signed; NaN: no decision, what is held stays.
    volatility, atr, mean
        (T, N) figures of `trading.sizing.statistics`, or (1, N) where the method reads none.
    action_rows, action_columns, action_kinds, action_values
        Splits (ratio) and dividends (USD per share), by row, each applied before that row's open.

    Returns
    -------
    The log; (S, 4) cash, net and gross value and equity at each session's last close; what was paid; (N,) what is
    held at the end; and the session in which the equity fell to zero or below, or -1.
    """
    rows, columns = market.close.shape
    unit, band = sizing.unit, sizing.rebalance_band
    account = Account(
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
    log = Log(np.empty((64, 3), np.int64), np.empty((64, 3)), np.empty((64, 3), np.int64), np.empty(64))
    missing = np.zeros(columns, np.int64)
    wanted = np.full(columns, np.nan)
    decision = np.empty(columns)
    shares, targets, outcomes = np.empty(columns), np.empty(columns), np.empty(columns, np.int8)
    known = len(volatility) == rows
    watching = terms.stop_loss > 0 or terms.take_profit > 0 or terms.trailing_stop > 0
    curve = np.zeros((len(market.days), 4))
    session = np.searchsorted(market.starts, first, side="right") - 1
    following = market.starts[session + 1]
    action = np.searchsorted(action_rows, first, side="right")
    waiting, ruined = False, -1
    most = 6 * columns + len(action_rows)
    row = first - 1
    while row < rows - 1:
        row += 1
        if row != following and not waiting and not terms.delisted_after:
            idle = not (watching and account.counts[POSITIONS] > 0)
            due = action_rows[action] if action < len(action_rows) else rows
            if idle:
                row = _next_decision(weights, row, max(row, min(following - 1, due)))
        if row == following:
            session += 1
            following = market.starts[session + 1]
            if terms.borrow_rate > 0 or terms.interest_rate > 0:
                _overnight(account, market, terms, row, float(market.days[session] - market.days[session - 1]))
        if max(account.counts[FILLS] + most - len(log.fills), account.counts[REFUSED] + most - len(log.refused)) > 0:
            log = _grown(log, account.counts, most)
        while action < len(action_rows) and action_rows[action] <= row:
            column, kind, value = action_columns[action], action_kinds[action], action_values[action]
            _act(account, log, market, row, column, kind, value, unit)
            if kind == SPLIT_ACTION and terms.size_at == AT_DECISION:
                wanted[column] = np.trunc(wanted[column] * value * unit) / unit
            action += 1
        if waiting and terms.fill_at == OPEN:
            _trade(account, log, market, terms, row, wanted, unit, band)
            waiting = False
        if watching and account.counts[POSITIONS] > 0:
            _watch(account, log, market, terms, row, unit)
        if waiting:
            for column in range(columns):
                if account.barred[column] * wanted[column] > 0:
                    wanted[column] = np.nan
            _trade(account, log, market, terms, row, wanted, unit, band)
            waiting = False
        if terms.delisted_after > 0:
            _delist(account, log, market, terms, row, missing)
        if row == rows - 1 and terms.at_end != MARK and ruined < 0:
            _finish(account, log, market, terms, row)
        deciding = False
        for column in range(columns):
            if not np.isnan(weights[row, column]):
                deciding = True
                break
        if not deciding and row != following - 1:
            continue
        equity = _mark(account, market, row)
        if equity <= 0 and ruined < 0:
            ruined = int(session)
            for column in range(columns):
                if account.held[column] != 0:
                    last = _last_close(account, market.close, row, column)
                    _close_out(account, log, terms, row, column, RUINED, last, last)
            equity = _mark(account, market, row)
        if row == following - 1:
            curve[session, 0], curve[session, 1] = account.money[CASH], account.money[HELD_VALUE]
            curve[session, 2], curve[session, 3] = account.money[GROSS_VALUE], equity
        if not deciding or ruined >= 0:
            continue
        _unbarred(account.barred, terms.standing, weights[row], decision)
        at = row if known else 0
        scale = size_row(
            sizing,
            decision,
            market.close[row],
            account.held,
            max(0.0, equity),
            volatility[at],
            atr[at],
            mean[at],
            shares,
            targets,
            outcomes,
        )
        for column in range(columns):
            wanted[column] = np.nan
            outcome = outcomes[column]
            held = account.held[column]
            if outcome == CLOSED:
                wanted[column] = 0.0
            elif terms.size_at == AT_DECISION:
                if outcome == TARGET and targets[column] != held:
                    wanted[column] = targets[column]
            elif outcome in (TARGET, KEPT) and shares[column] != 0:
                wanted[column] = min(max(shares[column], -sizing.max_weight), sizing.max_weight) * scale
            waiting = waiting or not np.isnan(wanted[column])
    if waiting:
        log = _grown(log, account.counts, most)
        _left_over(account, log, market, terms, rows, wanted, unit, band)
    return (
        Log(
            log.fills[: account.counts[FILLS]],
            log.figures[: account.counts[FILLS]],
            log.refused[: account.counts[REFUSED]],
            log.quantities[: account.counts[REFUSED]],
        ),
        curve,
        account.paid,
        account.held,
        ruined,
    )


# --- round trips -----------------------------------------------------------------------------------------------------


@compiled
def pair(fills: Integers, figures: Floats, columns: int) -> tuple[Integers, Floats]:
    """Return the closed round trips of fills, first in first out per column.

    Returns
    -------
    (R, 2) the fills that opened and closed each; (R, 5) quantity (signed, as entered), entry price, exit price,
    and the share of either fill's fee, USD. A split changes the quantity and price of what is open.
    """
    count = len(fills)
    head, tail = np.full(columns, -1, np.int64), np.full(columns, -1, np.int64)
    following, left, price = np.full(count, -1, np.int64), np.zeros(count), np.zeros(count)
    whole = np.zeros(count)
    trips, values = np.empty((2 * count, 2), np.int64), np.empty((2 * count, 5))
    found = 0
    for at in range(count):
        column = fills[at, 1]
        if fills[at, 2] == SPLIT:
            lot = head[column]
            while lot >= 0:
                left[lot] *= figures[at, 0]
                whole[lot] *= figures[at, 0]
                price[lot] /= figures[at, 0]
                lot = following[lot]
            continue
        rest = figures[at, 0]
        size = abs(rest)
        while rest != 0 and head[column] >= 0 and left[head[column]] * rest < 0:
            lot = head[column]
            taken = min(abs(left[lot]), abs(rest))
            signed = taken if left[lot] > 0 else -taken
            trips[found, 0], trips[found, 1] = lot, at
            values[found, 0], values[found, 1], values[found, 2] = signed, price[lot], figures[at, 1]
            values[found, 3] = figures[lot, 2] * (taken / whole[lot])
            values[found, 4] = figures[at, 2] * (taken / size)
            found += 1
            left[lot] -= signed
            rest += signed
            if left[lot] == 0:
                head[column] = following[lot]
        if rest != 0:
            left[at], whole[at], price[at] = rest, size, figures[at, 1]
            if head[column] < 0:
                head[column] = at
            else:
                following[tail[column]] = at
            tail[column] = at
    return trips[:found], values[:found]
