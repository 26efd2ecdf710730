from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import httpx


def order(api: httpx.Client, **fields: Any) -> httpx.Response:
    body = {"symbol": "IBM", "side": "buy", "type": "market", "time_in_force": "day", "qty": "1", **fields}
    return api.post("/v2/orders", json=body)


@pytest.mark.parametrize(
    ("setting", "fields", "words"),
    [
        ({"no_shorting": True}, {"side": "sell"}, "not allowed to short"),
        ({"max_margin_multiplier": "1"}, {"side": "sell"}, "not allowed to short"),
        ({"suspend_trade": True}, {}, "rejected by user request"),
        ({"fractional_trading": False}, {"qty": "0.5"}, "fractional trading is not enabled"),
    ],
)
def test_a_setting_refuses_orders_until_it_is_taken_back(
    api: httpx.Client, setting: dict[str, Any], fields: dict[str, Any], words: str
) -> None:
    before = api.get("/v2/account/configurations").json()
    assert api.patch("/v2/account/configurations", json=setting).json() == {**before, **setting}
    refused = order(api, **fields)
    assert (refused.status_code, refused.json()["code"]) == (403, 40310000)
    assert words in refused.json()["message"]
    api.patch("/v2/account/configurations", json=before).raise_for_status()
    assert order(api, **fields).status_code == 200


def test_a_cash_account_buys_for_its_cash(api: httpx.Client) -> None:
    api.patch("/v2/account/configurations", json={"max_margin_multiplier": "1"}).raise_for_status()
    account = api.get("/v2/account").json()
    assert (account["buying_power"], account["multiplier"]) == ("100000.00", "1")
    assert account["shorting_enabled"] is False


@pytest.mark.parametrize("body", [b'{"max_margin_multiplier": "3"}', b"[]", b'{"no_shorting": "perhaps"}'])
def test_a_nonsensical_setting_is_refused(api: httpx.Client, body: bytes) -> None:
    assert api.patch("/v2/account/configurations", content=body).status_code == 422


def test_a_reset_forgets_settings_and_watchlists(api: httpx.Client) -> None:
    api.patch("/v2/account/configurations", json={"no_shorting": True}).raise_for_status()
    api.post("/v2/watchlists", json={"name": "mine"}).raise_for_status()
    api.post("/simulator/reset").raise_for_status()
    assert api.get("/v2/account/configurations").json()["no_shorting"] is False
    assert api.get("/v2/watchlists").json() == []


def test_watchlists_by_name(api: httpx.Client) -> None:
    made = api.post("/v2/watchlists", json={"name": "mine", "symbols": ["ibm", "AAPL", "IBM"]}).json()
    named = {"name": "mine"}
    assert [asset["symbol"] for asset in made["assets"]] == ["IBM", "AAPL"]
    assert api.get("/v2/watchlists:by_name", params=named).json() == made
    grown = api.post("/v2/watchlists:by_name", params=named, json={"symbol": "MSFT"}).json()
    assert [asset["symbol"] for asset in grown["assets"]] == ["IBM", "AAPL", "MSFT"]
    changed = api.put("/v2/watchlists:by_name", params=named, json={"name": "ours", "symbols": []}).json()
    assert (changed["id"], changed["name"], changed["assets"]) == (made["id"], "ours", [])
    assert api.delete("/v2/watchlists:by_name", params=named).status_code == 404
    assert api.delete("/v2/watchlists:by_name", params={"name": "ours"}).status_code == 204


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"name": "mine"}, "must be unique"),
        ({"name": "other", "symbols": ["NOPE"]}, 'asset "NOPE" not found'),
        ({"name": ""}, "1 to 64 characters"),
        ({"symbols": ["IBM"]}, "name is required"),
        ({"name": "other", "symbols": "IBM"}, "list of texts"),
        ([], "expected an object"),
    ],
)
def test_a_watchlist_that_makes_no_sense_is_refused(api: httpx.Client, body: Any, words: str) -> None:
    api.post("/v2/watchlists", json={"name": "mine", "symbols": ["IBM"]}).raise_for_status()
    refused = api.post("/v2/watchlists", json=body)
    assert refused.status_code == 422
    assert words in refused.json()["message"]


def test_a_symbol_is_in_a_watchlist_once(api: httpx.Client) -> None:
    number = api.post("/v2/watchlists", json={"name": "mine", "symbols": ["IBM"]}).json()["id"]
    assert api.post(f"/v2/watchlists/{number}", json={"symbol": "IBM"}).status_code == 422
    assert api.get("/v2/watchlists/nonsense").status_code == 404
