"""Heat maps: the months' returns, and a metric over two parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import plotly.graph_objects as go

from dashboard.charts import curve, look
from dashboard.format import number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboard.palette import Palette
    from dashboard.resources import Row

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
HEADROOM = 1.6
"""The strongest month stays this far from the scale's end, so that its figure can be read on it."""


def monthly_returns(points: Sequence[Row]) -> pd.DataFrame:
    """Return the return of every month and year, in fractions: years down, months and `Year` across."""
    values = curve(points)["equity"]
    month_ends = values.groupby(pd.DatetimeIndex(values.index).to_period("M")).last()
    returns = month_ends.pct_change()
    returns.iloc[0] = month_ends.iloc[0] / values.iloc[0] - 1
    periods = pd.PeriodIndex(returns.index)
    table = pd.DataFrame({"return": returns.to_numpy(), "year": periods.year, "month": periods.month}, index=periods)
    grid = table.pivot_table(index="year", columns="month", values="return").reindex(columns=range(1, 13))
    grid.columns = pd.Index(MONTHS)
    grid["Year"] = (1 + table.set_index("year")["return"]).groupby(level=0).prod() - 1
    return grid


def monthly_heat_map(points: Sequence[Row], colours: Palette) -> go.Figure:
    """Return the months' returns as a heat map, newest year on top, every cell with its signed figure."""
    grid = monthly_returns(points).sort_index()
    most = float(grid.abs().max().max()) * HEADROOM or 1.0
    text = _written(grid * 100, places=1)
    scale = [[0.0, colours.down], [0.5, colours.surface], [1.0, colours.up]]
    figure = _heat(grid, text, scale, bounds=(-most, most))
    figure.update_xaxes(side="top")
    return look(figure, colours, height=80 + 36 * len(grid), left=60)


def research_heat_map(results: Sequence[Row], metric: str, across: str, down: str, colours: Palette) -> go.Figure:
    """Return the mean of a metric over two parameters of a research run."""
    table = pd.DataFrame(
        {
            "across": _axis([row["parameters"].get(across) for row in results]),
            "down": _axis([row["parameters"].get(down) for row in results]),
            "value": pd.to_numeric(
                pd.Series([row["metrics"].get(metric) for row in results], dtype="object"), errors="coerce"
            ),
        }
    )
    grid = table.pivot_table(index="down", columns="across", values="value", aggfunc="mean")
    scale = [[0.0, colours.surface], [1.0, colours.accent]]
    low, high = float(grid.min().min()), float(grid.max().max())
    figure = _heat(grid, _written(grid, places=2), scale, bounds=(low, high + (high - low or 1.0) * 0.6))
    figure.update_xaxes(title_text=across)
    figure.update_yaxes(title_text=down)
    return look(figure, colours, height=110 + 40 * len(grid), left=70)


def _axis(values: list[Any]) -> pd.Series[Any]:
    """Return parameter values as they sort: numbers as numbers, anything else as text."""
    numeric = all(isinstance(value, int | float) for value in values)
    return pd.Series(values if numeric else [str(value) for value in values])


def _written(grid: pd.DataFrame, *, places: int) -> list[list[str]]:
    return [
        ["" if pd.isna(value) else number(float(value), sign=True, places=places) for value in line]
        for line in grid.to_numpy()
    ]


def _heat(
    grid: pd.DataFrame, text: list[list[str]], scale: list[list[Any]], *, bounds: tuple[float, float]
) -> go.Figure:
    heat = go.Heatmap(
        z=grid.to_numpy(),
        x=[str(name) for name in grid.columns],
        y=[str(name) for name in grid.index],
        text=text,
        texttemplate="%{text}",
        colorscale=scale,
        zmin=bounds[0],
        zmax=bounds[1],
        showscale=False,
        xgap=2,
        ygap=2,
        hoverinfo="skip",
    )
    figure = go.Figure(heat)
    figure.update_xaxes(type="category", showgrid=False, ticks="")
    figure.update_yaxes(type="category", showgrid=False, ticks="", side="left")
    return figure
