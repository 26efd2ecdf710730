"""Tables: rows of the api as typed, aligned columns with New York times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd
import streamlit as st

from dashboard import palette
from dashboard.format import NOTHING, figure, moment, number, percent, quantity

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from pandas.io.formats.style import Styler

    from dashboard.palette import Palette
    from dashboard.resources import Row

Kind = Literal[
    "text", "id", "money", "signed_money", "price", "percent", "signed_percent", "quantity", "ratio", "figure",
    "time", "day", "flag", "list", "share",
]  # fmt: skip
Width = Literal["small", "medium", "large"]

NUMERIC: dict[str, Callable[[Any], str]] = {
    "id": lambda value: f"{value:.0f}",
    "money": number,
    "signed_money": lambda value: number(value, sign=True),
    "price": number,
    "ratio": number,
    "percent": percent,
    "signed_percent": lambda value: percent(value, sign=True),
    "quantity": quantity,
    "figure": lambda value: figure(float(value)),
    "share": lambda value: percent(value, places=1),
}
"""How a column of each numeric kind is written."""

SIGNED = ("signed_money", "signed_percent")
ROW_HEIGHT = 32


@dataclass(frozen=True)
class Column:
    """One column: where its value is in a row, its heading, and how the value reads."""

    key: str
    title: str
    kind: Kind = "text"
    width: Width | int | None = None
    help: str | None = None


def frame(found: Sequence[Row], columns: Sequence[Column]) -> pd.DataFrame:
    """Return rows as a frame whose columns carry the headings; times are naive New York time."""
    return pd.DataFrame(
        {column.title: _series([row.get(column.key) for row in found], column.kind) for column in columns}
    )


def styled(data: pd.DataFrame, columns: Sequence[Column], colours: Palette) -> Styler:
    """Return a frame with figures written out and signed figures coloured by their sign."""
    styler = data.style
    for column in columns:
        if column.kind in NUMERIC:
            styler = styler.format(NUMERIC[column.kind], subset=[column.title], na_rep=NOTHING)
    signed: list[Hashable] = [column.title for column in columns if column.kind in SIGNED]
    if signed:
        styler = styler.map(lambda value: _sign_colour(value, colours), subset=signed)
    return styler


def show(
    found: Sequence[Row],
    columns: Sequence[Column],
    *,
    key: str,
    empty: str,
    select: bool = False,
    most_rows: int = 12,
) -> Row | None:
    """Draw a table, or the sentence `empty`; with `select`, return the row a person chose.

    A table taller than `most_rows` scrolls inside itself.
    """
    if not found:
        st.caption(empty)
        return None
    data = frame(found, columns)
    options: dict[str, Any] = {
        "hide_index": True,
        "column_config": {column.title: _config(column) for column in columns},
        "height": "content" if len(found) <= most_rows else ROW_HEIGHT * (most_rows + 1) + 3,
        "row_height": ROW_HEIGHT,
        "key": key,
        "placeholder": NOTHING,
    }
    drawn = styled(data, columns, palette.current())
    if not select:
        st.dataframe(drawn, **options)
        return None
    event = st.dataframe(drawn, on_select="rerun", selection_mode="single-row", **options)
    chosen: list[int] = event["selection"]["rows"]
    return found[chosen[0]] if chosen and chosen[0] < len(found) else None


def _series(values: list[Any], kind: Kind) -> pd.Series[Any]:
    if kind in NUMERIC:
        return pd.Series(pd.to_numeric(pd.Series(values, dtype="object"), errors="coerce"), dtype="float64")
    if kind == "time":
        times = [moment(value).replace(tzinfo=None) if value else None for value in values]
        return pd.Series(times, dtype="datetime64[s]")
    if kind == "day":
        return pd.Series([pd.Timestamp(str(value)[:10]) if value else None for value in values], dtype="datetime64[s]")
    if kind == "flag":
        return pd.Series([bool(value) for value in values], dtype="bool")
    if kind == "list":
        return pd.Series([", ".join(map(str, value or ())) for value in values], dtype="object")
    return pd.Series([NOTHING if value is None else str(value) for value in values], dtype="object")


def _config(column: Column) -> Any:
    shared: dict[str, Any] = {"width": column.width, "help": column.help}
    if column.kind in NUMERIC:
        return st.column_config.NumberColumn(alignment="right", **shared)
    if column.kind == "time":
        return st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm", **shared)
    if column.kind == "day":
        return st.column_config.DateColumn(format="YYYY-MM-DD", **shared)
    if column.kind == "flag":
        return st.column_config.CheckboxColumn(**shared)
    return st.column_config.TextColumn(**shared)


def _sign_colour(value: object, colours: Palette) -> str:
    if not isinstance(value, float) or pd.isna(value) or value == 0:
        return ""
    return f"color: {colours.up if value > 0 else colours.down}"
