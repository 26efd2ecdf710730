"""Report files, to download."""

from __future__ import annotations

from functools import partial

import streamlit as st

from dashboard import resources
from dashboard.format import size, when
from dashboard.frame import empty, section

KINDS = {"tearsheet": "Tearsheet, HTML", "csv": "CSV bundle", "parquet": "Parquet bundle"}


def draw() -> None:
    """Draw the tab."""
    found = resources.rows("/api/reports", account=resources.account())
    if not found:
        empty("No reports yet: run `trading demo`, or the deployment `generate-reports` under Settings.")
        return
    section("Reports", "newest first")
    for report in found:
        with st.container(border=True):
            about, made, button = st.columns([3, 2, 1], vertical_alignment="center")
            kind = KINDS.get(str(report["kind"]), report["kind"])
            about.markdown(f"**{kind}** &nbsp; {report['period_start']} to {report['period_end']}")
            made.caption(f"{size(report['bytes'])}, made {when(report['created_at'])}")
            button.download_button(
                "Download",
                partial(resources.report_file, int(report["id"])),
                file_name=str(report["name"]),
                key=f"report-{report['id']}",
                icon=":material/download:",
                on_click="ignore",
                width="stretch",
            )
