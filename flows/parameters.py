"""The parameters flows share: small, typed, with the sentences that the run form shows."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, JsonValue

from trading.bars import Timeframe

DAY = r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
CLOCK = r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d+)?)?"
A_DATE: dict[str, JsonValue] = {"pattern": f"^{DAY}$"}
A_TIME: dict[str, JsonValue] = {"pattern": rf"^{DAY}[T ]{CLOCK}(Z|[+-]\d\d:?\d\d)$"}
"""Prefect refuses a run by its schema before it starts, and the schema's format alone refuses nothing."""

Symbols = Annotated[
    list[Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]{0,9}([./-][A-Z0-9]{1,4})?$")]] | None,
    Field(description="Symbols; empty: the tracked universe."),
]
BarsTimeframe = Annotated[Timeframe, Field(description="Length of a bar.")]
Start = Annotated[
    date | None,
    Field(description="First session; empty: as the flow's description says.", json_schema_extra=A_DATE),
]
End = Annotated[
    date | None, Field(description="Last session; empty: the last completed one.", json_schema_extra=A_DATE)
]
AsOf = Annotated[
    AwareDatetime | None,
    Field(
        description="Decide on bars complete at this time (with zone); empty: the broker's now.",
        json_schema_extra=A_TIME,
    ),
]
Since = Annotated[
    AwareDatetime | None,
    Field(description="Broker time from which on; empty: as the flow's description says.", json_schema_extra=A_TIME),
]
How = Annotated[
    Literal["inline", "deployments"],
    Field(description="inline: every step in this process; deployments: every step a run of its service."),
]
Session = Annotated[
    date | None, Field(description="Session; empty: the last one that opened.", json_schema_extra=A_DATE)
]
