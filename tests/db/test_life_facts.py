from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from db.repositories import assets, coverage, ingestion
from db.repositories.assets import IMPORTED
from db.repositories.life_facts import derive
from db.repositories.lives import lives, record_life
from tests.db.conftest import begin, daily, put
from trading.calendar import FIRST_DAY, bar_timestamp

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

LAST = date(2012, 6, 1)
RENAMED = date(2022, 6, 9)


def told(connection: Connection, symbol: str, *, status: str = "inactive", exchange: str = "NYSE") -> None:
    no = dict.fromkeys(("tradable", "shortable", "fractionable"), False)
    assets.record(connection, [{"symbol": symbol, "name": symbol, "exchange": exchange, "status": status, **no}])


def renamed(connection: Connection, old: str, new: str, day: date) -> None:
    row: dict[str, Any] = {"kind": "rename", "ratio": None, "cash": None, "source": "broker", "symbol": old}
    rows = [{**row, "new_symbol": new, "ex_date": day, "ingestion_run_id": begin(connection)}]
    ingestion.record_actions(connection, rows)


def answered(connection: Connection, symbol: str, until: date) -> None:
    span = {"range_start": bar_timestamp(LAST), "range_end": bar_timestamp(until)}
    entry = {"timeframe": "1Day", "feed": "iex", "symbols": [symbol], "ingestion_run_id": begin(connection)}
    coverage.record(connection, entry | span)


def test_a_rename_the_broker_told_of_makes_the_lives_of_both_names_once(engine: Engine) -> None:
    with engine.begin() as connection:
        renamed(connection, "FB", "META", RENAMED)
        renamed(connection, "SQ", "XYZ", date(2025, 1, 21))
        some = derive(connection, ["META"])
        rest = derive(connection)
        again = derive(connection)
        found = lives(connection, ["FB", "META"])

    assert some.written == ["FB is called META from 2022-06-09 on"]
    assert rest.written == ["SQ is called XYZ from 2025-01-21 on"]
    assert (again.written, again.refused) == ([], [])
    assert [(life.symbol, life.first_day, life.last_day) for life in found] == [
        ("FB", FIRST_DAY, RENAMED - timedelta(days=1)),
        ("META", RENAMED, None),
    ]
    assert found[0].asset_id == found[1].asset_id


def test_a_rename_that_contradicts_what_a_person_recorded_is_told_and_the_others_stand(engine: Engine) -> None:
    with engine.begin() as connection:
        renamed(connection, "FB", "META", RENAMED)
        renamed(connection, "SQ", "XYZ", date(2025, 1, 21))
        record_life(connection, "META", first_day=date(2021, 6, 30))
        found = derive(connection)
        known = {life.symbol for life in lives(connection)}

    assert found.written == ["SQ is called XYZ from 2025-01-21 on"]
    (refused,) = found.refused
    assert refused.startswith("FB is called META from 2022-06-09 on: META from 2022-06-09: overlaps the life of META")
    assert known == {"META", "SQ", "XYZ"}, "nothing of the refused rename is left"


@pytest.mark.parametrize(
    ("status", "exchange", "asked", "ended"),
    [
        ("inactive", "NYSE", LAST + timedelta(days=30), True),
        ("inactive", "NYSE", LAST + timedelta(days=9), False),
        ("inactive", "NYSE", None, False),
        ("active", "NYSE", LAST + timedelta(days=30), False),
        ("inactive", IMPORTED, LAST + timedelta(days=30), False),
    ],
)
def test_a_symbol_ended_with_its_last_bar_when_the_broker_was_asked_for_more(
    engine: Engine, status: str, exchange: str, asked: date | None, ended: bool
) -> None:
    put(engine, daily(["GONE"], date(2012, 1, 3), LAST))
    with engine.begin() as connection:
        told(connection, "GONE", status=status, exchange=exchange)
        if asked:
            answered(connection, "GONE", asked)
        found = derive(connection)
        again = derive(connection)
        days = [(life.first_day, life.last_day, life.reason) for life in lives(connection)]

    assert days == ([(FIRST_DAY, LAST, "delisted")] if ended else [])
    assert found.written == (["GONE ended on 2012-06-01, its last bar"] if ended else [])
    assert again.written == []
