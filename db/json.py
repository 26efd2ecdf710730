"""JSON as PostgreSQL accepts it: no NaN, and the types our documents hold."""

from __future__ import annotations

import json
import math
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np
from pydantic import BaseModel


def plain(value: Any) -> Any:  # noqa: PLR0911 - one line a type
    """Return `value` as JSON types: NaN and infinity become None, Decimals floats, times ISO strings."""
    match value:
        case dict():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [plain(item) for item in value]
        case np.ndarray() | np.generic():
            return plain(value.tolist())
        case BaseModel():
            return plain(value.model_dump(mode="json"))
        case Decimal():
            return plain(float(value))
        case float():
            return value if math.isfinite(value) else None
        case datetime() | date():
            return value.isoformat()
        case UUID():
            return str(value)
        case _:
            return value


def dumps(value: Any) -> str:
    """Serialise a document for a JSONB column."""
    return json.dumps(plain(value), separators=(",", ":"))
