from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.deployments.data.conftest import Data

START, END = date(2012, 8, 13), date(2012, 11, 30)


def test_lives_are_set_renamed_and_shown(data: Data) -> None:
    assert "no lives are recorded" in data.run("lives", "show").output

    data.run("lives", "set", "fb", "--listed", "2012-05-18", "--name", "Facebook")
    data.run("lives", "rename", "FB", "META", "--on", "2022-06-09")
    shown = data.run("lives", "set", "META", "--listed", "2021-06-30", "--delisted", "2022-01-28", "--name", "Fund")

    assert shown.exit_code == 0
    rows = data.json("lives", "show")
    assert [(row["symbol"], row["listed"], row["delisted"], row["ended by"], row["name"]) for row in rows] == [
        ("FB", "2012-05-18", "2022-06-08", "renamed", "Facebook"),
        ("META", "2021-06-30", "2022-01-28", "delisted", "Fund"),
        ("META", "2022-06-09", None, None, None),
    ]
    assert rows[0]["asset"] == rows[2]["asset"] != rows[1]["asset"]
    assert [row["symbol"] for row in data.json("lives", "show", "FB")] == ["FB"]


def test_what_makes_no_sense_is_one_line(data: Data) -> None:
    data.run("lives", "set", "FB", "--listed", "2012-05-18")

    assert data.run("lives", "set", "FB").exit_code == 2
    assert data.run("lives", "rename", "FB", "fb", "--on", "2022-06-09").exit_code == 2
    answer = data.run("lives", "set", "FB", "--delisted", "2012-05-17", "--listed", "2012-05-18")
    assert (answer.exit_code, answer.output.count("\n")) == (1, 1)
    assert "last day is '2012-05-17'; expected 2012-05-18 or later" in answer.output
    assert [row["delisted"] for row in data.json("lives", "show")] == [None]


def test_a_delisted_symbol_has_no_gaps_after_its_last_day(data: Data) -> None:
    data.plant_sessions("AAPL", START, END)
    data.plant_sessions("GONE", START, date(2012, 11, 1), without=[date(2012, 9, 4)])
    assert [gap["first"][:10] for gap in data.json("gaps")["gaps"]] == ["2012-11-02", "2012-09-04"]

    data.run("lives", "set", "GONE", "--delisted", "2012-11-01")

    assert [gap["first"][:10] for gap in data.json("gaps")["gaps"]] == ["2012-09-04"]
    assert [gap["first"][:10] for gap in data.json("gaps", "--start", "2012-08-13")["gaps"]] == ["2012-09-04"]


def test_gaps_of_a_date_are_those_of_its_company(data: Data) -> None:
    data.plant_sessions("T", START, date(2012, 9, 14), without=[date(2012, 9, 4)])
    data.plant_sessions("T", date(2012, 11, 1), END, without=[date(2012, 11, 6)])
    assert len(data.json("gaps")["gaps"]) == 3, "one of them between the companies"

    data.run("lives", "set", "T", "--delisted", "2012-09-14")
    data.run("lives", "set", "T", "--listed", "2012-11-01")

    assert [gap["first"][:10] for gap in data.json("gaps")["gaps"]] == ["2012-11-06"]
    assert [gap["first"][:10] for gap in data.json("gaps", "--end", "2012-09-28")["gaps"]] == ["2012-09-04"]


def test_a_rename_is_one_series_without_a_gap(data: Data) -> None:
    data.plant_sessions("FB", START, date(2012, 9, 28), without=[date(2012, 9, 4)])
    data.plant_sessions("META", date(2012, 10, 1), END)

    data.run("lives", "rename", "FB", "META", "--on", "2012-10-01")

    (gap,) = data.json("gaps")["gaps"]
    assert (gap["symbol"], gap["first"][:10], gap["bars"]) == ("META", "2012-09-04", 1)
    (earlier,) = data.json("gaps", "--end", "2012-09-28")["gaps"]
    assert (earlier["symbol"], earlier["first"][:10]) == ("FB", "2012-09-04")
    shown = data.json("show", "META", "--start", "2012-08-13")
    assert [shown["bars"][0]["ts"][:10], shown["bars"][-1]["ts"][:10]] == ["2012-08-13", "2012-11-30"]
    assert len(data.json("show", "META", "--end", "2012-09-28", "--start", "2012-09-25")["bars"]) == 4
