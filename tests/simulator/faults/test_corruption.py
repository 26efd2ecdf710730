from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import httpx

SPAN = {"symbols": "AAPL,IBM", "timeframe": "1Day", "start": "2012-11-29", "end": "2012-11-30"}


def bars(api: httpx.Client) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = api.get("/v2/stocks/bars", params=SPAN).raise_for_status().json()["bars"]
    return found


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        # AAPL on 2012-11-30: high 588.40, low 582.68, close 585.28
        ("zero", {"o": 0, "h": 0, "l": 0, "c": 0}),
        ("negative", {"l": -582.68}),
        ("spike", {"h": 5884.0, "c": 5852.8}),
        ("inverted", {"h": 582.68, "l": 588.40}),
        ("text", {"c": "n/a"}),
    ],
)
def test_the_last_bar_is_wrong_once(api: httpx.Client, how: str, expected: dict[str, Any]) -> None:
    right = bars(api)
    api.post("/simulator/faults", json={"kind": "corrupt_bars", "how": how, "symbol": "AAPL"}).raise_for_status()
    wrong = bars(api)
    assert wrong["IBM"] == right["IBM"]
    assert wrong["AAPL"][0] == right["AAPL"][0]
    assert {name: wrong["AAPL"][1][name] for name in expected} == pytest.approx(expected)
    assert bars(api) == right


@pytest.mark.parametrize(("how", "places"), [("missing", [0]), ("repeated", [0, 1, 1])])
def test_a_bar_is_absent_or_there_twice(api: httpx.Client, how: str, places: list[int]) -> None:
    right = bars(api)
    api.post("/simulator/faults", json={"kind": "corrupt_bars", "how": how}).raise_for_status()
    assert bars(api) == {symbol: [rows[place] for place in places] for symbol, rows in right.items()}


def test_the_clock_is_off(api: httpx.Client) -> None:
    api.post("/simulator/faults", json={"kind": "clock_skew", "seconds": -600}).raise_for_status()
    wrong, right = api.get("/v2/clock").json(), api.get("/v2/clock").json()
    assert (wrong["timestamp"], wrong["is_open"]) == ("2012-11-30T15:50:00-05:00", True)
    assert (right["timestamp"], right["is_open"]) == ("2012-11-30T16:00:00-05:00", False)
