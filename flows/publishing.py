"""What flows leave for a person: their report as an artifact under the flow's own key, and how far they are."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Self, cast

import httpx
from prefect.artifacts import acreate_markdown_artifact, acreate_progress_artifact, aupdate_progress_artifact
from prefect.logging import get_run_logger

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

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


class Progress:
    """A progress artifact, and a line in the log with each step; a server that does not answer stops nobody."""

    def __init__(self, key: str, what: str) -> None:
        self._key, self._what = key, what
        self._artifact: UUID | None = None

    async def __aenter__(self) -> Self:
        """Begin at nothing."""
        self._artifact = await acreate_progress_artifact(0.0, key=self._key, description=self._what)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Be complete, if it ended well."""
        if kind is None:
            await self.tell(1.0, self._what)

    async def tell(self, share: float, line: str) -> None:
        """Say how much is done (0 .. 1), and one line about it."""
        log = get_run_logger()
        log.info(line)
        try:
            await aupdate_progress_artifact(cast("UUID", self._artifact), 100.0 * share, description=line)
        except httpx.HTTPError as error:
            log.warning("the progress artifact was not updated: %s", error)
