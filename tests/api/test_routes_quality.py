from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from trading.quality.catalogue import RULES
from trading.quality.thresholds import Thresholds

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

SUSPECT = "/api/quality/bars/FB/1Day/2012-06-18"
TS = "2012-06-18T04:00:00Z"
SAID = {"who": "ann", "why": "seen on the tape"}
RIGHT = {**SAID, "open": 31.25, "high": 32.5, "low": 30, "close": "31.123456", "volume": 1000}


def problem(answer: httpx.Response, status: int) -> str:
    """Return the one line of an answer with an expected status."""
    assert answer.status_code == status, answer.text
    line: str = answer.json()["error"]
    assert "\n" not in line
    return line


def test_every_rule_is_described_with_what_it_is_judged_by(api: httpx.Client) -> None:
    listed = {rule["name"]: rule for rule in api.get("/api/quality/rules").json()}
    assert list(listed) == list(RULES)
    stale = listed["stale_repeats"]
    assert (stale["severity"], stale["explanation"]) == ("error", RULES["stale_repeats"].explanation)
    assert stale["parameters"][0] == {
        "name": "stale_bars",
        "value": 5,
        "description": Thresholds.model_fields["stale_bars"].description,
    }


def test_issues_come_newest_bar_first_with_what_the_bar_is_now(api: httpx.Client, seed: Any) -> None:
    items = api.get("/api/quality/issues").json()["items"]
    assert [item["symbol"] for item in items] == ["AAPL", "IBM", "FB", "FB"]
    missing, suspect = items[0], items[-1]
    bar = seed.bars("FB")[10]
    assert (suspect["ts"], suspect["quality"], suspect["verdict"]) == (TS, "suspect", "suspect")
    assert (suspect["close"], suspect["volume"]) == (float(bar.close), bar.volume)
    assert (missing["quality"], missing["close"], missing["volume"]) == (None, None, None)


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        ({"symbol": "fb"}, 2),
        ({"timeframe": "1Min"}, 0),
        ({"rule": "volume_spikes"}, 2),
        ({"verdict": "quarantined"}, 0),
        ({"verdict": "suspect"}, 4),
        ({"since": "2012-06-18"}, 4),
        ({"since": "2012-06-19"}, 3),
        ({"symbol": "IBM", "rule": "volume_spikes", "verdict": "suspect"}, 1),
    ],
)
def test_issues_and_their_counts_are_narrowed_alike(api: httpx.Client, asked: dict[str, str], count: int) -> None:
    assert len(api.get("/api/quality/issues", params=asked).json()["items"]) == count
    counts = api.get("/api/quality/counts", params=asked).json()
    assert sum(row["suspect"] + row["quarantined"] for row in counts) == count


def test_counts_are_per_rule_the_most_frequent_first(api: httpx.Client) -> None:
    first = api.get("/api/quality/counts").json()[0]
    assert (first["rule"], first["suspect"], first["quarantined"], first["symbols"]) == ("volume_spikes", 2, 0, 2)


@pytest.mark.parametrize(
    ("asked", "status", "line"),
    [
        ({"rule": "price_jump"}, 404, "did you mean 'price_jumps'?"),
        ({"symbol": "APPL"}, 404, "did you mean 'AAPL'?"),
        ({"verdict": "bad"}, 422, "verdict"),
        ({"timeframe": "2Min"}, 422, "timeframe"),
        ({"since": "yesterday"}, 422, "since"),
        ({"cursor": "x"}, 422, "cursor"),
    ],
)
def test_a_filter_that_names_nothing_is_one_line(
    api: httpx.Client, asked: dict[str, str], status: int, line: str
) -> None:
    assert line in problem(api.get("/api/quality/issues", params=asked), status)


def test_pages_of_issues_repeat_and_lose_nothing(api: httpx.Client) -> None:
    seen, cursor = [], None
    while True:
        parameters = {"limit": 1} | ({"cursor": cursor} if cursor else {})
        page = api.get("/api/quality/issues", params=parameters).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == [item["id"] for item in api.get("/api/quality/issues").json()["items"]]


def test_a_bar_comes_with_its_issues_and_neighbours(api: httpx.Client, seed: Any) -> None:
    found = api.get(SUSPECT, params={"around": 3}).json()
    bars = seed.bars("FB")
    assert found["bar"]["close"] == float(bars[10].close)
    assert (found["bar"]["quality"], found["bar"]["source"]) == ("suspect", "broker")
    assert [issue["rule"] for issue in found["issues"]] == ["price_jumps"]
    assert [bar["close"] for bar in found["neighbours"]] == [float(bar.close) for bar in bars[7:14]]
    assert api.get(f"/api/quality/bars/fb/1Day/{TS}", params={"around": 3}).json() == found
    assert api.get(SUSPECT, params={"around": 0}).json()["neighbours"] == []


def test_a_missing_bar_shows_what_is_said_of_it(api: httpx.Client) -> None:
    found = api.get("/api/quality/bars/AAPL/1Day/2012-12-10", params={"around": 2}).json()
    assert found["bar"] is None
    assert found["issues"][0]["rule"] == "missing_sessions"
    assert [bar["ts"][:10] for bar in found["neighbours"]] == ["2012-12-05", "2012-12-06", "2012-12-07"]


@pytest.mark.parametrize(
    ("path", "status", "line"),
    [
        ("AAPL/1Day/2012-12-09", 404, "no such bar; GET /api/bars/AAPL lists the bars"),
        ("APPL/1Day/2012-12-07", 404, "did you mean 'AAPL'?"),
        ("AAPL/2Day/2012-12-07", 422, "timeframe"),
        ("AAPL/1Day/Friday", 422, "ts"),
        ("AAPL/1Day/9999-12-31T23:00:00-05:00", 422, "ts: beyond the years"),
    ],
)
def test_a_bar_that_is_not_there_says_where_to_look(api: httpx.Client, path: str, status: int, line: str) -> None:
    assert line in problem(api.get(f"/api/quality/bars/{path}"), status)


def test_a_released_bar_is_good_and_says_who_released_it_and_why(
    own_api: httpx.Client, rows_of_own: Callable[[str], list[Any]]
) -> None:
    before = own_api.get(SUSPECT).json()
    after = own_api.post(f"{SUSPECT}/release", json={"who": " ann ", "why": "seen on the tape"}).json()
    assert after["bar"] == {**before["bar"], "quality": "good"}
    assert after == own_api.get(SUSPECT).json()
    [decision] = after["decisions"]
    assert (decision["decision"], decision["who"], decision["why"]) == ("release", "ann", "seen on the tape")
    assert decision["old_close"] == decision["new_close"] == before["bar"]["close"]
    assert after["revisions"] == []
    assert own_api.get("/api/quality/issues", params={"rule": "price_jumps"}).json()["items"][0]["quality"] == "good"
    audited = "SELECT actor, action, subject FROM logging.audit_events"
    assert rows_of_own(audited) == [("ann", "quality.released", "FB 1Day 2012-06-18T04:00:00+00:00")]


def test_a_corrected_bar_has_the_new_figures_exactly_and_keeps_the_old(
    own_api: httpx.Client, rows_of_own: Callable[[str], list[Any]]
) -> None:
    before = own_api.get(SUSPECT).json()["bar"]
    after = own_api.post(f"{SUSPECT}/correct", json=RIGHT).json()
    bar, [revision], [decision] = after["bar"], after["revisions"], after["decisions"]
    assert (bar["open"], bar["high"], bar["low"], bar["close"], bar["volume"]) == (31.25, 32.5, 30, 31.123456, 1000)
    assert (bar["quality"], bar["source"]) == ("good", "person")
    assert (revision["old_close"], revision["new_close"]) == (before["close"], 31.123456)
    assert (revision["old_quality"], revision["old_source"]) == ("suspect", "broker")
    assert (decision["decision"], decision["who"]) == ("correct", "ann")
    stored = "SELECT close FROM data_ingestion.bars WHERE symbol = 'FB' AND ts = '2012-06-18 04:00+00'"
    assert rows_of_own(stored) == [(31_123_456,)]
    assert rows_of_own("SELECT action FROM logging.audit_events") == [("quality.corrected",)]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"high": 31}, "low <= open and close <= high"),
        ({"low": 31.2}, "low <= open and close <= high"),
        ({"open": 0}, "open"),
        ({"low": -1}, "low"),
        ({"close": "NaN"}, "close"),
        ({"close": 31.1234567}, "close"),
        ({"high": 1e12}, "high"),
        ({"volume": -1}, "volume"),
        ({"volume": 2**63}, "volume"),
        ({"why": "  "}, "why"),
        ({"who": ""}, "who"),
        ({"who": "a\0b"}, "zero byte"),
        ({"quality": "good"}, "quality"),
    ],
)
def test_figures_that_make_no_bar_are_refused_and_nothing_changes(
    api: httpx.Client, change: dict[str, Any], line: str
) -> None:
    before = api.get(SUSPECT).json()
    assert line in problem(api.post(f"{SUSPECT}/correct", json={**RIGHT, **change}), 422)
    assert api.get(SUSPECT).json() == before


def test_a_decision_needs_a_bar(api: httpx.Client) -> None:
    gone = "/api/quality/bars/AAPL/1Day/2012-12-10"
    assert "no such bar" in problem(api.post(f"{gone}/release", json=SAID), 404)
    assert "no such bar" in problem(api.post(f"{gone}/correct", json=RIGHT), 404)
    assert "why" in problem(api.post(f"{SUSPECT}/release", json={"who": "ann"}), 422)


def test_a_decision_that_changes_nothing_is_refused(own_api: httpx.Client) -> None:
    bar = own_api.get(SUSPECT).json()["bar"]
    same = {name: bar[name] for name in ("open", "high", "low", "close", "volume")}
    assert "release it" in problem(own_api.post(f"{SUSPECT}/correct", json={**SAID, **same}), 422)
    own_api.post(f"{SUSPECT}/release", json=SAID)
    assert "good already" in problem(own_api.post(f"{SUSPECT}/release", json=SAID), 409)


def test_ten_releases_at_once_are_one_decision(own_api: httpx.Client) -> None:
    with ThreadPoolExecutor(10) as pool:
        statuses = list(pool.map(lambda _: own_api.post(f"{SUSPECT}/release", json=SAID).status_code, range(10)))
    assert sorted(statuses) == [200, *[409] * 9]
    assert len(own_api.get(SUSPECT).json()["decisions"]) == 1


@pytest.mark.parametrize("symbol", ["BRK/B", "BRK%2FB", "brk/b"])
def test_a_symbol_may_have_a_slash(own_api: httpx.Client, execute_in_own: Callable[[str], None], symbol: str) -> None:
    for table in ("assets", "bars", "quality_issues"):
        execute_in_own(f"UPDATE data_ingestion.{table} SET symbol = 'BRK/B' WHERE symbol = 'FB'")
    path = f"/api/quality/bars/{symbol}/1Day/2012-06-18"
    assert own_api.get(path).json()["symbol"] == "BRK/B"
    assert own_api.post(f"{path}/release", json=SAID).json()["bar"]["quality"] == "good"
    assert len(own_api.get("/api/quality/issues", params={"symbol": "brk/b"}).json()["items"]) == 2
    assert len(own_api.get(f"/api/bars/{symbol}", params={"limit": 5}).json()["items"]) == 5
    assert own_api.put(f"/api/universe/{symbol}", json={"sector": "Insurance"}).json()["sector"] == "Insurance"


def test_exclusions_are_those_of_the_session_asked_for(api: httpx.Client) -> None:
    [found] = api.get("/api/quality/exclusions", params={"session": "2012-12-07"}).json()
    assert (found["symbol"], found["timeframe"], found["session"]) == ("XOM", "1Day", "2012-12-07")
    assert "are missing" in found["reason"]
    assert api.get("/api/quality/exclusions").json() == [found]
    assert api.get("/api/quality/exclusions", params={"session": "2012-12-06"}).json() == []
    assert "session" in problem(api.get("/api/quality/exclusions", params={"session": "today"}), 422)
