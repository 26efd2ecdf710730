"""Data ingestion: market data in, checked, and old data out of the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.events import emit_event
from prefect.states import Completed
from prefect.task_runners import ThreadPoolTaskRunner
from pydantic import AwareDatetime, Field

from flows.parameters import A_TIME, BarsTimeframe, End, Start, Symbols
from flows.publishing import Progress, gathered, publish
from tasks.data_ingestion.archive import archive_bars, restore_bars
from tasks.data_ingestion.fetching import Fetched, Plan, fetch_chunk, finish_fetch, plan_fetch
from tasks.data_ingestion.files.file_format import FileFormat
from tasks.data_ingestion.imports import import_bars
from tasks.data_ingestion.quality import Feed, OnFailure, check_quality
from tasks.data_ingestion.streaming import known_symbols, stream_bars
from tasks.data_ingestion.universe import resolve_universe
from tasks.execution.clock import read_clock
from trading.calendar import FIRST_DAY, LAST_DAY
from trading.errors import InvalidValueError

if TYPE_CHECKING:
    from datetime import date, datetime

    from prefect.futures import PrefectFuture
    from prefect.task_runners import TaskRunner

Source = Literal["broker", "csv", "parquet"]
Path = Annotated[str | None, Field(description="File, folder or fsspec URL to import when source is csv or parquet.")]
Form = Annotated[FileFormat | None, Field(description="What the file does not say: columns, symbol, time zone.")]
Refresh = Annotated[bool, Field(description="Ask for stored bars too; what the broker corrected becomes a revision.")]
Mode = Annotated[
    Literal["history", "stream"],
    Field(description="history: what exists; stream: minute bars as they come, until the session is over."),
]
Until = Annotated[
    AwareDatetime | None,
    Field(description="When a stream ends, by the broker's clock; empty: at the close.", json_schema_extra=A_TIME),
]
CHUNKS_AT_ONCE = 4
OlderThan = Annotated[int, Field(ge=30, le=36500, description="Age in days from which bars move to files.")]
Target = Annotated[str | None, Field(description="Folder or fsspec URL; empty: archive in the state directory.")]


@flow(
    flow_run_name="fetch-market-data {timeframe} {mode} from {source}",
    timeout_seconds=86_400,
    task_runner=cast("TaskRunner[PrefectFuture[Any]]", ThreadPoolTaskRunner(max_workers=CHUNKS_AT_ONCE)),
)
async def fetch_market_data(
    symbols: Symbols = None,
    timeframe: BarsTimeframe = "1Day",
    start: Start = None,
    end: End = None,
    source: Annotated[Source, Field(description="broker, or a file")] = "broker",
    path: Path = None,
    file_format: Form = None,
    refresh: Refresh = False,
    mode: Mode = "history",
    until: Until = None,
) -> State[None] | None:
    """Fetch the bars that should exist and are not stored, with splits and dividends.

    Without `start` each symbol goes on from its last stored bar; one without bars gets ten years. With it, every
    gap since then is filled. A fetch that was interrupted goes on where it stopped when it is run again.

    With mode stream (timeframe 1Min, source broker) the run first fetches what is missing, then keeps the minute
    bars current through the broker's websocket until the close; a symbol without bars begins with the session.
    """
    if mode == "stream":
        if timeframe != "1Min" or source != "broker":
            raise InvalidValueError("mode", mode, "history, or timeframe 1Min and source broker: only minutes stream")
        return await _stream(resolve_universe(symbols), start=start, until=until)
    if (path is None) != (source == "broker"):
        raise InvalidValueError("path", path, "a file for source csv or parquet, and none for broker")
    if path is not None and source != "broker":
        report, done = import_bars(
            path, source=source, symbols=symbols, timeframe=timeframe, start=start, end=end, form=file_format
        )
        written = done.written
    else:
        universe = resolve_universe(symbols)
        plan = plan_fetch(universe, timeframe=timeframe, start=start, end=end, refresh=refresh)
        report, written = finish_fetch(plan, await _fetched(plan))
    _announce(timeframe, written)
    await publish("fetch-market-data", report)
    return None


async def _stream(symbols: list[str], *, start: date | None, until: datetime | None) -> State[None] | None:
    """Fetch what is missing of minute bars, then keep them current."""
    clock = read_clock()
    if not clock.is_open:
        return Completed(name="Market closed", message=f"The market opens at {clock.next_open.isoformat()}.")
    plan = plan_fetch(symbols if start else known_symbols(symbols), timeframe="1Min", start=start, end=None)
    report, fetched = finish_fetch(plan, await _fetched(plan))
    async with Progress("fetch-stream", f"1Min bars of {len(symbols)} symbols") as progress:
        streamed, written = await stream_bars(symbols, clock=clock, until=until, tell=progress.tell)
    _announce("1Min", fetched + written)
    await publish("fetch-market-data", streamed, report)
    return None


def _announce(timeframe: str, written: int) -> None:
    emit_event(
        "trading.bars.ingested",
        resource={"prefect.resource.id": f"trading.bars.{timeframe}"},
        payload={"timeframe": timeframe, "bars_written": written},
    )


async def _fetched(plan: Plan) -> list[Fetched]:
    """Fetch the chunks of a plan: batches of symbols side by side, each batch oldest chunk first."""
    if len(plan.chunks) <= 1:
        return [fetch_chunk(plan, chunk) for chunk in plan.chunks]
    futures: list[PrefectFuture[Fetched]] = []
    for batch in plan.batches:
        before: list[PrefectFuture[Fetched]] = []
        for chunk in batch:
            before = [fetch_chunk.submit(plan=plan, chunk=chunk, wait_for=before, return_state=False)]
            futures += before
    return await gathered("fetch-progress", futures, f"{plan.timeframe} bars in {len(futures)} chunks")


@flow(flow_run_name="validate-data-quality {timeframe}", timeout_seconds=3600)
async def validate_data_quality(
    symbols: Symbols = None,
    timeframe: BarsTimeframe = "1Day",
    start: Start = None,
    end: End = None,
    on_failure: Annotated[OnFailure, Field(description="What happens to a bar that fails a rule.")] = "quarantine",
    compare_feed: Annotated[
        Feed | None, Field(description="Fetch this feed's bars of the range and compare; empty: compare with none.")
    ] = None,
) -> None:
    """Run every quality rule; without `start` over the bars that have not been checked.

    quarantine: strategies never see a bad bar. warn: bad bars are marked suspect. fail: the run fails.
    """
    universe = resolve_universe(symbols)
    report = check_quality(
        universe, timeframe=timeframe, start=start, end=end, on_failure=on_failure, compare_feed=compare_feed
    )
    await publish("validate-data-quality", report)


@flow(flow_run_name="archive-old-data {timeframe} {action}", timeout_seconds=7200)
async def archive_old_data(
    older_than: OlderThan = 3650,
    timeframe: BarsTimeframe = "1Day",
    target: Target = None,
    action: Annotated[
        Literal["archive", "restore"], Field(description="Into files, or back into the table.")
    ] = "archive",
    start: Start = None,
    end: End = None,
) -> None:
    """Move old bars to Parquet, verified before they leave the table; reading goes on across both.

    With action restore, bring the archived bars of `start` .. `end` back.
    """
    if action == "archive":
        report = archive_bars(timeframe=timeframe, older_than=older_than, target=target)
    else:
        report = restore_bars(timeframe=timeframe, start=start or FIRST_DAY, end=end or LAST_DAY)
    await publish("archive-old-data", report)
