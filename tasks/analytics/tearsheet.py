"""The HTML tearsheet: one file that opens anywhere, its chart included."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from trading.config import settings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    import pandas as pd
    import plotly.graph_objects as go

    from trading.backtest import BacktestResult

TEMPLATES = Path(__file__).with_name("templates")
FIGURES = {
    "final_equity": ("Equity", "{:,.2f}"),
    "total_return": ("Return", "{:+.2%}"),
    "cagr": ("CAGR", "{:+.2%}"),
    "volatility": ("Volatility", "{:.2%}"),
    "sharpe": ("Sharpe", "{:.2f}"),
    "sortino": ("Sortino", "{:.2f}"),
    "max_drawdown": ("Max drawdown", "{:.2%}"),
    "calmar": ("Calmar", "{:.2f}"),
    "positive_days": ("Positive days", "{:.1%}"),
    "var_95": ("VaR 95 %", "{:.2%}"),
    "cvar_95": ("CVaR 95 %", "{:.2%}"),
    "beta": ("Beta", "{:.2f}"),
}
SHOWN = 50
LAYOUT: dict[str, Any] = {
    "height": 480,
    "margin": {"l": 10, "r": 10, "t": 20, "b": 10},
    "template": "plotly_white",
}


def tearsheet(account: str, start: date, end: date, tables: dict[str, pd.DataFrame]) -> bytes:
    """Return the tearsheet of a period as UTF-8 HTML."""
    performance = tables["performance"]
    portfolio = performance[performance["scope"] == "portfolio"] if len(performance) else performance
    trips = tables["round_trips"]
    return page(
        f"Account {account}",
        f"Sessions {start} to {end}",
        figures={str(name): value for name, value in portfolio.iloc[0].items()} if len(portfolio) else {},
        equity=tables["equity"],
        tables=[
            _table("By scope", performance, ["scope", *list(FIGURES)]),
            _table("Latest round trips", trips.tail(SHOWN), TRIP_COLUMNS),
            _table("Positions", tables["positions"], POSITION_COLUMNS),
        ],
    )


def backtest_page(title: str, subtitle: str, result: BacktestResult, tables: Sequence[dict[str, Any]] = ()) -> bytes:
    """Return a backtest's equity beside its benchmark, its drawdown, metrics, trades and refused orders as HTML.

    `tables` (title, columns, rows of text) come before its own.
    """
    import pandas as pd

    curve, benchmark = result.equity, result.benchmark
    level = [None] * len(curve) if benchmark is None else benchmark.to_numpy()
    equity = {"session": curve.index, "equity": curve.to_numpy(), "benchmark": level}
    drawdown = curve.to_numpy() / curve.cummax().to_numpy() - 1
    assumed = {"title": "Assumptions", "columns": [""], "rows": [[words] for words in result.assumptions]}
    return page(
        title,
        subtitle,
        figures={**result.metrics.as_dict(), "final_equity": float(curve.iloc[-1])},
        equity=pd.DataFrame({**equity, "drawdown": drawdown}),
        tables=[
            *tables,
            _table("Latest round trips", result.trades.tail(SHOWN), [*result.trades.columns]),
            _table("Latest refused orders", result.refused.tail(SHOWN), [*result.refused.columns]),
            assumed,
        ],
    )


def page(
    title: str, subtitle: str, *, figures: dict[str, Any], equity: pd.DataFrame, tables: list[dict[str, Any]]
) -> bytes:
    """Return a page of figures, a chart and tables as UTF-8 HTML; `equity` has session, equity, benchmark, drawdown."""
    shown = [(label, _number(figures.get(name), style)) for name, (label, style) in FIGURES.items()]
    return document(title, subtitle, figures=shown, chart=_curves(equity), tables=tables)


def document(
    title: str,
    subtitle: str,
    *,
    figures: Sequence[tuple[str, str]],
    chart: go.Figure | None,
    tables: Sequence[dict[str, Any]],
) -> bytes:
    """Return labelled figures, a chart and tables of text as UTF-8 HTML that needs no other file."""
    import jinja2
    from markupsafe import Markup

    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True)
    drawn = "" if chart is None else chart.to_html(full_html=False, include_plotlyjs=True, div_id="equity")
    content = environment.get_template("tearsheet.html").render(
        title=title,
        subtitle=subtitle,
        figures=figures,
        chart=Markup(drawn),  # noqa: S704 - plotly's own
        tables=tables,
    )
    return content.encode()


def keep(folder: str, name: str, content: bytes) -> Path:
    """Write a page below the reports of TRADING_HOME, whole or not at all; return where it is."""
    place = settings().home / "reports" / folder
    place.mkdir(parents=True, exist_ok=True)
    partial = place / f"{name}.partial"
    partial.write_bytes(content)
    return partial.replace(place / name)


TRIP_COLUMNS = ["strategy", "symbol", "quantity", "entry_at", "exit_at", "pnl", "rate_of_return", "exit_reason"]
POSITION_COLUMNS = ["strategy", "symbol", "quantity", "average_cost", "market_price", "unrealised_pnl", "realised_pnl"]


def _number(value: Any, style: str) -> str:
    return "-" if value is None or value != value else style.format(value)  # noqa: PLR0124 - NaN is not itself


def _table(title: str, frame: pd.DataFrame, columns: list[str]) -> dict[str, Any]:
    present = [name for name in columns if name in frame]
    rows = [[_shown(name, value) for name, value in zip(present, row, strict=True)] for row in _rows(frame, present)]
    return {
        "title": title,
        "columns": [FIGURES.get(name, (name.replace("_", " "),))[0] for name in present],
        "rows": rows,
    }


def _rows(frame: pd.DataFrame, columns: list[str]) -> Any:
    return frame[columns].itertuples(index=False, name=None)


def _shown(name: str, value: Any) -> str:
    if name in FIGURES:
        return _number(value, FIGURES[name][1])
    if isinstance(value, float):
        return _number(value, "{:+.2%}" if name == "rate_of_return" else "{:,.2f}")
    return f"{value:%Y-%m-%d}" if hasattr(value, "strftime") else str(value)


def _curves(equity: pd.DataFrame) -> go.Figure | None:
    """Return equity, benchmark and drawdown as a Plotly chart."""
    if equity.empty:
        return None
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    figure = make_subplots(rows=2, shared_xaxes=True, row_heights=[0.7, 0.3], vertical_spacing=0.04)
    for name in ("equity", "benchmark"):
        if equity[name].notna().any():
            figure.add_trace(go.Scatter(x=equity["session"], y=equity[name], name=name), row=1, col=1)
    falls = go.Scatter(x=equity["session"], y=equity["drawdown"], name="drawdown", fill="tozeroy")
    figure.add_trace(falls, row=2, col=1)
    figure.update_yaxes(tickformat=".1%", row=2, col=1)
    figure.update_layout(**LAYOUT)
    return figure
