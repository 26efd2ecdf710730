"""Orders become fills: the price, what it costs, and how much of an order the rules allow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trading.backtest.kernel.accounts import (
    AT_FILL,
    CASH,
    CLOSE,
    COMMISSION,
    DECIDED,
    GROSS_VALUE,
    HELD_VALUE,
    NO_BAR,
    NO_POWER,
    NO_VOLUME,
    OPEN,
    POSITIONS,
    SLIPPAGE,
    TOO_MANY,
    last_close,
    note,
    refuse,
)
from trading.compilation import lean

if TYPE_CHECKING:
    from trading.backtest.kernel.accounts import Account, Log, Market, Terms
    from trading.bars import Floats


@lean
def slipped(terms: Terms, price: float, quantity: float, volume: float) -> float:
    """Return the fill price of a signed quantity, slippage included."""
    side = 1.0 if quantity > 0 else -1.0
    worse = terms.slippage_fixed
    if terms.slippage_volume_share > 0 or terms.slippage_square_root > 0:
        share = abs(quantity) / volume if volume > 0 else 1.0
        worse += price * (terms.slippage_volume_share * share**2 + terms.slippage_square_root * np.sqrt(share))
    return max(price * (1 + side * terms.slippage_bps / 10_000) + side * worse, 0.0)


@lean
def commission_of(terms: Terms, quantity: float, price: float) -> float:
    """Return the commission, USD, of an unsigned quantity."""
    variable = quantity * (price * terms.commission_bps / 10_000 + terms.commission_per_share)
    return terms.commission_fixed + max(variable, terms.commission_minimum)


@lean
def book(
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
    fee = commission_of(terms, size, price)
    account.money[CASH] -= quantity * price + fee
    account.paid[COMMISSION] += fee
    account.paid[SLIPPAGE] += size * abs(price - base)
    note(account, log, row, column, kind, quantity, price, fee)
    before = account.held[column]
    after = before + quantity
    if before * quantity > 0:
        account.cost[column] = (account.cost[column] * abs(before) + price * size) / abs(after)
    elif before * after <= 0:
        account.cost[column] = price
        account.extreme[column] = price
    account.counts[POSITIONS] += int(after != 0) - int(before != 0)
    account.held[column] = after


@lean
def base_price(market: Market, terms: Terms, row: int, column: int) -> float:
    """Return the price at which orders fill in a bar, before slippage; not above zero without a bar."""
    if terms.fill_at == OPEN:
        return market.open[row, column]
    if terms.fill_at == CLOSE:
        return market.close[row, column]
    return (market.high[row, column] + market.low[row, column] + market.close[row, column]) / 3


@lean
def room_in(account: Account, market: Market, terms: Terms, row: int, column: int, unit: float) -> float:
    """Return how much of a bar's volume may still be taken, rounded down."""
    if terms.volume_limit <= 0:
        return np.inf
    volume = market.volume[row, column]
    taken = account.used[column] if account.used_row[column] == row else 0.0
    return np.floor(max(0.0, terms.volume_limit * volume - taken) * unit) / unit if volume > 0 else 0.0


@lean
def take(account: Account, row: int, column: int, size: float) -> None:
    """Count shares against the bar's volume."""
    account.used[column] = size + (account.used[column] if account.used_row[column] == row else 0.0)
    account.used_row[column] = row


@lean
def fill_order(
    account: Account, log: Log, market: Market, terms: Terms, row: int, column: int, change: float, unit: float
) -> None:
    """Fill a change of quantity in a row, or as much of it as the rules allow."""
    base = base_price(market, terms, row, column)
    if not base > 0:
        refuse(account, log, row, column, NO_BAR, change)
        return
    held = account.held[column]
    opening = abs(held + change) > abs(held)
    if opening and held == 0 and 0 < terms.max_positions <= account.counts[POSITIONS]:
        refuse(account, log, row, column, TOO_MANY, change)
        return
    room = room_in(account, market, terms, row, column, unit)
    wanted = change
    if abs(change) > room:
        change = room if change > 0 else -room
        refuse(account, log, row, column, NO_VOLUME, wanted - change)
        if change == 0:
            return
    money = account.money
    gross = money[GROSS_VALUE] + (abs(held + change) - abs(held)) * base
    if opening and gross > terms.margin * (money[CASH] + money[HELD_VALUE]):
        refuse(account, log, row, column, NO_POWER, change)
        return
    price = slipped(terms, base, change, market.volume[row, column])
    book(account, log, terms, row, column, DECIDED, change, base, price)
    take(account, row, column, abs(change))
    money[GROSS_VALUE] = gross
    money[HELD_VALUE] += change * base


@lean
def value_at_fill(account: Account, market: Market, terms: Terms, row: int) -> None:
    """Value what is held at the prices at which a row's orders fill, or at the last closes."""
    net, gross = 0.0, 0.0
    for column in range(len(account.held)):
        held = account.held[column]
        if held != 0:
            base = market.open[row, column] if terms.fill_at == OPEN else base_price(market, terms, row, column)
            value = held * (base if base > 0 else last_close(account, market.close, row - 1, column))
            net += value
            gross += abs(value)
    account.money[HELD_VALUE], account.money[GROSS_VALUE] = net, gross


@lean
def bought(account: Account, terms: Terms, share: float, base: float, unit: float, band: float, held: float) -> float:
    """Return the quantity that a share of the equity buys at a price, costs included."""
    equity = max(0.0, account.money[CASH] + account.money[HELD_VALUE] - terms.commission_fixed)
    side = 1.0 if share > 0 else -1.0
    price = base * (1 + side * terms.slippage_bps / 10_000) + side * terms.slippage_fixed
    cost = price + price * terms.commission_bps / 10_000 + terms.commission_per_share
    raw = equity * abs(share) // cost if unit == 1.0 else equity * abs(share) / cost
    target = side * (raw if unit == 1.0 else np.trunc(raw * unit) / unit if unit > 0 else raw)
    return held if held * target > 0 and abs(target - held) <= band * abs(held) else target


@lean
def fill_orders(
    account: Account, log: Log, market: Market, terms: Terms, row: int, wanted: Floats, unit: float, band: float
) -> None:
    """Fill what was decided at the close before, sells before buys; NaN in `wanted` means no order."""
    value_at_fill(account, market, terms, row)
    for buying in (False, True):
        for column in range(len(wanted)):
            aim = wanted[column]
            if np.isnan(aim):
                continue
            share = terms.size_at == AT_FILL and aim != 0
            base = base_price(market, terms, row, column)
            if share and not base > 0:  # refused below, at about this quantity
                base = last_close(account, market.close, row - 1, column)
            for leg in range(2):
                held = account.held[column]
                target = bought(account, terms, aim, base, unit, band, held) if share else aim
                change = target - held
                through = leg == 0 and share and target * held < 0  # to the other side: first to nothing
                if through:
                    change = -held
                if change == 0 or (change > 0) != buying:
                    break
                if not through:
                    wanted[column] = np.nan
                fill_order(account, log, market, terms, row, column, change, unit)
                if not through:
                    break
