"""What flows leave for a person: their report as an artifact under the flow's own key, and how far they are."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from prefect.artifacts import acreate_markdown_artifact, acreate_progress_artifact, aupdate_progress_artifact

if TYPE_CHECKING:
    from collections.abc import Sequence

    from prefect.futures import PrefectFuture

    from trading.report import Report


async def publish(key: str, *reports: Report) -> None:
    """Write reports as one Markdown artifact; `key` groups the artifact's versions in the UI."""
    markdown = "\n\n".join(report.markdown() for report in reports)
    await acreate_markdown_artifact(markdown, key=key, description=reports[0].title)


async def gathered(key: str, futures: Sequence[PrefectFuture[Any]], what: str) -> list[Any]:
    """Wait for task runs, in order, and return their results; a progress artifact tells how far they are.

    Raises
    ------
    Exception
        The first failure, once every run has ended.
    """
    progress = await acreate_progress_artifact(0.0, key=key, description=what)
    for done, future in enumerate(futures, start=1):
        await asyncio.to_thread(future.wait)
        await aupdate_progress_artifact(progress, 100.0 * done / len(futures))
    return [future.result() for future in futures]
