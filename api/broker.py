"""The broker, for the one thing that must not wait for a run to begin: cancelling every open order.

Written with the standard library: a halt on the command line does not wait for a larger one to load.
"""

from __future__ import annotations

import json
import ssl
import urllib.request
from http.client import HTTPException
from typing import TYPE_CHECKING

import certifi

from db.turns import until_done
from trading.errors import UnavailableError

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from trading.config import BrokerLogin

CALL_SECONDS = 3.0
PATIENCE = 3.0
"""Seconds for which a run that still sends is waited for: what it posted last is cancelled too."""
TAKEN = frozenset({200, 207})
"""Statuses with which Alpaca takes the cancellation of an order on."""


def cancel_open_orders(login: BrokerLogin, engine: Engine, account: str) -> set[str]:
    """Cancel every open order, and again while a run is still sending; return the broker's ids of those it took on.

    Raises
    ------
    UnavailableError
        The broker does not answer, or the run does not stop sending: open orders may be left.
    """
    cancelled: set[str] = set()
    try:
        for _ in until_done(engine, account, "submit", seconds=PATIENCE):
            cancelled |= _cancel_all(login)
    except (OSError, HTTPException) as error:  # TimeoutError, of the run that still sends, is one too
        raise UnavailableError(f"the broker does not take cancellations ({error})") from None
    return cancelled


def _cancel_all(login: BrokerLogin) -> set[str]:
    request = urllib.request.Request(f"{login.url}/v2/orders", method="DELETE", headers=login.headers())  # noqa: S310 - the address is the settings'
    secure = ssl.create_default_context(cafile=certifi.where()) if login.url.startswith("https") else None
    with urllib.request.urlopen(request, timeout=CALL_SECONDS, context=secure) as answer:  # noqa: S310 - as above
        body = answer.read()
    try:
        return {str(row["id"]) for row in json.loads(body) if row["status"] in TAKEN}
    except (ValueError, KeyError, TypeError):
        raise UnavailableError("the broker's answer to cancelling is no list of orders") from None
