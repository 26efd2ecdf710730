"""Lots: shares opened together, closed first in first out; their quantities and costs always add up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

ZERO = Decimal(0)
UNIT = Decimal("0.000000001")
"""The smallest fraction of a share that a broker books: nine decimals."""
LARGEST_DENOMINATOR = 1000
STORED_DIGITS = Fraction(1, 10**11)


@dataclass(frozen=True, slots=True)
class Lot:
    """Shares opened by one fill: signed quantity left and what they cost in all.

    `cost` is in USD and has the sign of the quantity (a short lot's is what it brought, negative), so that
    `quantity * price - cost` is the unrealised profit of either. `key` is the opening fill's.
    """

    opened_at: datetime
    quantity: Decimal
    cost: Decimal
    key: int | None = None


def trade_lots(lots: Sequence[Lot], opened: Lot) -> tuple[tuple[Lot, ...], Decimal]:
    """Return the lots after a trade, and the profit (USD) it realised first in first out.

    `opened` is the trade as the lot it would open: signed quantity, and cost at the trade's price. It closes lots
    of the other sign, oldest first; what is left of it is a lot of its own.
    """
    kept, rest, realised = list(lots), opened, ZERO
    while rest.quantity and kept and kept[0].quantity * rest.quantity < 0:
        size = min(abs(kept[0].quantity), abs(rest.quantity))
        closed, remaining = take(kept[0], size)
        closing, rest = take(rest, size)
        realised -= closed.cost + closing.cost
        kept[:1] = [remaining] if remaining.quantity else []
    return (*kept, rest) if rest.quantity else tuple(kept), realised


def take(lot: Lot, size: Decimal) -> tuple[Lot, Lot]:
    """Return `size` shares (above zero) of a lot and the rest, the cost divided pro rata."""
    whole = size == abs(lot.quantity)
    part = lot.quantity if whole else size.copy_sign(lot.quantity)
    cost = lot.cost if whole else lot.cost * part / lot.quantity
    return replace(lot, quantity=part, cost=cost), replace(lot, quantity=lot.quantity - part, cost=lot.cost - cost)


def split_lots(lots: Sequence[Lot], ratio: Decimal, total: Decimal) -> tuple[tuple[Lot, ...], Decimal]:
    """Return the lots after a split into `total` shares in all, costs unchanged, and the cost of lots that vanished.

    A lot of which less than `UNIT` would be left vanishes; its cost goes to the next one, and is the second
    result only when no lot is left.
    """
    quantities = apportion([exact(lot.quantity, ratio) for lot in lots], total)
    kept: list[Lot] = []
    orphaned = ZERO
    for lot, quantity in zip(lots, quantities, strict=True):
        if quantity:
            kept.append(replace(lot, quantity=quantity, cost=lot.cost + orphaned))
            orphaned = ZERO
        else:
            orphaned += lot.cost
    if kept and orphaned:
        kept[-1] = replace(kept[-1], cost=kept[-1].cost + orphaned)
        orphaned = ZERO
    return tuple(kept), orphaned


def apportion(parts: Sequence[Decimal], total: Decimal | None = None) -> list[Decimal]:
    """Round numbers to whole `UNIT`s so that they add up to `total` (default: their sum, rounded half even).

    The units that rounding down leaves over go to the largest remainders, the earlier of equal ones first
    (Hamilton's method); `total` must be the sum rounded up or down.
    """
    wanted = rounded(sum(parts, ZERO)) if total is None else total
    floors = [part.quantize(UNIT, rounding=ROUND_FLOOR) for part in parts]
    over = int((wanted - sum(floors, ZERO)) / UNIT)
    order = sorted(range(len(parts)), key=lambda place: floors[place] - parts[place])
    for place in order[:over]:
        floors[place] += UNIT
    return floors


def rounded(quantity: Decimal) -> Decimal:
    """Return a quantity rounded to whole `UNIT`s, half to even."""
    return quantity.quantize(UNIT, rounding=ROUND_HALF_EVEN)


def exact(quantity: Decimal, ratio: Decimal) -> Decimal:
    """Return new shares for old ones; a ratio stored to twelve digits (0.333333333333) is the third it means."""
    meant = Fraction(ratio).limit_denominator(LARGEST_DENOMINATOR)
    if abs(meant - Fraction(ratio)) > STORED_DIGITS:
        return quantity * ratio
    return quantity * meant.numerator / meant.denominator
