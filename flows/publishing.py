"""How every flow ends: its report as an artifact a person can read, under the flow's own key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prefect.artifacts import acreate_markdown_artifact

if TYPE_CHECKING:
    from trading.report import Report


async def publish(key: str, *reports: Report) -> None:
    """Write reports as one Markdown artifact; `key` groups the artifact's versions in the UI."""
    markdown = "\n\n".join(report.markdown() for report in reports)
    await acreate_markdown_artifact(markdown, key=key, description=reports[0].title)
