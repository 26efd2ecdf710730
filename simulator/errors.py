"""What the simulator answers when it refuses, in Alpaca's shape: a status, a code and one line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trading.errors import TradingError

if TYPE_CHECKING:
    from datetime import date


class AlpacaError(TradingError):
    """Base of every refusal that travels to a client as `{"code": ..., "message": ...}`."""

    status: int = 400
    code: int | None = None

    def __init__(self, message: str, **details: str) -> None:
        super().__init__(message)
        self.details = details

    def body(self) -> dict[str, Any]:
        """Return the JSON body; a code only where Alpaca sends one."""
        code = {} if self.code is None else {"code": self.code}
        return {**code, "message": str(self), **self.details}


class BadRequestError(AlpacaError):
    """Raised when a request cannot be read: 400."""

    status, code = 400, 40010000


class InvalidParameterError(AlpacaError):
    """Raised when a market-data parameter makes no sense: 400 without a code, as the data API does."""

    status, code = 400, None


class UnauthorizedError(AlpacaError):
    """Raised when the keys are missing or wrong: 401, without a code."""

    status, code = 401, None

    def __init__(self) -> None:
        super().__init__("unauthorized.")


class ForbiddenError(AlpacaError):
    """Raised when money or shares do not suffice, or a wash trade threatens: 403."""

    status, code = 403, 40310000


class NotFoundError(AlpacaError):
    """Raised when an order, a position or an asset does not exist: 404."""

    status, code = 404, 40410000


class ConflictError(AlpacaError):
    """Raised when the clock is asked to go where it cannot: 409; only the control routes use it."""

    status, code = 409, 40910000


class UnprocessableError(AlpacaError):
    """Raised when an order breaks a rule of the market or of this version: 422."""

    status, code = 422, 42210000


class DuplicateClientOrderIdError(AlpacaError):
    """Raised when a client_order_id was used before, by a cancelled order too: 422."""

    status, code = 422, 40010001

    def __init__(self) -> None:
        super().__init__("client_order_id must be unique")


class RateLimitError(AlpacaError):
    """Raised when the requests of a minute are used up: 429."""

    status, code = 429, 42910000

    def __init__(self) -> None:
        super().__init__("too many requests.")


class EndOfDataError(ConflictError):
    """Raised when the clock is asked to pass the last session that has data."""

    def __init__(self, last: date) -> None:
        super().__init__(f"the data end with the session of {last}: POST /simulator/reset starts again")
