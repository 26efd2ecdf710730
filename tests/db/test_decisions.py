from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select, text

from db.models.data_ingestion import Bar
from db.models.logging import AuditEvent
from db.repositories import exclusions
from db.repositories.bars import first_unchecked, judge
from db.repositories.decisions import Figures, correct, decided, release, revisions
from trading.calendar import bar_timestamp
from trading.errors import DataError, InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from sqlalchemy import Connection, Engine

    Daily = Callable[..., pd.DataFrame]
    Store = Callable[..., int]

FIRST, DAY, LAST = date(2012, 1, 3), date(2012, 1, 10), date(2012, 1, 31)
TS = bar_timestamp(DAY)
KEY: dict[str, Any] = {"timeframe": "1Day", "ts": TS, "who": "ann", "why": "seen on the tape"}
RIGHT = Figures(Decimal(10), Decimal("11.5"), Decimal(9), Decimal("10.25"), 700)


def run_rules(connection: Connection, verdict: str = "quarantined") -> None:
    """Let the rules complain about the one bar, whatever it is."""
    judge(
        connection,
        timeframe="1Day",
        symbols=["A"],
        start=bar_timestamp(FIRST),
        end=bar_timestamp(LAST),
        verdicts={verdict: [("A", TS)]},
    )


def quality(connection: Connection) -> str:
    return connection.execute(select(Bar.quality).where(Bar.symbol == "A", Bar.ts == TS)).scalar_one()


def figures(connection: Connection) -> tuple[Any, ...]:
    columns = (Bar.open, Bar.high, Bar.low, Bar.close, Bar.volume)
    return tuple(connection.execute(select(*columns).where(Bar.symbol == "A", Bar.ts == TS)).one())


def test_rules_judge_bars_and_take_it_back_when_they_find_nothing(
    engine: Engine, daily_bars: Daily, store: Store
) -> None:
    store(daily_bars(["A"], FIRST, LAST))
    with engine.begin() as connection:
        assert first_unchecked(connection, ["A"], timeframe="1Day") == bar_timestamp(FIRST)
        run_rules(connection)
        assert quality(connection) == "quarantined"
        assert first_unchecked(connection, ["A"], timeframe="1Day") is None
        span = {"start": bar_timestamp(FIRST), "end": bar_timestamp(LAST)}
        judge(connection, timeframe="1Day", symbols=["A"], **span, verdicts={})
        assert quality(connection) == "good"


def test_a_released_bar_stays_good_when_rules_run_again(engine: Engine, daily_bars: Daily, store: Store) -> None:
    store(daily_bars(["A"], FIRST, LAST))
    with engine.begin() as connection:
        run_rules(connection)
        release(connection, "A", **KEY)
        assert quality(connection) == "good"
        run_rules(connection)
        assert quality(connection) == "good"


def test_a_release_ends_when_the_bar_gets_other_figures(engine: Engine, daily_bars: Daily, store: Store) -> None:
    bars = daily_bars(["A"], FIRST, LAST)
    store(bars)
    with engine.begin() as connection:
        release(connection, "A", **KEY)
    bars.loc[bars["ts"] == TS, "close"] += 0.5
    store(bars)

    with engine.begin() as connection:
        run_rules(connection)
        assert quality(connection) == "quarantined"


def test_a_correction_writes_the_bar_keeps_the_old_one_and_is_audited(
    engine: Engine, daily_bars: Daily, store: Store
) -> None:
    store(daily_bars(["A"], FIRST, LAST))
    with engine.begin() as connection:
        before = figures(connection)
        correct(connection, "A", figures=RIGHT, **KEY)
        run_rules(connection)

        assert quality(connection) == "good"
        assert figures(connection) == (RIGHT.open, RIGHT.high, RIGHT.low, RIGHT.close, RIGHT.volume)
        (revision,) = revisions(connection, "A", timeframe="1Day")
        assert (revision.old_open, revision.old_volume) == (before[0], before[4])
        assert (revision.new_close, revision.new_source, revision.ingestion_run_id) == (RIGHT.close, "person", None)
        (decision,) = decided(connection, "A", timeframe="1Day")
        assert (decision.decision, decision.who, decision.why) == ("correct", "ann", "seen on the tape")
        event = connection.execute(select(AuditEvent.__table__)).one()
        assert (event.actor, event.action) == ("ann", "quality.corrected")
        assert event.detail["close"] == {"old": str(before[3]), "new": "10.25"}


def test_figures_that_were_corrected_do_not_come_back_but_others_do(
    engine: Engine, daily_bars: Daily, store: Store
) -> None:
    bars = daily_bars(["A"], FIRST, LAST)
    store(bars)
    with engine.begin() as connection:
        correct(connection, "A", figures=RIGHT, **KEY)

    assert store(bars) == 0
    with engine.begin() as connection:
        assert figures(connection)[3] == RIGHT.close
    bars.loc[bars["ts"] == TS, "close"] += 0.5
    assert store(bars) == 1
    with engine.begin() as connection:
        assert quality(connection) == "unchecked"
        assert len(revisions(connection, "A", timeframe="1Day")) == 2


@pytest.mark.parametrize("decide", [release, correct])
def test_a_bar_that_is_not_there_cannot_be_decided_on(engine: Engine, decide: Callable[..., None]) -> None:
    how = {"figures": RIGHT} if decide is correct else {}
    with engine.begin() as connection, pytest.raises(DataError, match="no such bar in the table"):
        decide(connection, "A", **how, **KEY)
    with engine.begin() as connection:
        assert connection.scalar(text("SELECT count(*) FROM logging.audit_events")) == 0


@pytest.mark.parametrize("prices", [(10, 9, 8, 8.5), (10, 11, 10.5, 10.2), (0, 1, 0, 1), (-1, 1, -2, 1)])
def test_a_correction_has_to_make_a_bar(prices: tuple[float, float, float, float]) -> None:
    opened, high, low, close = (Decimal(str(price)) for price in prices)
    with pytest.raises(InvalidValueError, match="low <= open and close <= high"):
        Figures(opened, high, low, close, 1)


def test_exclusions_are_replaced_for_the_symbols_looked_at(engine: Engine) -> None:
    every = ["A", "B", "C"]
    with engine.begin() as connection:
        exclusions.replace(connection, {"B": "stale", "A": "gaps"}, symbols=every, session=DAY, timeframe="1Day")
        exclusions.replace(connection, {"C": "stale"}, symbols=every, session=LAST, timeframe="1Day")
        assert exclusions.excluded(connection, session=DAY, timeframe="1Day") == {"A": "gaps", "B": "stale"}
        exclusions.replace(connection, {}, symbols=["A", "C"], session=DAY, timeframe="1Day")
        assert exclusions.excluded(connection, session=DAY, timeframe="1Day") == {"B": "stale"}
        assert exclusions.excluded(connection, session=LAST, timeframe="1Day") == {"C": "stale"}
