from __future__ import annotations

from typing import Any

import pandas as pd

from dashboard.palette import LIGHT
from dashboard.tables import Column, frame, styled

COLUMNS = (
    Column("symbol", "Symbol"),
    Column("at", "Time (ET)", "time"),
    Column("session", "Session", "day"),
    Column("pnl", "Profit", "signed_money"),
    Column("weight", "Weight", "share"),
    Column("tags", "Tags", "list"),
    Column("tracked", "Tracked", "flag"),
)
ROWS: list[dict[str, Any]] = [
    {
        "symbol": "IBM",
        "at": "2012-07-02T20:00:00Z",
        "session": "2012-07-02",
        "pnl": -1234.5,
        "weight": 0.25,
        "tags": ["a", "b"],
        "tracked": True,
    },
    {"symbol": None, "at": None, "session": None, "pnl": None, "weight": None, "tags": None, "tracked": False},
]


def test_times_stand_in_new_york_without_a_zone() -> None:
    data = frame(ROWS, COLUMNS)
    assert data.loc[0, "Time (ET)"] == pd.Timestamp("2012-07-02 16:00")
    assert data.loc[0, "Session"] == pd.Timestamp("2012-07-02")
    assert data["Time (ET)"].isna().tolist() == [False, True]


def test_absent_values_read_as_absent() -> None:
    data = frame(ROWS, COLUMNS)
    assert data.loc[1, "Symbol"] == "\u2013"
    assert data["Profit"].isna().tolist() == [False, True]
    assert data["Tags"].tolist() == ["a, b", ""]
    assert data["Tracked"].tolist() == [True, False]


def test_a_loss_is_signed_and_coloured_and_stays_a_number() -> None:
    data = frame(ROWS, COLUMNS)
    page = styled(data, COLUMNS, LIGHT).to_html()
    assert "\u22121,234.50" in page
    assert "25.0 %" in page
    assert LIGHT.down in page
    assert data["Profit"].dtype == "float64"
