"""Metrics, the equity curve and the months of a scope."""

from __future__ import annotations

from dashboard import charts, facts, palette, resources
from dashboard.client import ApiError
from dashboard.frame import empty, section
from dashboard.heat_maps import monthly_heat_map
from dashboard.views.analysis.scope import pick

NOT_FOUND = 404
NOT_YET = "No performance yet: run `trading demo`, or the deployment `calculate-performance` under Settings."


def draw() -> None:
    """Draw the tab."""
    scope = pick("performance")
    found = _metrics(scope)
    points = resources.equity(scope)
    if found is None or not points:
        empty(NOT_YET)
        return
    section(
        "Metrics",
        f"{found['period_start']} to {found['period_end']}, benchmark {found['benchmark'] or 'none'}",
    )
    facts.show_metrics(found["metrics"])
    colours = palette.current()
    section("Equity and drawdown")
    figure = charts.equity(points, colours, benchmark=found["benchmark"])
    charts.draw(figure, key="analysis-equity", alt=f"Equity, benchmark and drawdown of {scope}")
    section("Monthly returns", "per cent; the last column is the year's")
    charts.draw(monthly_heat_map(points, colours), key="analysis-months", alt="Return of every month")


def _metrics(scope: str) -> resources.Row | None:
    try:
        return resources.performance(scope)
    except ApiError as error:
        if error.status == NOT_FOUND:
            return None
        raise
