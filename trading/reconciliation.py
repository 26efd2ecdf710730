"""The books against the broker's figures: what differs, what is small enough to correct, and whose it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from trading.lots import ZERO

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from trading.broker import BrokerAccount, BrokerActivity, BrokerPosition

CENT = Decimal("0.01")
"""The broker shows cents: less than one is no difference of cash."""
SHARE_UNIT = Decimal("0.000001")
"""Shares; Alpaca's fractions have nine decimals, ours too, and both round in the last."""
PAYABLE = timedelta(days=100)
"""How long after the ex-date a dividend may be paid."""
SETTLING = timedelta(days=5)
"""How long after the ex-date a split, a spin-off or a rename may be booked."""
DOUBTFUL = Decimal("0.05")
"""Part of the account's value by which a list of positions may miss it, prices having moved meanwhile."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure that the books and the broker have differently: shares of a symbol, or USD of cash."""

    kind: Literal["position", "cash"]
    subject: str
    ours: Decimal
    brokers: Decimal
    small: bool

    @property
    def delta(self) -> Decimal:
        """What the books lack, signed."""
        return self.brokers - self.ours


def position_differences(
    ours: Mapping[str, Decimal], brokers: Mapping[str, Decimal], *, tolerance: Decimal
) -> list[Difference]:
    """Return the symbols whose shares differ, by symbol; `small` are those by at most `tolerance` shares."""
    pairs = ((symbol, ours.get(symbol, ZERO), brokers.get(symbol, ZERO)) for symbol in sorted({*ours, *brokers}))
    return [
        Difference("position", symbol, held, theirs, abs(theirs - held) <= tolerance)
        for symbol, held, theirs in pairs
        if abs(theirs - held) > SHARE_UNIT
    ]


def cash_difference(expected: Decimal, brokers: Decimal, *, tolerance: Decimal) -> Difference | None:
    """Return the difference of cash, or None when it is within a cent; it is `small` up to `tolerance` USD."""
    gap = abs(brokers - expected)
    return None if gap <= CENT else Difference("cash", "USD", expected, brokers, gap <= tolerance)


def absorb(delta: Decimal, held: Mapping[str, Decimal], *, stranger: str) -> dict[str, Decimal]:
    """Return strategy -> shares that bring the books up to the broker's.

    Missing shares are taken from those that hold the symbol on that side, the largest holding first, and the
    rest is the `stranger`'s; additional ones belong to the largest holder of that side, or else to the stranger.
    """
    order = sorted(held, key=lambda name: (-abs(held[name]), name))
    same = [name for name in order if held[name] * delta > 0]
    against = [name for name in order if held[name] * delta < 0]
    if not against:
        return {(same[0] if same else stranger): delta}
    found: dict[str, Decimal] = {}
    left = delta
    for name in against:
        part = min(abs(left), abs(held[name])).copy_sign(delta)
        if part:
            found[name] = part
        left -= part
    return found | ({stranger: found.get(stranger, ZERO) + left} if left else {})


def adds_up(positions: Iterable[BrokerPosition], account: BrokerAccount) -> bool:
    """Whether a list of positions can be the whole of it: its value is the account's, but for moving prices."""
    values = [position.quantity * position.market_price for position in positions]
    pairs = (
        (sum((value for value in values if value > 0), ZERO), account.long_value),
        (sum((value for value in values if value < 0), ZERO), account.short_value),
    )
    return all(abs(listed - told) <= max(CENT * 100, DOUBTFUL * abs(told)) for listed, told in pairs)


@dataclass(frozen=True, slots=True)
class Booked:
    """What a corporate action came to in the books of the whole account: signed shares, and USD."""

    key: str
    kind: str
    symbol: str
    day: date
    quantity: Decimal
    cash: Decimal


def confirmation(activity: BrokerActivity, booked: Sequence[Booked]) -> Booked | None:
    """Return the booked action that a line of the broker's tells of: of those in time the nearest in amount."""
    kind, patience = ("dividend", PAYABLE) if activity.is_dividend else ("split", SETTLING)
    if activity.is_exchange:
        kind = "received"
    fitting = [
        entry
        for entry in booked
        if entry.kind == kind
        and entry.symbol == activity.symbol
        and timedelta(days=-1) <= activity.day - entry.day <= patience
    ]
    return min(fitting, key=lambda entry: (abs(entry.cash - activity.net_amount), entry.day), default=None)
