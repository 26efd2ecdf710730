"""A single bar that rules complain about: its neighbours, its history, and a person's decision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard import charts, palette, resources
from dashboard.candlesticks import around
from dashboard.format import NOTHING, bar_day, number, quantity, words
from dashboard.frame import attempt, empty, section
from dashboard.tables import Column, show

if TYPE_CHECKING:
    from collections.abc import Callable

    from dashboard.resources import Row

SIGNS = {
    "good": "● good",
    "suspect": "▲ suspect",
    "quarantined": "■ quarantined",
    "unchecked": "○ unchecked",
}
PRICES = ("open", "high", "low", "close")
FIGURES = (*PRICES, "volume")
NAME = "my-name"
LARGEST = 2**53 - 1
"""The largest whole number a browser holds exactly."""
ISSUES = (
    Column("title", "Rule"),
    Column("severity", "Severity", width="small"),
    Column("verdict", "Verdict", width="small"),
    Column("detail", "What is wrong", width="large"),
    Column("found_at", "Found (ET)", "time"),
)
HISTORY = (
    Column("at", "Time (ET)", "time"),
    Column("what", "What", width="small"),
    Column("who", "Who", width="small"),
    Column("why", "Why", width="medium"),
    *(Column(name, words(name), width="small") for name in FIGURES),
)


def sign(quality: str | None) -> str:
    """Return what a bar is now as a sign and a word; None is a bar that is not there."""
    return "✕ missing" if quality is None else SIGNS.get(quality, quality)


def draw(symbol: str, timeframe: str, ts: str) -> None:
    """Draw a bar among its neighbours, what was said and done about it, and the forms that decide on it."""
    record = resources.bar_record(symbol, timeframe, ts)
    bar = record["bar"]
    section(f"{symbol} {bar_day(ts, timeframe)}", f"{timeframe}, {sign(bar and bar['quality'])}, prices as traded")
    left, right = st.columns([1.5, 1], gap="medium")
    with left:
        _chart(record)
    with right:
        if bar is None:
            empty("There is no such bar to decide on; the deployment `fetch-market-data` asks the broker for it again.")
        else:
            _figures(bar)
            _release(record)
    issues = [{**issue, "title": words(str(issue["rule"]))} for issue in record["issues"]]
    show(issues, ISSUES, key="bar-issues", empty="No rule complains about this bar any more.", most_rows=4)
    if bar is not None:
        _correct(record)
    done = history(record)
    if done:
        section("What was done", "newest first; figures that changed read old → new")
        show(done, HISTORY, key="bar-history", empty="", most_rows=6)


def history(record: Row) -> list[Row]:
    """Return the decisions and the deliveries that changed a bar as rows, newest first."""
    decided = [
        {**change(row), "at": row["at"], "what": row["decision"], "who": row["who"], "why": row["why"]}
        for row in record["decisions"]
    ]
    # A correction is a revision too, without an ingestion run; it is listed once.
    delivered = [
        {**change(row), "at": row["revised_at"], "what": "delivered", "who": row["new_source"], "why": NOTHING}
        for row in record["revisions"]
        if row["ingestion_run_id"] is not None
    ]
    return sorted(decided + delivered, key=lambda row: str(row["at"]), reverse=True)


def change(row: Row) -> Row:
    """Return each figure of a change as text: `old → new` where they differ."""
    return {name: _difference(name, row[f"old_{name}"], row[f"new_{name}"]) for name in FIGURES}


def places(*prices: float | None) -> int:
    """Return the decimal places, two at least and six at most, that prices need."""
    written = [f"{price:.6f}".rstrip("0").partition(".")[2] for price in prices if price is not None]
    return max(2, *map(len, written)) if written else 2


def _difference(name: str, old: float | None, new: float | None) -> str:
    if name == "volume":
        return quantity(new) if old == new else f"{quantity(old)} → {quantity(new)}"
    digits = places(old, new)
    after = number(new, places=digits)
    return after if old == new else f"{number(old, places=digits)} → {after}"


def _chart(record: Row) -> None:
    whole = [bar for bar in record["neighbours"] if all(bar[name] is not None for name in PRICES)]
    if not whole:
        empty("No bar around it has all its prices, so there is nothing to draw.")
        return
    figure = around(whole, str(record["ts"]), palette.current(), timeframe=str(record["timeframe"]))
    alt = f"Candlesticks of {record['symbol']} around {bar_day(record['ts'], record['timeframe'])}"
    charts.draw(figure, key="bar-neighbours", alt=alt)


def _figures(bar: Row) -> None:
    cells = st.columns(len(FIGURES), gap="small")
    digits = places(*(bar[name] for name in PRICES))
    for cell, name in zip(cells, FIGURES, strict=True):
        value = quantity(bar[name]) if name == "volume" else number(bar[name], places=digits)
        cell.markdown(f"{words(name)}  \n**{value}**")


def _release(record: Row) -> None:
    place = _place(record)
    if record["bar"]["quality"] == "good":
        st.caption("The bar is good: strategies see it.")
        return
    with st.form(f"release-{place}"):
        st.markdown("**Release: the bar is right as it is**")
        who, why = _signature(f"release-{place}")
        pressed = st.form_submit_button("Release the bar", type="primary", icon=":material/lock_open:")
    if pressed and _signed(who, why):
        _finish(
            lambda: resources.release_bar(record, who=who, why=why), f"{record['symbol']}: the bar is good now.", who
        )


def _correct(record: Row) -> None:
    place = _place(record)
    with st.form(f"correct-{place}"):
        st.markdown("**Correct: these are the right figures**")
        given = _fields(record["bar"], f"correct-{place}")
        who, why = _signature(f"correct-{place}")
        pressed = st.form_submit_button("Correct the bar", type="primary", icon=":material/edit:")
    if not pressed:
        return
    if any(value is None for value in given.values()):
        st.warning("Give all four prices and the volume, then press again.")
    elif _signed(who, why):
        done = f"{record['symbol']}: the bar has the new figures."
        _finish(lambda: resources.correct_bar(record, given, who=who, why=why), done, who)


def _fields(bar: Row, key: str) -> Row:
    """Draw a field for each figure, filled with what the bar has, and return what is in them."""
    digits = places(*(bar[name] for name in PRICES))
    given: dict[str, Any] = {}
    cells = st.columns(len(FIGURES), gap="small")
    for cell, name in zip(cells, PRICES, strict=False):
        typed = cell.number_input(
            words(name), value=bar[name], step=10.0**-digits, format=f"%.{digits}f", key=f"{key}-{name}"
        )
        given[name] = None if typed is None else round(typed, 6)
    volume = bar["volume"] if bar["volume"] is not None and abs(bar["volume"]) <= LARGEST else None
    given["volume"] = cells[-1].number_input("Volume", value=volume, step=1, key=f"{key}-volume")
    return given


def _signature(key: str) -> tuple[str, str]:
    first, second = st.columns([1, 2], gap="small")
    known = str(st.session_state.get(NAME, ""))
    who = first.text_input("Your name", value=known, max_chars=80, key=f"{key}-who")
    why = second.text_input("Reason", placeholder="why, for the record", max_chars=500, key=f"{key}-why")
    return who.strip(), why.strip()


def _signed(who: str, why: str) -> bool:
    if not who or not why:
        st.warning("Give your name and a reason, then press again.")
    return bool(who and why)


def _finish(action: Callable[[], Any], done: str, who: str) -> None:
    if attempt(action, done=done):
        st.session_state[NAME] = who
        st.rerun()


def _place(record: Row) -> str:
    return "-".join(str(record[name]) for name in ("symbol", "timeframe", "ts"))
