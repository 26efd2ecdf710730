"""The errors a person may meet; each says in one line what broke, where, and what to do."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class TradingError(Exception):
    """Base of every error that is somebody's to fix; `str()` of it is one line for a person."""


class ConfigurationError(TradingError):
    """Raised when a setting is missing, malformed or contradicts another."""


class UnavailableError(TradingError):
    """Raised when something the system needs does not answer."""


class DataError(TradingError):
    """Raised when market data is absent or cannot be read."""


class NotCheckedError(TradingError):
    """Raised when a strategy is to trade whose version was not checked, or failed its check."""


class BrokerError(TradingError):
    """Raised when the broker refuses a call, with the broker's own code and message."""

    def __init__(self, message: str, *, status: int | None = None, code: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class UnknownNameError(TradingError):
    """Raised when a symbol, strategy, indicator, limit or parameter does not exist."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        known = sorted(known)
        close = get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known[:12]) or 'none'}"
        super().__init__(f"unknown {kind} {name!r}; {hint}")
        self.kind = kind
        self.name = name


class InvalidValueError(TradingError):
    """Raised when a value is outside what is allowed."""

    def __init__(self, what: str, value: object, expected: str) -> None:
        super().__init__(f"{what} is {value!r}; expected {expected}")
        self.what = what
        self.value = value
