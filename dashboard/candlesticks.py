"""A symbol's bars as candlesticks with volume."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dashboard.charts import look
from dashboard.format import NEW_YORK, moment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dashboard.palette import Palette
    from dashboard.resources import Row

DAILY = "1Day"
SMALL = 320


def candles(
    bars: Sequence[Row],
    colours: Palette,
    *,
    timeframe: str = DAILY,
    averages: Mapping[str, int] | None = None,
    shown: int | None = None,
) -> go.Figure:
    """Return candlesticks with volume; rising bars are hollow, bars with a quality flag carry a mark.

    `averages` names simple moving averages of the close and their number of bars; they are taken over all
    bars, of which the last `shown` are drawn.
    """
    every = _bars(bars, timeframe)
    data = every.tail(shown or len(every))
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.78, 0.22], vertical_spacing=0.03)
    figure.add_trace(_prices(data, colours), row=1, col=1)
    for position, (name, length) in enumerate((averages or {}).items()):
        line = {"color": colours.series[position], "width": 1.3}
        average = every["close"].rolling(length).mean().tail(len(data))
        trace = go.Scatter(x=data.index, y=average, name=name, line=line, hovertemplate="%{y:,.2f}")
        figure.add_trace(trace, row=1, col=1)
    flagged = data[data["quality"].isin(["suspect", "quarantined"])]
    if len(flagged):
        figure.add_trace(_flags(flagged, colours), row=1, col=1)
    figure.add_trace(_volume(data, colours), row=2, col=1)
    figure.update_xaxes(rangeslider_visible=False)
    if timeframe == DAILY:
        figure.update_xaxes(rangebreaks=_closed_days(data.index))
    else:
        figure.update_xaxes(type="category", nticks=8)
    figure.update_yaxes(tickformat=",.2f", row=1, col=1)
    figure.update_yaxes(nticks=3, showgrid=False, row=2, col=1)
    figure.update_layout(hovermode="x unified")
    return look(figure, colours, height=460, legend=bool(averages))


def around(bars: Sequence[Row], ts: str, colours: Palette, *, timeframe: str = DAILY) -> go.Figure:
    """Return small candlesticks with a dotted line at the bar that starts at `ts`, be it there or missing."""
    nothing = dict.fromkeys(("open", "high", "low", "close", "volume", "quality"))
    missing = [] if any(bar["ts"] == ts for bar in bars) else [{"ts": ts, **nothing}]
    every = sorted([*bars, *missing], key=lambda bar: moment(bar["ts"]))
    figure = candles(every, colours, timeframe=timeframe)
    place = _bars([{"ts": ts}], timeframe).index[0]
    figure.add_vline(x=place, line={"color": colours.accent, "width": 1.3, "dash": "dot"}, layer="below")
    return figure.update_layout(height=SMALL)


def _bars(bars: Sequence[Row], timeframe: str) -> pd.DataFrame:
    data = pd.DataFrame(list(bars))
    times = pd.to_datetime(data["ts"], utc=True).dt.tz_convert(NEW_YORK).dt.tz_localize(None)
    data.index = pd.DatetimeIndex(times) if timeframe == DAILY else pd.Index(times.dt.strftime("%m-%d %H:%M"))
    return data.drop(columns="ts").sort_index() if timeframe == DAILY else data.drop(columns="ts")


def _closed_days(index: pd.Index[Any]) -> list[dict[str, Any]]:
    """Return the days without a bar, weekends and holidays alike, as Plotly's breaks of a time axis."""
    days = pd.DatetimeIndex(index).normalize()
    closed = pd.date_range(days.min(), days.max(), freq="D").difference(days)
    return [{"values": [f"{day:%Y-%m-%d}" for day in closed]}] if len(closed) else []


def _prices(data: pd.DataFrame, colours: Palette) -> go.Candlestick:
    return go.Candlestick(
        x=data.index,
        open=data["open"],
        high=data["high"],
        low=data["low"],
        close=data["close"],
        name="Price",
        increasing={"line": {"color": colours.up, "width": 1}, "fillcolor": "rgba(0,0,0,0)"},
        decreasing={"line": {"color": colours.down, "width": 1}, "fillcolor": colours.down},
        showlegend=False,
    )


def _volume(data: pd.DataFrame, colours: Palette) -> go.Bar:
    return go.Bar(
        x=data.index,
        y=data["volume"],
        name="Volume",
        marker_color=colours.muted,
        opacity=0.5,
        showlegend=False,
    )


def _flags(flagged: pd.DataFrame, colours: Palette) -> go.Scatter:
    return go.Scatter(
        x=flagged.index,
        y=flagged["high"] * 1.02,
        mode="markers",
        name="Quality flag",
        text=flagged["quality"],
        marker={"symbol": "triangle-down", "size": 10, "color": colours.caution},
        hovertemplate="%{text}<extra>Quality</extra>",
    )
