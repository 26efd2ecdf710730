"""Plotly figures: plain data in, a figure in the project's look out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from plotly.subplots import make_subplots

from dashboard.format import money, percent, words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dashboard.palette import Palette
    from dashboard.resources import Row

FONT = "Source Sans, Source Sans Pro, system-ui, sans-serif"
SHALLOW = -0.02
"""A deepest drawdown above this needs tenths of a per cent on its axis."""


def draw(figure: go.Figure, *, key: str, alt: str) -> None:
    """Put a figure on the page; `alt` says in words what it shows."""
    config = {"displayModeBar": False, "scrollZoom": False}
    st.plotly_chart(figure, theme=None, key=key, config=config, alt=alt)


def equity(points: Sequence[Row], colours: Palette, *, benchmark: str | None = None, height: int = 380) -> go.Figure:
    """Return an equity curve in USD over its drawdown.

    Points have `session`, `equity` and maybe `benchmark` and `drawdown`; the benchmark is rebased to the
    first equity, a missing drawdown is computed from the curve's own peaks.
    """
    data = curve(points)
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.74, 0.26], vertical_spacing=0.045)
    if data["benchmark"].notna().any():
        name = f"Benchmark {benchmark}" if benchmark else "Benchmark"
        look_of_line = {"color": colours.muted, "width": 1.3, "dash": "dot"}
        figure.add_trace(_money_line(rebased(data), name, look_of_line), row=1, col=1)
    figure.add_trace(_money_line(data["equity"], "Equity", {"color": colours.accent, "width": 2}), row=1, col=1)
    figure.add_trace(_drawdown_area(data["drawdown"], colours), row=2, col=1)
    form = ".1%" if data["drawdown"].min() > SHALLOW else ".0%"
    figure.update_yaxes(tickformat="$,.0f", row=1, col=1)
    figure.update_yaxes(tickformat=form, nticks=4, rangemode="tozero", row=2, col=1)
    figure.update_layout(hovermode="x unified")
    return look(figure, colours, height=height, legend=True)


def allocation(
    positions: Sequence[Row], cash: float, total: float, colours: Palette, *, height: int = 380
) -> go.Figure:
    """Return the share of `total` equity that each symbol and the cash make, the largest symbol on top."""
    by_symbol: dict[str, float] = {}
    for position in positions:
        symbol = str(position["symbol"])
        by_symbol[symbol] = by_symbol.get(symbol, 0.0) + float(position["market_value"] or 0.0)
    ordered = sorted(by_symbol.items(), key=lambda pair: abs(pair[1]))
    values = [cash, *[value for _, value in ordered]]
    shares = [value / total if total else 0.0 for value in values]
    bars = go.Bar(
        x=shares,
        y=["Cash", *[symbol for symbol, _ in ordered]],
        orientation="h",
        width=0.6,
        marker_color=[colours.line, *[colours.accent] * len(ordered)],
        text=[percent(share, places=1) for share in shares],
        textposition="outside",
        cliponaxis=False,
        customdata=[money(value) for value in values],
        hovertemplate="%{y}: %{customdata}<extra></extra>",
    )
    figure = go.Figure(bars)
    figure.update_xaxes(visible=False, range=[min(0.0, *shares) * 1.3, max(0.01, *shares) * 1.25])
    figure.update_yaxes(side="left", showgrid=False, ticksuffix="  ")
    return look(figure, colours, height=height)


def breakdown(buckets: Sequence[Row], colours: Palette) -> go.Figure:
    """Return the profit of round trips per bucket, signed in the label as well as by colour."""
    values = [float(bucket["pnl"]) for bucket in buckets]
    names = [str(bucket["bucket"]) for bucket in buckets]
    bars = go.Bar(
        x=[name if name.isupper() else words(name) for name in names],
        y=values,
        marker_color=[colours.up if value >= 0 else colours.down for value in values],
        text=[money(value, sign=True, places=0) for value in values],
        textposition="outside",
        cliponaxis=False,
        customdata=[f"{bucket['trades']} round trips, {bucket['winners']} won" for bucket in buckets],
        hovertemplate="%{x}: %{y:$,.2f}<br>%{customdata}<extra></extra>",
    )
    figure = go.Figure(bars)
    figure.update_xaxes(type="category", showgrid=False)
    figure.update_yaxes(tickformat="$,.0f")
    return look(figure, colours, height=300)


def exposure(history: Sequence[Row], colours: Palette) -> go.Figure:
    """Return gross and net exposure, fractions of equity, over risk snapshots, oldest first."""
    times = [str(snapshot["at"]) for snapshot in history]
    figure = go.Figure()
    for name, column, colour in (
        ("Gross", "gross_exposure", colours.series[0]),
        ("Net", "net_exposure", colours.series[1]),
    ):
        values = [snapshot[column] for snapshot in history]
        dash = "solid" if name == "Gross" else "dot"
        trace_line = {"color": colour, "width": 1.6, "dash": dash}
        figure.add_trace(go.Scatter(x=times, y=values, name=name, line=trace_line))
    figure.update_yaxes(tickformat=".0%", rangemode="tozero", nticks=5)
    figure.update_layout(hovermode="x unified")
    return look(figure, colours, height=200, legend=True)


def curve(points: Sequence[Row]) -> pd.DataFrame:
    """Return equity points as a frame by session with `equity`, `benchmark` and `drawdown`."""
    data = pd.DataFrame(list(points)).set_index("session").sort_index()
    data.index = pd.DatetimeIndex(data.index)
    for name in ("equity", "benchmark", "drawdown"):
        data[name] = pd.to_numeric(data[name], errors="coerce") if name in data else float("nan")
    if data["drawdown"].isna().any():
        data["drawdown"] = data["equity"] / data["equity"].cummax() - 1
    return data


def rebased(data: pd.DataFrame) -> pd.Series[float]:
    """Return the benchmark of a curve, scaled to equal the equity where the benchmark begins."""
    known = data[data["benchmark"].notna()]
    return data["benchmark"] * float(known["equity"].iloc[0] / known["benchmark"].iloc[0])


def look(figure: go.Figure, colours: Palette, *, height: int, legend: bool = False, left: int = 14) -> go.Figure:
    """Return the figure in the project's look: no box, thin grid, prices on the right."""
    figure.update_layout(
        height=height,
        margin={"l": left, "r": 14, "t": 34 if legend else 16, "b": 12},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        showlegend=legend,
        bargap=0.35,
        font={"family": FONT, "size": 13, "color": colours.ink},
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "font": {"size": 12}},
        hoverlabel={"bgcolor": colours.surface, "bordercolor": colours.line, "font": {"color": colours.ink}},
    )
    axis: Mapping[str, Any] = {
        "gridcolor": colours.line,
        "linecolor": colours.line,
        "zeroline": False,
        "automargin": True,
        "tickfont": {"color": colours.muted, "size": 12},
        "title_font": {"color": colours.muted, "size": 12},
    }
    figure.update_xaxes(**axis)
    figure.update_yaxes(**axis)
    figure.for_each_yaxis(lambda item: item.update(side=item.side or "right"))
    return figure


def _money_line(values: pd.Series[float], name: str, look_of_line: Mapping[str, Any]) -> go.Scatter:
    hover = "%{y:$,.0f}<extra>%{fullData.name}</extra>"
    return go.Scatter(x=values.index, y=values, name=name, line=look_of_line, hovertemplate=hover)


def _drawdown_area(values: pd.Series[float], colours: Palette) -> go.Scatter:
    return go.Scatter(
        x=values.index,
        y=values,
        name="Drawdown",
        fill="tozeroy",
        fillcolor=colours.down_soft,
        line={"color": colours.down, "width": 1.2},
        hovertemplate="%{y:.2%}<extra>Drawdown</extra>",
        showlegend=False,
    )
