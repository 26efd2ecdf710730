"""Reading query parameters: times, days, lists of symbols."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from simulator.errors import AlpacaError, BadRequestError, InvalidParameterError
from simulator.sessions import NEW_YORK, midnight

if TYPE_CHECKING:
    from starlette.requests import Request

SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9.:/_-]{0,23}")
"""What may be a symbol, in a request and in a data file."""
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
FRACTION = re.compile(r"(\.\d{1,6})\d*")
LARGEST_BODY = 1_000_000
ONE_DAY = timedelta(days=1)
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)


def read_time(text: str, name: str, refusal: type[AlpacaError] = InvalidParameterError) -> datetime:
    """Return a time given as RFC 3339 or as a day, which is its midnight in New York.

    A time without zone is UTC; what is finer than a microsecond is dropped; a time outside the years 1900 to
    2200 is the nearer end of them.

    Raises
    ------
    AlpacaError
        Of the given class: the text is neither.
    """
    zone = NEW_YORK if DAY.fullmatch(text) else UTC
    try:
        # a plus sign that was not percent-encoded arrives as a space
        at = datetime.fromisoformat(FRACTION.sub(r"\1", text.replace(" ", "+" if "T" in text else "T"), count=1))
    except ValueError:
        raise refusal(f"invalid {name}: {text!r} is neither YYYY-MM-DD nor an RFC 3339 time") from None
    if not EARLIEST.year <= at.year < LATEST.year:
        return EARLIEST if at.year < EARLIEST.year else LATEST
    return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)


def read_day(text: str, name: str, refusal: type[AlpacaError] = InvalidParameterError) -> date:
    """Return a day given as YYYY-MM-DD or as an RFC 3339 time, whose date is taken as written.

    Raises
    ------
    AlpacaError
        Of the given class: the text is neither.
    """
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        raise refusal(f"invalid {name}: {text!r} is not YYYY-MM-DD") from None


def first_label(at: datetime) -> date:
    """Return the first day whose midnight in New York is not before a time."""
    local = at.astimezone(NEW_YORK)
    return local.date() if midnight(local.date()) >= at else local.date() + ONE_DAY


def last_label(at: datetime) -> date:
    """Return the last day whose midnight in New York is not after a time."""
    return at.astimezone(NEW_YORK).date()


def read_symbols(text: str | None) -> list[str]:
    """Return the symbols of a comma-separated list, sorted, once each.

    Raises
    ------
    InvalidParameterError
        There is none, or one cannot be a symbol.
    """
    symbols = sorted({word.strip().upper() for word in (text or "").split(",") if word.strip()})
    if not symbols:
        raise InvalidParameterError("symbol is required")
    for symbol in symbols:
        if not SYMBOL.fullmatch(symbol):
            raise InvalidParameterError(f"invalid symbol: {symbol}")
    return symbols


async def read_json(request: Request) -> object:
    """Return the decoded body of a request.

    Raises
    ------
    BadRequestError
        It is not JSON, or too large.
    """
    body = await request.body()
    try:
        decoded = json.loads(body) if len(body) <= LARGEST_BODY else None
        if b"\\u" in body:
            # half a surrogate pair is JSON, but no text that could be kept or answered
            json.dumps(decoded, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise BadRequestError("request body format is invalid") from None
    return decoded
