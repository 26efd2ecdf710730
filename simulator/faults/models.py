"""The kinds of faults, with what each one hits."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

if TYPE_CHECKING:
    from simulator.books import Order

Seconds = Annotated[float, Field(ge=0, le=3600)]
Times = Literal["before", "after"]


class Fault(BaseModel):
    """What every fault has: how often it hits, and how likely each time."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    count: Annotated[int, Field(ge=1)] | None = Field(1, description="hits until it is spent; null: until disarmed")
    probability: float = Field(1.0, gt=0, le=1, description="chance of a hit whenever it could hit")


class RequestFault(Fault):
    """A fault of HTTP requests; those to the control routes and to /health are never hit."""

    method: Literal["GET", "POST", "PATCH", "PUT", "DELETE"] | None = Field(None, description="null: any")
    path: str = Field("/v2/orders*", max_length=200, description="pattern with * and ? of the path, without query")

    def hits(self, method: str, path: str) -> bool:
        """Return whether a request is one of those meant."""
        return self.method in {None, method} and fnmatchcase(path, self.path)


class Latency(RequestFault):
    """The request waits before anything happens."""

    kind: Literal["latency"]
    seconds: Seconds = 1.0


class HttpError(RequestFault):
    """The answer is an error: `before` anything happened, or `after` everything did."""

    kind: Literal["error"]
    status: int = Field(500, ge=400, le=599)
    when: Times = "before"
    code: int | None = Field(None, description="code in the body, as Alpaca's own refusals have")
    message: str = Field("internal server error occurred", max_length=500)


class Hang(RequestFault):
    """No answer for `seconds`, and none afterwards: the connection is closed then."""

    kind: Literal["hang"]
    seconds: Seconds = 3600.0
    when: Times = "before"


class Reset(RequestFault):
    """The connection is reset (TCP RST) instead of an answer."""

    kind: Literal["reset"]
    when: Times = "after"


class Garbage(RequestFault):
    """The request succeeds and its answer is cut off in the middle: no JSON."""

    kind: Literal["garbage"]


class OrderFault(Fault):
    """A fault of orders."""

    symbol: str | None = Field(None, max_length=24, description="null: any")
    side: Literal["buy", "sell"] | None = Field(None, description="null: either")

    def hits(self, order: Order) -> bool:
        """Return whether an order is one of those meant."""
        return self.symbol in {None, order.symbol} and self.side in {None, order.side}


class Reject(OrderFault):
    """The order is taken with 200 and then rejected, as a venue does."""

    kind: Literal["reject"]


class PartialFill(OrderFault):
    """The next fill is for a part only; the rest waits for the next price, or expires."""

    kind: Literal["partial_fill"]
    fraction: float = Field(0.5, gt=0, lt=1)


class LateFill(OrderFault):
    """A fill comes after the cancel was confirmed, at the latest price, `seconds` of real time later."""

    kind: Literal["late_fill"]
    seconds: Seconds = 0.0
    fraction: float = Field(1.0, gt=0, le=1, description="of what was left; less than 1 leaves the order cancelled")


class StuckCancel(OrderFault):
    """A cancel stays pending until the next close; the order may fill before."""

    kind: Literal["stuck_cancel"]


class StreamDuplicate(Fault):
    """A trade update is sent twice."""

    kind: Literal["stream_duplicate"]


class StreamReorder(Fault):
    """A trade update is held back until the next one has gone, a second at most."""

    kind: Literal["stream_reorder"]


class StreamLoss(Fault):
    """A trade update is never sent."""

    kind: Literal["stream_loss"]


class StreamCut(Fault):
    """All streams are closed when a trade update is due, which is lost, or `now`; none opens for `seconds`."""

    kind: Literal["stream_cut"]
    seconds: Seconds = 5.0
    at: Literal["now", "next_update"] = "now"


class StreamSilence(Fault):
    """From a trade update on nothing is sent for `seconds`, while connections stay open; what is due is lost."""

    kind: Literal["stream_silence"]
    seconds: Seconds = 5.0


class CorruptBars(Fault):
    """The last bar of each symbol in an answer is wrong."""

    kind: Literal["corrupt_bars"]
    how: Literal["zero", "negative", "spike", "inverted", "text", "missing", "repeated"] = "spike"
    symbol: str | None = Field(None, max_length=24, description="null: any")


class ClockSkew(Fault):
    """The clock's answer is of another moment."""

    kind: Literal["clock_skew"]
    seconds: float = Field(600.0, ge=-86_400, le=86_400)


AnyFault = Annotated[
    Latency
    | HttpError
    | Hang
    | Reset
    | Garbage
    | Reject
    | PartialFill
    | LateFill
    | StuckCancel
    | StreamDuplicate
    | StreamReorder
    | StreamLoss
    | StreamCut
    | StreamSilence
    | CorruptBars
    | ClockSkew,
    Field(discriminator="kind"),
]
"""Any fault; its `kind` tells which."""

FAULT: TypeAdapter[AnyFault] = TypeAdapter(AnyFault)
"""Reads one."""
