"""What an examination of one component found; the same facts for the terminal, the api and the flows."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Check:
    """One examined fact.

    Attributes
    ----------
    name
        What was examined, for example `postgres` or `worker execution`.
    ok
        Whether it is as it should be.
    latency
        Seconds the examination took.
    detail
        One line for a person: what was found, and when `ok` is false what to do.
    """

    name: str
    ok: bool
    latency: float
    detail: str

    def as_dict(self) -> dict[str, Any]:
        """Return the fields as JSON-ready values."""
        return asdict(self)
