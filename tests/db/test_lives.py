from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from db.repositories import ingestion
from db.repositories.lives import change, end_life, lives, record_life, rename
from db.repositories.spells import Spell, spells
from tests.db.conftest import begin
from trading.calendar import FIRST_DAY
from trading.errors import DataError, InvalidValueError

if TYPE_CHECKING:
    from sqlalchemy import Engine

DAY = timedelta(days=1)
SOLD, TAKEN = date(2005, 11, 18), date(2012, 6, 1)
"""T: the old company under a ticker goes, and years later another one takes it."""


def test_a_symbol_without_a_life_is_one_asset_for_ever(engine: Engine) -> None:
    with engine.begin() as connection:
        assert spells(connection, ["A"], SOLD) == {"A": (Spell(None, None, "A"),)}


def test_a_ticker_of_two_companies_means_the_one_of_the_day(engine: Engine) -> None:
    with engine.begin() as connection:
        old = record_life(connection, "T", first_day=date(1984, 1, 3), last_day=SOLD, reason="merged")
        new = record_life(connection, "T", first_day=TAKEN)

        assert old != new
        before, after = (spells(connection, ["T"], day)["T"] for day in (SOLD, TAKEN))
        between = spells(connection, ["T"], TAKEN - DAY)["T"]

    assert before == (Spell(date(1984, 1, 3), SOLD, "T"),)
    assert after == (Spell(TAKEN, None, "T"),)
    assert between == before, "a backtest that ends after the delisting still has the bars"


def test_a_rename_keeps_the_asset_and_reaches_back(engine: Engine) -> None:
    with engine.begin() as connection:
        asset = record_life(connection, "FB", first_day=date(2012, 5, 18))
        assert rename(connection, "FB", "META", first_day=date(2022, 6, 9)) == asset

        later = spells(connection, ["META", "FB"], date(2022, 6, 9))
        earlier = spells(connection, ["META", "FB"], date(2022, 6, 8))

    as_fb = (
        Spell(date(2012, 5, 18), date(2022, 6, 8), "FB"),
        Spell(date(2012, 5, 18), date(2022, 6, 8), "META", borne=False),
    )
    pieces = (*as_fb, Spell(date(2022, 6, 9), None, "META"))
    assert later == {"META": pieces, "FB": pieces}
    assert earlier == {"META": as_fb, "FB": as_fb}, "the broker files the history under the name of today"


def test_a_new_name_does_not_reach_into_the_days_of_another_company(engine: Engine) -> None:
    """META was the ticker of the Roundhill Ball Metaverse ETF until 2022-01-30; Facebook took it on 2022-06-09."""
    with engine.begin() as connection:
        record_life(connection, "FB", first_day=date(2012, 5, 18))
        rename(connection, "FB", "META", first_day=date(2022, 6, 9))
        record_life(connection, "META", first_day=date(2021, 6, 30), last_day=date(2022, 1, 28), reason="delisted")
        facebook = spells(connection, ["META"], date(2022, 7, 1))["META"]
        fund = spells(connection, ["META"], date(2022, 3, 1))["META"]
        none = spells(connection, ["META"], date(2012, 5, 17))["META"]
        early = spells(connection, ["META", "FB"], date(2015, 1, 2))

    assert [spell for spell in facebook if not spell.borne] == [
        Spell(date(2012, 5, 18), date(2021, 6, 29), "META", borne=False),
        Spell(date(2022, 1, 29), date(2022, 6, 8), "META", borne=False),
    ]
    assert fund == (Spell(date(2021, 6, 30), date(2022, 1, 28), "META"),)
    assert none == ()
    assert early["META"] == early["FB"], "the fund was not listed then"
    assert early["FB"][0] == Spell(date(2012, 5, 18), date(2022, 6, 8), "FB")


def test_a_rename_of_a_ticker_without_a_life_makes_one_from_the_beginning(engine: Engine) -> None:
    with engine.begin() as connection:
        record_life(connection, "T", first_day=date(1995, 1, 3), last_day=SOLD, reason="merged")
        rename(connection, "T", "U", first_day=TAKEN)
        rename(connection, "A", "B", first_day=TAKEN)
        found = lives(connection)

    assert [(life.symbol, life.first_day, life.last_day, life.reason) for life in found] == [
        ("A", FIRST_DAY, TAKEN - DAY, "renamed"),
        ("B", TAKEN, None, "listed"),
        ("T", date(1995, 1, 3), SOLD, "merged"),
        ("T", SOLD + DAY, TAKEN - DAY, "renamed"),
        ("U", TAKEN, None, "listed"),
    ]
    assert found[0].asset_id == found[1].asset_id
    assert found[3].asset_id == found[4].asset_id != found[2].asset_id


def test_a_life_is_changed_where_it_is_and_made_where_there_is_none(engine: Engine) -> None:
    with engine.begin() as connection:
        first = change(connection, "T", listed=date(1995, 1, 3), name="AT&T Corp")
        ended = change(connection, "T", delisted=SOLD, reason="merged")
        second = change(connection, "T", listed=TAKEN, name="AT&T Inc")
        named = change(connection, "T", name="AT&T Inc.")
        moved = change(connection, "T", listed=TAKEN + 5 * DAY)
        with pytest.raises(DataError, match="overlaps the life of T"):
            change(connection, "T", listed=date(1995, 1, 3), delisted=TAKEN + 9 * DAY)

    assert (first.first_day, first.last_day, first.reason) == (date(1995, 1, 3), None, "listed")
    assert (ended.asset_id, ended.last_day, ended.reason, ended.name) == (first.asset_id, SOLD, "merged", "AT&T Corp")
    assert second.asset_id != first.asset_id
    assert (named.asset_id, named.first_day, named.name) == (second.asset_id, TAKEN, "AT&T Inc.")
    assert moved.asset_id != first.asset_id


@pytest.mark.parametrize(
    ("first", "last"),
    [(date(2000, 1, 1), None), (date(2000, 1, 1), date(2005, 1, 1)), (date(2007, 1, 1), date(2008, 1, 1))],
)
def test_lives_of_a_symbol_do_not_overlap(engine: Engine, first: date, last: date | None) -> None:
    with engine.begin() as connection:
        record_life(connection, "T", first_day=date(2005, 1, 1), last_day=date(2010, 1, 1), reason="delisted")
        reason: Any = "delisted" if last else None
        with pytest.raises(DataError, match="overlaps the life of T, 2005-01-01 to 2010-01-01"):
            record_life(connection, "T", first_day=first, last_day=last, reason=reason)
        record_life(connection, "T", first_day=date(2010, 1, 2))
        assert [life.reason for life in lives(connection, ["T"])] == ["delisted", "listed"]


def test_an_asset_has_one_symbol_at_a_time(engine: Engine) -> None:
    with engine.begin() as connection:
        asset = record_life(connection, "FB", first_day=date(2012, 5, 18))
        with pytest.raises(DataError, match="overlaps the life of FB"):
            record_life(connection, "META", first_day=date(2022, 6, 9), asset_id=asset)


def test_lives_that_make_no_sense_are_refused(engine: Engine) -> None:
    with engine.begin() as connection:
        with pytest.raises(InvalidValueError, match="last day"):
            record_life(connection, "T", first_day=SOLD, last_day=SOLD - DAY, reason="merged")
        with pytest.raises(InvalidValueError, match="reason"):
            record_life(connection, "T", first_day=SOLD, last_day=SOLD)
        with pytest.raises(DataError, match="no life of it goes on"):
            end_life(connection, "T", last_day=SOLD, reason="delisted")


def test_actions_follow_the_asset_through_its_names(engine: Engine) -> None:
    row = {"cash": None, "source": "broker", "new_symbol": None}
    with engine.begin() as connection:
        run = begin(connection)
        record_life(connection, "T", first_day=date(1984, 1, 3), last_day=SOLD, reason="merged")
        record_life(connection, "T", first_day=TAKEN)
        rename(connection, "T", "U", first_day=date(2015, 1, 2))
        ingestion.record_actions(
            connection,
            [
                {**row, "symbol": symbol, "kind": kind, "ex_date": day, "ratio": ratio, "ingestion_run_id": run}
                for symbol, kind, day, ratio in (
                    ("T", "split", date(2000, 1, 3), 3),
                    ("T", "split", date(2013, 1, 3), 2),
                    ("T", "rename", date(2015, 1, 2), None),
                    ("U", "spin_off", date(2016, 1, 4), 0.125),
                    ("U", "split", date(2020, 1, 3), 5),
                )
                if kind != "rename"
            ],
        )
        found = ingestion.actions(connection, spells(connection, ["U"], date(2018, 1, 2)), until=date(2018, 1, 2))

    assert found["symbol"].tolist() == ["U", "U"]
    assert found["ex_date"].tolist() == [date(2013, 1, 3), date(2016, 1, 4)]
    assert found["ratio"].iloc[0] == 2
    assert found["share"].iloc[1] == 0.125


def test_an_action_told_under_two_names_of_an_asset_counts_once(engine: Engine) -> None:
    with engine.begin() as connection:
        run = begin(connection)
        record_life(connection, "FB", first_day=date(2012, 5, 18))
        rename(connection, "FB", "META", first_day=date(2022, 6, 9))
        row = {"kind": "split", "cash": None, "source": "broker", "ingestion_run_id": run, "ex_date": date(2020, 1, 2)}
        rows = [{**row, "symbol": "FB", "ratio": 2}, {**row, "symbol": "META", "ratio": 2}]
        ingestion.record_actions(connection, rows)
        found = ingestion.known_actions(connection, ["META"], day=date(2023, 1, 3))

    assert found["ratio"].tolist() == [2]


def test_a_value_that_a_person_gave_a_spin_off_outlives_the_broker_s(engine: Engine) -> None:
    day = date(2015, 7, 20)
    told = {"symbol": "P", "kind": "spin_off", "ex_date": day, "ratio": None, "cash": None, "new_symbol": "N"}
    with engine.begin() as connection:
        told |= {"shares": 0.5, "source": "broker", "ingestion_run_id": begin(connection)}
        given = {**told, "symbol": "P", "ratio": 0.25, "source": "csv"}

        def share(row: dict[str, Any]) -> list[float]:
            ingestion.record_actions(connection, [row])
            return [float(each) for each in ingestion.known_actions(connection, ["P"], day=day)["share"]]

        assert share(told) == []
        assert ingestion.unvalued_spin_offs(connection, ["P", "X"]) == {("P", day): "N"}
        assert share({**told, "ratio": 0.2}) == [0.2]
        assert share(told) == [0.2], "what was worked out stays when the broker has no prices any more"
        assert share(given) == [0.25]
        assert share({**told, "ratio": 0.2}) == [0.25]
        assert ingestion.unvalued_spin_offs(connection, ["P"]) == {}
