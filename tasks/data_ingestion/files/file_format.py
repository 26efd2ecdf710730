"""What a person may say about a file that the file does not say itself."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

FIELDS = ("symbol", "ts", "open", "high", "low", "close", "volume")
SYMBOL = r"^[A-Z][A-Z0-9]{0,9}([./-][A-Z0-9]{1,4})?$"
"""A ticker, with a share class after a dot, slash or hyphen."""


def _zone(name: str | None) -> str | None:
    try:
        return name and ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name!r} is not a time zone; expected a name such as America/New_York or UTC") from None


def _fields(columns: dict[str, str]) -> dict[str, str]:
    times = {"date": "ts", "time": "ts", "timestamp": "ts", "datetime": "ts", "ticker": "symbol"}
    named = {times.get(name.strip().lower(), name.strip().lower()): column for name, column in columns.items()}
    for name in named:
        if name not in FIELDS:
            raise ValueError(f"{name!r} is not a field of a bar; expected one of {', '.join(FIELDS)}")
    return named


class FileFormat(BaseModel):
    """How to read a file of bars where its own names and values leave a question open."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    symbol: Annotated[
        str | None, Field(pattern=SYMBOL, description="Symbol of a file without such a column; empty: its name.")
    ] = None
    columns: Annotated[
        dict[str, str],
        AfterValidator(_fields),
        Field(description="Field to column, such as close: Last; empty: guessed from usual names."),
    ] = {}
    timezone: Annotated[
        str | None,
        AfterValidator(_zone),
        Field(description="Zone of times written without one, such as America/New_York; dates need none."),
    ] = None
    day_first: Annotated[
        bool | None, Field(description="Whether 01/02/2012 is the first of February; empty: seen from the file.")
    ] = None
    adjusted_as_of: Annotated[
        date | None,
        Field(description="The prices have the splits up to this day divided out; empty: they are as traded."),
    ] = None
