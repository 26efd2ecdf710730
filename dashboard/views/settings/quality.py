"""Data quality: what the rules found, bar by bar, and what a session's universe went without."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import streamlit as st

from dashboard import paging, resources
from dashboard.format import bar_day, words
from dashboard.frame import empty, guarded, section
from dashboard.tables import Column, show
from dashboard.views.settings import single_bar

TIMEFRAMES = ("1Day", "1Hour", "30Min", "15Min", "5Min", "1Min")
VERDICTS = ("quarantined", "suspect")
PAGE = 100
COUNTS = (
    Column("title", "Rule"),
    Column("severity", "Severity", width="small"),
    Column("quarantined", "Quarantined", "quantity", width="small"),
    Column("suspect", "Suspect", "quantity", width="small"),
    Column("symbols", "Symbols", "quantity", width="small"),
    Column("newest", "Newest bar", "day", width="small"),
    Column("explanation", "What it looks for", width="large"),
)
ISSUES = (
    Column("bar", "Bar", width="small"),
    Column("symbol", "Symbol", width="small"),
    Column("timeframe", "Timeframe", width="small"),
    Column("title", "Rule"),
    Column("verdict", "Verdict", width="small", help="what the rule made of the bar"),
    Column("sign", "The bar now", width="small"),
    Column("detail", "What is wrong", width="large"),
    Column("close", "Close", "price", width="small"),
    Column("volume", "Volume", "quantity", width="small"),
)
EXCLUSIONS = (
    Column("session", "Session", "day", width="small"),
    Column("symbol", "Symbol", width="small"),
    Column("timeframe", "Timeframe", width="small"),
    Column("reason", "Reason", width="large"),
)


@dataclass(frozen=True)
class Filter:
    """Which issues a person wants to see; None is any."""

    symbol: str | None
    timeframe: str | None
    rule: str | None
    verdict: str | None
    since: str | None

    @property
    def given(self) -> resources.Row:
        """The filters that are set, as the api takes them."""
        return {name: value for name, value in vars(self).items() if value}


def draw() -> None:
    """Draw the tab."""
    rules = {str(rule["name"]): rule for rule in resources.rows("/api/quality/rules", lasting=True)}
    section("Data quality", f"{len(rules)} rules judge every bar; a quarantined one is never traded on")
    asked = _filter(list(rules))
    with guarded():
        counts = [{**rules.get(row["rule"], {}), **row} for row in resources.quality_counts(**asked.given)]
        if counts:
            _counts(counts)
            _issues(asked)
        elif asked.given:
            st.caption("No issue matches the filter.")
        else:
            empty("No rule complains about any bar. The deployment `validate-data-quality` checks what came in.")
    with guarded():
        _exclusions()


def _filter(rules: list[str]) -> Filter:
    cells = st.columns([1, 1, 1.6, 1, 1])
    symbol = cells[0].text_input("Symbol", placeholder="any symbol", key="quality-symbol").strip().upper()
    timeframe = cells[1].selectbox(
        "Timeframe", TIMEFRAMES, index=None, placeholder="any timeframe", key="quality-timeframe"
    )
    rule = cells[2].selectbox("Rule", rules, index=None, placeholder="any rule", format_func=words, key="quality-rule")
    verdict = cells[3].selectbox("Verdict", VERDICTS, index=None, placeholder="any verdict", key="quality-verdict")
    since = _day(cells[4], "Bars since", key="quality-since")
    return Filter(symbol or None, timeframe, rule, verdict, since)


def _day(place: st.delta_generator.DeltaGenerator, label: str, *, key: str) -> str | None:
    chosen = place.date_input(label, value=None, min_value=date(1900, 1, 1), format="YYYY-MM-DD", key=key)
    return chosen.isoformat() if chosen else None


def _counts(counts: list[resources.Row]) -> None:
    rows = [{**row, "title": words(str(row["rule"]))} for row in counts]
    show(rows, COUNTS, key="quality-counts", empty="", most_rows=6)


def _issues(asked: Filter) -> None:
    section("Issues", "newest bar first; choose one to see the bar, to release or to correct it")
    cursors = paging.walked("quality-cursors", asked)
    found = resources.quality_issues(limit=PAGE, cursor=cursors[-1], **asked.given)
    rows = [_row(issue) for issue in found["items"]]
    # A table of its own for each question and page, so that a choice made in one chooses nothing in another.
    key = "-".join(["quality-issues", str(len(cursors)), *map(str, asked.given.values())])
    chosen = show(rows, ISSUES, key=key, empty="No issue matches the filter.", select=True, most_rows=9)
    if len(cursors) > 1 or found["next"] is not None:
        paging.turn(cursors, found["next"], key="quality")
    if chosen is not None:
        single_bar.draw(str(chosen["symbol"]), str(chosen["timeframe"]), str(chosen["ts"]))


def _row(issue: resources.Row) -> resources.Row:
    return {
        **issue,
        "bar": bar_day(issue["ts"], issue["timeframe"]),
        "title": words(str(issue["rule"])),
        "sign": single_bar.sign(issue["quality"]),
    }


def _exclusions() -> None:
    section("Left out of the universe", "symbols whose data was too poor to trade a session on, newest first")
    session = _day(st.columns([1, 4])[0], "Session", key="quality-session")
    found = resources.rows("/api/quality/exclusions", session=session, limit=200)
    nobody = f"No symbol was left out of {session}." if session else "No symbol has been left out of a session."
    show(found, EXCLUSIONS, key="quality-exclusions", empty=nobody, most_rows=6)
