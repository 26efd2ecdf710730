from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from simulator.access import Keys
from simulator.app import SimulatorConfig, create_app
from simulator.market import History, Mark, Market
from simulator.sessions import exchange_day
from trading.adjustment import Split

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

KEYS = Keys("k", "s")
HEADERS = {"APCA-API-KEY-ID": "k", "APCA-API-SECRET-KEY": "s"}
QUESTIONS = [
    "/v2/clock",
    "/v2/account",
    "/v2/assets",
    "/v2/assets/FB",
    "/v2/positions",
    "/v2/orders?status=all",
    "/v2/account/activities",
    "/v2/account/portfolio/history?period=all",
    "/v2/stocks/bars?symbols=AAPL,FB,GOOG,IBM,MSFT&timeframe=1Day&start=2012-01-01&end=2014-01-01&adjustment=all",
    "/v2/stocks/bars?symbols=AAPL,FB,MSFT&timeframe=1Week&start=2012-01-01&end=2014-01-01&sort=desc",
    "/v2/stocks/bars?symbols=AAPL,FB,MSFT&timeframe=1Month&start=2012-01-01&end=2014-01-01&adjustment=split",
    "/v2/stocks/quotes/latest?symbols=AAPL,FB,GOOG,IBM,MSFT",
    "/v2/stocks/trades/latest?symbols=AAPL,FB,GOOG,IBM,MSFT",
    "/v2/stocks/snapshots?symbols=AAPL,FB,GOOG,IBM,MSFT",
    "/v1/corporate-actions?start=2000-01-01&end=2014-01-01&limit=1000",
]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def garbled(market: Market, now: datetime) -> Market:
    """Return a market that is the same up to `now` and nonsense after it."""
    today, complete = exchange_day(now), market.sessions.last_closed(now)
    in_session = market.sessions.current(now)

    def distort(history: History) -> History:
        future = [day > complete for day in history.days]
        unopened = [late and day != in_session for late, day in zip(future, history.days, strict=True)]
        known = tuple(action for action in history.actions if action.ex_date <= today)
        wrong = Split(history.symbol, today + timedelta(days=1), 7, 1)
        changed: dict[str, Any] = {name: getattr(history, name).copy() for name in ("open", "high", "low", "close")}
        for name, column in changed.items():
            column[unopened if name == "open" else future] *= 3.7
        volume = history.volume.copy()
        volume[future] += 1
        return replace(history, **changed, volume=volume, actions=(*known, wrong))

    return Market({name: distort(history) for name, history in market.histories.items()}, market.sessions, "garbled")


def answers(market: Market, folder: Path | str, now: datetime) -> list[Any]:
    """Return every answer of a simulator that traded its way from May 2012 to `now`."""
    from pathlib import Path

    config = SimulatorConfig(state=Path(folder) / market.fingerprint, keys=KEYS, start=date(2012, 5, 15), seed="same")
    app = create_app(config, market)
    with TestClient(app, headers=HEADERS) as client:
        middle = at("2012-05-15T20:00:00") + (now - at("2012-05-15T20:00:00")) / 2
        for stop in (at("2012-05-15T20:00:00"), middle, now):
            client.post("/simulator/clock", json={"to": stop.isoformat()}).raise_for_status()
            for symbol, limit in (("AAPL", None), ("FB", "30.00"), ("MSFT", None), ("IBM", "190.00")):
                kind = {"type": "limit", "limit_price": limit} if limit else {"type": "market"}
                order = {"symbol": symbol, "side": "buy", "qty": "7", "time_in_force": "day", **kind}
                client.post("/v2/orders", json=order)
        return [client.get(question).json() for question in QUESTIONS]


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(minutes=st.integers(0, 290 * 24 * 60))
def test_garbling_the_future_changes_no_answer(market: Market, minutes: int) -> None:
    now = at("2012-05-15T20:00:00") + timedelta(minutes=minutes)
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        assert answers(market, folder, now) == answers(garbled(market, now), folder, now)


def test_the_garbled_future_would_be_noticed(market: Market) -> None:
    now = at("2012-08-08T21:00:00")
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        later = now + timedelta(days=2)
        assert answers(market, folder, later) != answers(garbled(market, now), folder, later)


def test_a_bar_appears_at_its_close_and_not_a_second_before(market: Market) -> None:
    assert market.histories["AAPL"].days[market.visible("AAPL", at("2012-12-03T20:59:59")) - 1] == date(2012, 11, 30)
    assert market.histories["AAPL"].days[market.visible("AAPL", at("2012-12-03T21:00:00")) - 1] == date(2012, 12, 3)


def test_an_early_close_reveals_the_bar_at_one(market: Market) -> None:
    assert market.histories["AAPL"].days[market.visible("AAPL", at("2012-12-24T18:00:00")) - 1] == date(2012, 12, 24)


def test_the_mark_is_the_last_close_then_the_open_then_the_close(market: Market) -> None:
    assert market.mark("AAPL", at("2012-12-03T14:29:59")) == Mark(Decimal("585.28"), at("2012-11-30T21:00:00"))
    assert market.mark("AAPL", at("2012-12-03T14:30:00")) == Mark(Decimal("593.65"), at("2012-12-03T14:30:00"))
    assert market.mark("AAPL", at("2012-12-03T21:00:00")) == Mark(Decimal("586.19"), at("2012-12-03T21:00:00"))


def test_facebook_is_unknown_before_its_first_day(market: Market) -> None:
    assert not market.is_listed("FB", at("2012-05-17T23:00:00"))
    assert market.is_listed("FB", at("2012-05-18T12:00:00"))
    assert market.mark("FB", at("2012-05-18T12:00:00")) is None


def test_the_close_before_a_split_is_in_new_shares(market: Market) -> None:
    # AAPL closed at 88.99 on 2005-02-25 and split 2:1 on the 28th
    assert market.previous_close("AAPL", at("2005-02-28T15:00:00")) == Decimal("44.495")


def test_a_symbol_without_a_bar_keeps_its_last_price(make_market: Callable[..., Market]) -> None:
    days = {date(2012, 12, 3): (10, 10, 10, 10), date(2012, 12, 5): (12, 12, 12, 12)}
    market = make_market({"X": days, "Y": {**days, date(2012, 12, 4): (5, 5, 5, 5)}})
    mark = market.mark("X", at("2012-12-04T15:00:00"))
    assert mark == Mark(Decimal("10.0"), at("2012-12-03T21:00:00"))
