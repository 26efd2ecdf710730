from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import httpx


def test_the_clock_tells_where_it_stands(api: httpx.Client) -> None:
    state = api.get("/simulator/clock").json()
    assert (state["session"], state["first_session"], state["last_session"]) == (
        "2012-11-30",
        "2000-03-01",
        "2013-03-01",
    )
    assert state["account_number"] == api.get("/v2/account").json()["account_number"]


def test_the_clock_moves_to_an_instant(api: httpx.Client) -> None:
    moved = api.post("/simulator/clock", json={"to": "2012-12-03T10:15:00-05:00"}).json()
    assert (moved["timestamp"], moved["is_open"]) == ("2012-12-03T10:15:00-05:00", True)


@pytest.mark.parametrize(
    "body", [{}, {"to": "tomorrow"}, {"to": "2012-12-03T10:15:00"}, {"advance": "year"}, {"to": None, "x": 1}, []]
)
def test_an_unreadable_move_is_explained(api: httpx.Client, body: Any) -> None:
    refused = api.post("/simulator/clock", json=body)
    assert refused.status_code == 422
    assert '{"advance": "open" | "close" | "session"}' in refused.json()["message"]
    assert api.post("/simulator/clock", content=b"{").status_code == 422


def test_going_back_and_past_the_end_are_conflicts(api: httpx.Client) -> None:
    back = api.post("/simulator/clock", json={"to": "2012-11-30T20:00:00Z"})
    assert back.status_code == 409
    assert "only POST /simulator/reset can" in back.json()["message"]
    assert api.post("/simulator/clock", json={"to": "0001-01-01T00:00:00+23:00"}).status_code == 409
    assert api.post("/simulator/clock", json={"to": "2013-03-01T21:00:00Z"}).status_code == 200
    for beyond in ({"advance": "session"}, {"advance": "open"}, {"to": "2100-01-01T00:00:00Z"}):
        refused = api.post("/simulator/clock", json=beyond)
        assert refused.status_code == 409
        assert "the data end with the session of 2013-03-01" in refused.json()["message"]


def test_a_reset_starts_again_with_another_account(api: httpx.Client) -> None:
    before = api.get("/simulator/clock").json()["account_number"]
    made = api.post("/simulator/reset", json={"start": "2010-01-04", "cash": 5000}).json()
    assert (made["session"], made["cash"]) == ("2010-01-04", 5000.0)
    again = api.post("/simulator/reset").json()
    assert (again["session"], again["cash"]) == ("2012-11-30", 100000.0)
    assert len({before, made["account_number"], again["account_number"]}) == 3


@pytest.mark.parametrize(
    "body",
    [{"start": "1999-01-01"}, {"start": "x"}, {"cash": 0}, {"cash": "much"}, {"begin": "2012-01-01"}, {"cash": 1e30}],
)
def test_an_impossible_reset_changes_nothing(api: httpx.Client, body: dict[str, Any]) -> None:
    before = api.get("/simulator/clock").json()
    refused = api.post("/simulator/reset", json=body)
    assert (refused.status_code, refused.json()["code"]) == (422, 42210000)
    assert api.get("/simulator/clock").json() == before
