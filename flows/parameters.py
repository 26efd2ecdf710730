"""The parameters flows share: small, typed, with the sentences that the run form shows."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from trading.bars import Timeframe

Symbols = Annotated[
    list[Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]{0,9}([./-][A-Z0-9]{1,4})?$")]] | None,
    Field(description="Symbols; empty: the tracked universe."),
]
BarsTimeframe = Annotated[Timeframe, Field(description="Length of a bar.")]
Start = Annotated[date | None, Field(description="First session; empty: as the flow's description says.")]
End = Annotated[date | None, Field(description="Last session; empty: the last completed one.")]
AsOf = Annotated[
    AwareDatetime | None,
    Field(description="Decide on bars complete at this time (with zone); empty: the broker's now."),
]
Since = Annotated[
    AwareDatetime | None, Field(description="Broker time from which on; empty: as the flow's description says.")
]
How = Annotated[
    Literal["inline", "deployments"],
    Field(description="inline: every step in this process; deployments: every step a run of its service."),
]
Session = Annotated[date | None, Field(description="Session; empty: the last one that opened.")]
