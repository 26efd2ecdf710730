"""The one place where errors become answers: `{"error": "one line"}` and a status."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DataError as UnfitError
from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException

from trading.errors import (
    BrokerError,
    ConfigurationError,
    DataError,
    InvalidValueError,
    NotCheckedError,
    TradingError,
    UnavailableError,
    UnknownNameError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fastapi import FastAPI, Request

LOGGER = logging.getLogger("api")


class MissingError(TradingError):
    """Raised when what a path names is not there."""


class RefusedError(TradingError):
    """Raised when a request is well-formed and still cannot be done as it stands."""


class ConflictError(TradingError):
    """Raised when a request contradicts what is stored."""


STATUSES: tuple[tuple[type[TradingError], int], ...] = (
    (UnknownNameError, 404),
    (MissingError, 404),
    (DataError, 404),
    (ConflictError, 409),
    (NotCheckedError, 409),
    (InvalidValueError, 422),
    (RefusedError, 422),
    (UnavailableError, 503),
    (BrokerError, 503),
    (ConfigurationError, 400),
    (TradingError, 400),
)
"""An error's status is that of the first class it belongs to."""


def install(app: FastAPI) -> None:
    """Make the app answer every error with one line."""
    app.add_exception_handler(TradingError, _trading)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(IntegrityError, _conflict)
    app.add_exception_handler(UnfitError, _unfit)
    for kind in (OperationalError, InterfaceError, PoolTimeoutError):
        app.add_exception_handler(kind, _no_database)
    app.add_exception_handler(Exception, _unexpected)


def first_problem(problems: Sequence[Mapping[str, Any]]) -> str:
    """Return the first of pydantic's problems as one line that names the field."""
    problem = problems[0]
    place = ".".join(str(part) for part in problem["loc"] if part not in {"query", "path", "body"})
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return f"{place or 'body'}: {str(problem['msg']).removeprefix('Value error, ')}{more}"


def _answer(status: int, line: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"error": " ".join(line.split())}, status_code=status, headers=headers)


async def _trading(_request: Request, error: Exception) -> JSONResponse:
    status = next(status for kind, status in STATUSES if isinstance(error, kind))
    return _answer(status, str(error))


async def _invalid(_request: Request, error: Exception) -> JSONResponse:
    problems = error.errors() if isinstance(error, RequestValidationError) else []
    return _answer(422, first_problem(problems))


async def _http(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        raise error
    line = {
        404: f"nothing at {request.url.path}; /openapi.json lists the routes",
        405: f"{request.method} is not possible at {request.url.path}; /openapi.json lists the routes",
    }.get(error.status_code, str(error.detail))
    return _answer(error.status_code, line, error.headers)


async def _conflict(_request: Request, error: Exception) -> JSONResponse:
    LOGGER.warning("refused by a constraint: %s", error)
    return _answer(
        409, "this contradicts what is stored, perhaps a change made at the same moment; read again and retry"
    )


async def _unfit(_request: Request, error: Exception) -> JSONResponse:
    LOGGER.warning("refused by PostgreSQL: %s", error)
    return _answer(422, "a text or number is nothing PostgreSQL can store, such as a zero byte; leave it out")


async def _no_database(_request: Request, error: Exception) -> JSONResponse:
    LOGGER.error("database: %s", error)
    return _answer(503, "PostgreSQL does not answer; see `trading status`")


async def _unexpected(request: Request, _error: Exception) -> JSONResponse:
    # Starlette raises the error again after this answer, and the server logs it with its traceback.
    return _answer(500, f"{request.method} {request.url.path} failed inside the api; its log has the details")
