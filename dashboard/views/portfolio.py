"""Portfolio: what the account is worth, what it holds, and why."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import streamlit as st

from dashboard import charts, palette, resources
from dashboard.format import MINUS, money, percent
from dashboard.frame import STATE_MEANINGS, attempt, empty, guarded, page, section
from dashboard.lineage import show_lineage
from dashboard.tables import Column, show

if TYPE_CHECKING:
    from collections.abc import Callable

RANGES = {"1M": 31, "3M": 92, "6M": 183, "1Y": 366, "All": None}
NOTHING_YET = "Nothing has been traded yet: run `trading demo`, or start the deployment `trading-cycle` under Settings."

NOTE = "trading-state-note"
"""Where the session keeps what a change of the trading state could not do, until it is shown."""

POSITIONS = (
    Column("symbol", "Symbol", width="small"),
    Column("strategy", "Strategy"),
    Column("quantity", "Quantity", "quantity"),
    Column("average_cost", "Average cost", "price"),
    Column("market_price", "Price", "price"),
    Column("market_value", "Value", "money"),
    Column("weight", "Weight", "share", help="share of the account's equity"),
    Column("unrealised_pnl", "Unrealised", "signed_money"),
    Column("realised_pnl", "Realised", "signed_money"),
)
ORDERS = (
    Column("intended_at", "Time (ET)", "time"),
    Column("symbol", "Symbol", width="small"),
    Column("side", "Side", width="small"),
    Column("quantity", "Quantity", "quantity"),
    Column("type", "Type", width="small"),
    Column("status", "Status"),
    Column("filled_quantity", "Filled", "quantity"),
    Column("filled_average_price", "Average price", "price"),
    Column("strategy", "Strategy"),
    Column("problem", "Problem"),
)
FILLS = (
    Column("filled_at", "Time (ET)", "time"),
    Column("symbol", "Symbol", width="small"),
    Column("side", "Side", width="small"),
    Column("quantity", "Quantity", "quantity"),
    Column("price", "Price", "price"),
    Column("strategy", "Strategy"),
    Column("order_id", "Order", "id"),
)
SIGNALS = (
    Column("bar_ts", "Bar (ET)", "time"),
    Column("symbol", "Symbol", width="small"),
    Column("direction", "Direction", width="small"),
    Column("target_weight", "Target weight", "share"),
    Column("strategy", "Strategy"),
    Column("reason", "Reason", width="large"),
)


@page("Portfolio")
def draw() -> None:
    """Draw the page."""
    if not resources.accounts():
        empty(NOTHING_YET)
        return
    _figures()
    left, right = st.columns([2.3, 1], gap="medium")
    with left, guarded():
        _equity()
    with right, guarded():
        _allocation()
    section("Positions", "average cost, marked at the newest price")
    _positions()
    with guarded():
        _activity()


@st.fragment(run_every=10)
def _figures() -> None:
    """Draw the row of figures; it refreshes by itself while somebody looks."""
    with guarded():
        found = resources.portfolio()
        total = found["equity"]
        if total is None:
            opening = money(found["opening_equity"])
            empty(f"Account {found['account']} opened with {opening}; its first session is not closed yet.")
            return
        exposure = found["long_value"] + abs(found["short_value"])
        figures = (
            ("Equity", money(total), f"opened with {money(found['opening_equity'], places=0)}"),
            ("Day return", percent(found["day_return"], sign=True), _gain(total, found["day_return"])),
            ("Total return", percent(found["total_return"], sign=True), _gain(total, found["total_return"])),
            ("Cash", money(found["cash"]), f"{money(found['buying_power'], places=0)} buying power"),
            (
                "Gross exposure",
                percent(exposure / total if total else None),
                f"{money(exposure, places=0)} invested",
            ),
        )
        for cell, (name, value, note) in zip(st.columns(5, gap="small"), figures, strict=True):
            if "return" in name:
                cell.metric(name, value, delta=note)
            else:
                cell.metric(name, value, delta=note, delta_color="off", delta_arrow="off")


def _gain(total: float, returned: float | None) -> str | None:
    return None if returned is None else money(total - total / (1 + returned), sign=True).replace(MINUS, "-")


def _equity() -> None:
    points = resources.equity()
    if not points:
        empty("The curve begins with the first session: run `trading demo`.")
        return
    with st.container(key="equity-head", horizontal=True, vertical_alignment="center"):
        section("Equity and drawdown")
        chosen = st.segmented_control(
            "Range",
            list(RANGES),
            default="All",
            required=True,
            label_visibility="collapsed",
            key="portfolio-range",
        )
    days = RANGES[chosen or "All"]
    if days is not None:
        since = date.fromisoformat(str(points[-1]["session"])) - timedelta(days=days)
        points = [point for point in points if date.fromisoformat(str(point["session"])) >= since]
    figure = charts.equity(points, palette.current())
    first, last = float(points[0]["equity"]), float(points[-1]["equity"])
    alt = f"Equity from {money(first)} on {points[0]['session']} to {money(last)} on {points[-1]['session']}"
    charts.draw(figure, key="portfolio-equity", alt=alt)


def _allocation() -> None:
    found = resources.portfolio()
    with st.container(key="allocation-head"):
        section("Allocation", "share of equity")
    if found["equity"] is None:
        empty("Nothing is allocated yet.")
        return
    figure = charts.allocation(found["positions"], found["cash"], found["equity"], palette.current())
    charts.draw(figure, key="portfolio-allocation", alt="Share of equity in each symbol and in cash")


@st.fragment(run_every=15)
def _positions() -> None:
    """Draw the positions; they refresh by themselves while somebody looks."""
    with guarded():
        held = [row for row in resources.portfolio()["positions"] if float(row["quantity"])]
        show(
            held,
            POSITIONS,
            key="positions",
            empty="No positions yet: run `trading demo`, or wait for the next trading cycle.",
        )


def _activity() -> None:
    tabs = st.tabs(["Orders", "Fills", "Signals", "Trading state"], on_change="rerun", key="portfolio-tab")
    for tab, content in zip(tabs, (_orders, _fills, _signals, _trading_state), strict=True):
        if tab.open:
            with tab, guarded():
                content()


def _orders() -> None:
    columns = st.columns([1, 1, 3])
    status = columns[0].selectbox(
        "Status",
        ["open", "filled", "accepted", "new", "canceled", "rejected", "unknown"],
        index=None,
        placeholder="any status",
    )
    symbol = columns[1].text_input("Symbol", placeholder="any symbol").strip().upper()
    found = resources.orders(status=status, symbol=symbol or None)
    chosen = show(
        found,
        ORDERS,
        key="orders",
        empty="No orders here: they appear when a trading cycle has run, or no order matches the filter.",
        select=True,
        most_rows=8,
    )
    if chosen is None:
        if found:
            st.caption("Choose an order to see the decision behind it, from the bar to the fills.")
        return
    number = int(chosen["id"])
    show_lineage(resources.order(number), resources.trace(f"order:{number}"))


def _fills() -> None:
    show(
        resources.fills(),
        FILLS,
        key="fills",
        empty="No fills yet: an order fills from the session after its decision.",
    )


def _signals() -> None:
    found = resources.signals()
    show(
        found,
        SIGNALS,
        key="signals",
        empty="No signals yet: run the deployment `run-strategy` under Settings.",
    )


def _trading_state() -> None:
    found = resources.risk()
    state = found["trading_state"]
    left, right = st.columns([1, 1.6], gap="large")
    with left:
        if note := st.session_state.pop(NOTE, None):
            st.warning(str(note))
        _change_state(str(state["state"]))
        _flatten()
    with right:
        columns = (
            Column("changed_at", "Time (ET)", "time"),
            Column("old", "From", width="small"),
            Column("new", "To", width="small"),
            Column("reason", "Reason", width="large"),
            Column("changed_by", "By", width="small"),
        )
        show(found["changes"], columns, key="state-changes", empty="The trading state has never changed.")


def _change_state(current: str) -> None:
    with st.form("trading-state", border=True):
        options = list(STATE_MEANINGS)
        captions = [STATE_MEANINGS[name] for name in options]
        index = options.index(current) if current in options else 0
        chosen = st.radio("Trading state", options, index=index, captions=captions)
        reason = st.text_input("Reason", placeholder="why, for the record", max_chars=500).strip()
        sure = st.checkbox("I want to change what the system may trade.")
        if not st.form_submit_button("Change trading state", type="primary"):
            return
        if chosen == current:
            st.warning(f"Trading is {current} already.")
        elif not reason or not sure:
            st.warning("Give a reason and tick the box, then press again.")
        else:
            _told(lambda: resources.set_trading_state(chosen, reason), done=f"Trading is {chosen} now.")


def _flatten() -> None:
    with st.form("flatten", border=True):
        st.markdown("**Close everything**")
        st.caption("Trading halts, every open order is cancelled, and every position is closed with a market order.")
        reason = st.text_input("Reason", placeholder="why, for the record", max_chars=500, key="flatten-reason").strip()
        sure = st.checkbox("I want to sell everything, and buy back what is sold short.")
        if not st.form_submit_button("Close every position"):
            return
        if not reason or not sure:
            st.warning("Give a reason and tick the box, then press again.")
            return
        _told(lambda: resources.flatten(reason), done="Trading is HALTED; every position is being closed.")


def _told(change: Callable[[], resources.Row], *, done: str) -> None:
    """Make a change of the trading state; what the api says besides is shown with the new state."""

    def act() -> None:
        st.session_state[NOTE] = change().get("note")

    if attempt(act, done=done):
        st.rerun()
