"""Whether the market takes an order now: what the broker says of its symbol, and what the hour allows.

Source: Alpaca's "Orders at Alpaca".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time, timedelta
from typing import TYPE_CHECKING

from trading.calendar import NEW_YORK, close_at, is_session, open_at, session_of
from trading.order_terms import OrderTermsError, written

if TYPE_CHECKING:
    from decimal import Decimal

    from trading.broker import Clock
    from trading.order_terms import OrderTerms

OPG_LEAD = timedelta(minutes=2)
CLS_LEAD = timedelta(minutes=10)
AUCTIONS_REOPEN = time(19, 0)
EXTENDED_FROM, EXTENDED_UNTIL = time(4, 0), time(20, 0)


@dataclass(frozen=True, slots=True)
class Tradability:
    """What the broker says of a symbol."""

    symbol: str
    tradable: bool
    fractionable: bool
    shortable: bool


def check_market(terms: OrderTerms, *, asset: Tradability | None, clock: Clock, held: Decimal | None = None) -> None:
    """Refuse an order that the symbol, or the hour by the broker's clock, does not allow.

    Parameters
    ----------
    terms
        The order.
    asset
        What the broker says of its symbol; None when it knows none.
    clock
        The broker's clock.
    held
        Shares of the symbol in the account, signed: a sale of more sells short. None: the broker judges that.

    Raises
    ------
    OrderTermsError
        One line that says what does not allow it, and when it would.
    """
    if asset is None:
        raise OrderTermsError(f"{terms.symbol}: the broker knows no such symbol; see `trading data universe list`")
    if not asset.tradable:
        raise OrderTermsError(f"{terms.symbol} cannot be traded now: it is halted, delisted or inactive at the broker")
    if terms.fractional and not asset.fractionable:
        raise OrderTermsError(f"{terms.symbol} is traded in whole shares only")
    if held is not None:
        _check_short(terms, asset, held)
    _check_auction(terms, clock)
    _check_extended(terms, clock)


def _check_short(terms: OrderTerms, asset: Tradability, held: Decimal) -> None:
    short = terms.side == "sell" and (held <= 0 if terms.quantity is None else terms.quantity > held)
    if not short:
        return
    if terms.fractional:
        raise OrderTermsError(f"{terms.words()} would sell short, which takes whole shares (held: {written(held)})")
    if held > 0:
        raise OrderTermsError(
            f"{terms.words()} sells more than is held ({written(held)}); close the position first, then sell short"
        )
    if not asset.shortable:
        raise OrderTermsError(f"{terms.symbol} cannot be sold short: the broker lends none")


def _check_auction(terms: OrderTerms, clock: Clock) -> None:
    day = session_of(clock.now)
    if terms.time_in_force not in {"opg", "cls"} or not is_session(day):
        return
    last = open_at(day) - OPG_LEAD if terms.time_in_force == "opg" else close_at(day) - CLS_LEAD
    if clock.now >= last and clock.now.astimezone(NEW_YORK).time() < AUCTIONS_REOPEN:
        shown = f"{last.astimezone(NEW_YORK):%H:%M}"
        raise OrderTermsError(
            f"time in force {terms.time_in_force} is not taken from {shown} to 19:00 New York; "
            f"it is {clock.now.astimezone(NEW_YORK):%H:%M}"
        )


def _check_extended(terms: OrderTerms, clock: Clock) -> None:
    """Refuse what can only fill in the session now (ioc, fok) or outside of it (extended hours) at other hours."""
    if terms.time_in_force in {"ioc", "fok"} and not clock.is_open:
        raise OrderTermsError(f"time in force {terms.time_in_force} needs an open market; it opens {_shown(clock)}")
    if not terms.extended_hours or clock.is_open:
        return
    day, hour = session_of(clock.now), clock.now.astimezone(NEW_YORK).time()
    if not is_session(day) or not EXTENDED_FROM <= hour < EXTENDED_UNTIL:
        raise OrderTermsError(
            "extended hours are 04:00 to 20:00 New York on days the exchange opens; "
            f"it is {clock.now.astimezone(NEW_YORK):%a %H:%M}, the market opens {_shown(clock)}"
        )


def _shown(clock: Clock) -> str:
    return f"{clock.next_open.astimezone(NEW_YORK):%Y-%m-%d %H:%M} New York"
