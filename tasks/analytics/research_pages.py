"""Pages of research: a map of tries, and an account out of sample."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tasks.analytics.tearsheet import LAYOUT, backtest_page, document, keep

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd
    import plotly.graph_objects as go

    from trading.backtest import BacktestResult

MOST_ROWS = 200


def sweep_page(run: int, name: str, rows: Sequence[Any], table: Sequence[Mapping[str, Any]], measure: str) -> Path:
    """Write the map and the ranked table of a sweep; return where."""
    content = document(
        f"Research on {name}",
        f"Research run {run}, {len(rows)} tries by {measure.replace('_', ' ')} ratio, annualised",
        figures=[],
        chart=_map(rows, measure),
        tables=[as_table("Ranked", table)],
    )
    return keep("research", f"{name}_{run}.html", content)


def walk_forward_page(run: int, name: str, result: BacktestResult, folds: Sequence[Mapping[str, Any]]) -> Path:
    """Write the account that a walk-forward's choices made out of sample; return where."""
    first, last = result.equity.index[0], result.equity.index[-1]
    subtitle = f"Research run {run}, out of sample {first} to {last}"
    content = backtest_page(f"Walk-forward of {name}", subtitle, result, [as_table("Folds", folds)])
    return keep("research", f"{name}_{run}.html", content)


def comparison_page(
    key: str, subtitle: str, curves: Mapping[str, pd.Series], table: Sequence[Mapping[str, Any]]
) -> Path:
    """Write the curves of strategies (USD by session) beside each other, and their figures; return where."""
    import plotly.graph_objects as go

    figure = go.Figure([go.Scatter(x=curve.index, y=curve.to_numpy(), name=name) for name, curve in curves.items()])
    figure.update_layout(**LAYOUT)
    content = document(
        "Strategies on equal terms", subtitle, figures=[], chart=figure, tables=[as_table("By Sharpe ratio", table)]
    )
    return keep("comparisons", f"{key}.html", content)


def as_table(title: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return rows as a page's table of text."""
    return {
        "title": title,
        "columns": list(rows[0]) if rows else [],
        "rows": [[_text(value) for value in row.values()] for row in rows[:MOST_ROWS]],
    }


def means_of(rows: Sequence[Any], down: str, across: str, measure: str) -> dict[tuple[Any, Any], float]:
    """Return the mean of a measure over the tries of each pair of values."""
    cells: dict[tuple[Any, Any], list[float]] = {}
    for row in rows:
        cells.setdefault((row.parameters[down], row.parameters[across]), []).append(row.metrics[measure])
    return {place: float(np.mean(values)) for place, values in cells.items()}


def _map(rows: Sequence[Any], measure: str) -> go.Figure | None:
    names = list(rows[0].parameters) if rows else []
    if len(names) < 2:  # noqa: PLR2004 - a map has two axes
        return None
    import plotly.graph_objects as go

    down, across = names[:2]
    means = means_of(rows, down, across, measure)
    lines, columns = (sorted({place[axis] for place in means}) for axis in (0, 1))
    cells = [[means.get((line, column)) for column in columns] for line in lines]
    heat = go.Heatmap(z=cells, x=[str(value) for value in columns], y=[str(value) for value in lines])
    figure = go.Figure(heat)
    figure.update_layout(**LAYOUT)
    figure.update_xaxes(type="category", title_text=across)
    figure.update_yaxes(type="category", title_text=down)
    return figure


def _text(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:,.4f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
