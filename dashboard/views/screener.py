"""Screener: the universe at its latest bars, and one symbol's chart."""

from __future__ import annotations

import streamlit as st

from dashboard import charts, palette, resources
from dashboard.candlesticks import candles
from dashboard.format import bar_day, money, percent
from dashboard.frame import empty, guarded, page, section
from dashboard.tables import Column, show

TIMEFRAMES = ("1Day", "1Hour", "30Min", "15Min", "5Min", "1Min")
SPANS = {"3 months": 63, "6 months": 126, "1 year": 252, "2 years": 504}
FRACTIONS = ("volatility", "bollinger_percent", "bollinger_width")
AVERAGES = {"SMA 20": 20, "SMA 50": 50}
PRICES = {"Split-adjusted": "split", "Total return": "all", "As traded": "raw"}
COMPARISONS = {"above": 1, "below": -1}


@page("Screener")
def draw() -> None:
    """Draw the page."""
    with guarded():
        timeframe = _timeframe()
        found = resources.rows("/api/screener", timeframe=timeframe)
        if not found:
            empty("No tracked symbols: track some under Settings, then run the deployment `fetch-market-data`.")
            return
        names = sorted({name for row in found for name in row["indicators"]})
        kept = _filtered(found, names)
        chosen = _table(kept, names, timeframe)
        if kept:
            _symbol(str((chosen or kept[0])["symbol"]), timeframe)


def _timeframe() -> str:
    chosen = st.segmented_control(
        "Timeframe", TIMEFRAMES, default="1Day", required=True, label_visibility="collapsed", key="timeframe"
    )
    return chosen or "1Day"


def _filtered(found: list[resources.Row], names: list[str]) -> list[resources.Row]:
    cells = st.columns([1.4, 1.4, 1.4, 1, 1], vertical_alignment="bottom")
    text = cells[0].text_input("Symbol", placeholder="any symbol").strip().upper()
    sectors = sorted({str(row["sector"]) for row in found if row["sector"]})
    sector = cells[1].selectbox("Sector", sectors, index=None, placeholder="any sector")
    indicator = cells[2].selectbox("Indicator", names, index=None, placeholder="any value")
    comparison = cells[3].selectbox("is", list(COMPARISONS), disabled=indicator is None)
    level = cells[4].number_input("Level", value=0.0, format="%g", disabled=indicator is None)
    kept = [row for row in found if text in row["symbol"] and sector in (None, row["sector"])]
    if indicator is None:
        return kept
    return [row for row in kept if passes(row["indicators"].get(indicator), comparison, level)]


def passes(value: float | None, comparison: str, level: float) -> bool:
    """Return whether an indicator's value is on the asked side of a level; no value passes nothing."""
    return value is not None and (value - level) * COMPARISONS[comparison] > 0


def _table(kept: list[resources.Row], names: list[str], timeframe: str) -> resources.Row | None:
    columns = [
        Column("symbol", "Symbol", width="small"),
        Column("close", "Close", "price"),
        Column("change_1d", "Change", "signed_percent", help="since the session before, adjusted for splits"),
        Column("volume", "Volume", "quantity"),
        Column("sector", "Sector"),
        *[Column(name, name, "percent" if name.startswith(FRACTIONS) else "figure") for name in names],
        Column("bar_ts", "Bar", "day" if timeframe == "1Day" else "time"),
    ]
    rows = [{**row, **row["indicators"]} for row in kept]
    section("Latest bars", f"{len(kept)} symbols; sort by a heading, choose a row to see its chart")
    return show(rows, columns, key="screener", empty="No symbol passes the filter.", select=True)


def _symbol(symbol: str, timeframe: str) -> None:
    head, control = st.columns([2, 1.4], vertical_alignment="center")
    with control, st.container(horizontal=True, horizontal_alignment="right"):
        prices = st.selectbox("Prices", list(PRICES), label_visibility="collapsed", width=190)
        span = st.segmented_control(
            "Span", list(SPANS), default="6 months", required=True, label_visibility="collapsed"
        )
    limit = SPANS[span or "6 months"] + max(AVERAGES.values())
    bars = resources.bars(symbol, timeframe=timeframe, limit=limit, adjustment=PRICES[prices])
    with head:
        section(symbol, _summary(bars, timeframe, prices))
    whole = [bar for bar in bars if bar["close"] is not None]
    if not whole:
        empty(f"No {timeframe} bars of {symbol}: run the deployment `fetch-market-data` under Settings.")
        return
    figure = candles(whole, palette.current(), timeframe=timeframe, averages=AVERAGES, shown=SPANS[span or "6 months"])
    charts.draw(figure, key="candles", alt=f"Candlesticks and volume of {symbol}")
    _quality(symbol)


def _summary(bars: list[resources.Row], timeframe: str, prices: str) -> str:
    closes = [bar for bar in bars if bar["close"] is not None]
    if len(closes) < 2:  # noqa: PLR2004 - a change needs two closes
        return ""
    last, before = closes[-1], closes[-2]
    change = percent(float(last["close"]) / float(before["close"]) - 1, sign=True)
    return f"{money(last['close'])}, {change} on {bar_day(last['ts'], timeframe)}; {prices.lower()}"


def _quality(symbol: str) -> None:
    issues = [
        {**row, "bar": bar_day(row["ts"], row["timeframe"])}
        for row in resources.rows("/api/quality/issues", symbol=symbol, limit=100)
    ]
    section("Data quality", "what the checks found; quarantined bars are never traded on")
    columns = (
        Column("bar", "Bar"),
        Column("timeframe", "Timeframe", width="small"),
        Column("rule", "Rule"),
        Column("severity", "Severity", width="small"),
        Column("verdict", "Verdict"),
        Column("detail", "Detail", width="large"),
    )
    show(issues, columns, key="quality", empty=f"Nothing found against {symbol}'s bars.", most_rows=6)
