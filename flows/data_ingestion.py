"""Data ingestion: market data in, checked, and old data out of the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

from prefect import flow
from prefect.events import emit_event
from prefect.task_runners import ThreadPoolTaskRunner
from pydantic import Field

from flows.parameters import BarsTimeframe, End, Start, Symbols
from flows.publishing import gathered, publish
from tasks.data_ingestion.archive import archive_bars, restore_bars
from tasks.data_ingestion.fetching import Fetched, Plan, fetch_chunk, finish_fetch, plan_fetch
from tasks.data_ingestion.files.file_format import FileFormat
from tasks.data_ingestion.imports import import_bars
from tasks.data_ingestion.quality import Feed, OnFailure, check_quality
from tasks.data_ingestion.universe import resolve_universe
from trading.calendar import FIRST_DAY, LAST_DAY
from trading.errors import InvalidValueError

if TYPE_CHECKING:
    from prefect.futures import PrefectFuture
    from prefect.task_runners import TaskRunner

Source = Literal["broker", "csv", "parquet"]
Path = Annotated[str | None, Field(description="File, folder or fsspec URL to import when source is csv or parquet.")]
Form = Annotated[FileFormat | None, Field(description="What the file does not say: columns, symbol, time zone.")]
Refresh = Annotated[bool, Field(description="Ask for stored bars too; what the broker corrected becomes a revision.")]
CHUNKS_AT_ONCE = 4
OlderThan = Annotated[int, Field(ge=30, le=36500, description="Age in days from which bars move to files.")]
Target = Annotated[str | None, Field(description="Folder or fsspec URL; empty: archive in the state directory.")]


@flow(
    flow_run_name="fetch-market-data {timeframe} from {source}",
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
) -> None:
    """Fetch the bars that should exist and are not stored, with splits and dividends.

    Without `start` each symbol goes on from its last stored bar; one without bars gets ten years. With it, every
    gap since then is filled. A fetch that was interrupted goes on where it stopped when it is run again.
    """
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
    emit_event(
        "trading.bars.ingested",
        resource={"prefect.resource.id": f"trading.bars.{timeframe}"},
        payload={"timeframe": timeframe, "bars_written": written},
    )
    await publish("fetch-market-data", report)


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
