from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import httpx

LIMIT = {"symbol": "AAPL", "side": "buy", "type": "limit", "time_in_force": "day", "qty": "10", "limit_price": "500"}


def send(api: httpx.Client, **fields: Any) -> Any:
    body = {name: value for name, value in {**LIMIT, **fields}.items() if value is not None}
    return api.post("/v2/orders", json=body).raise_for_status().json()


def advance(api: httpx.Client, step: str = "session") -> None:
    api.post("/simulator/clock", json={"advance": step}).raise_for_status()


def read(api: httpx.Client, number: str) -> Any:
    return api.get(f"/v2/orders/{number}").raise_for_status().json()


def test_the_new_order_takes_the_old_ones_place(api: httpx.Client) -> None:
    advance(api, "open")
    old = send(api)
    change = {"qty": "4", "limit_price": "510", "time_in_force": "gtc", "client_order_id": "second"}
    new = api.patch(f"/v2/orders/{old['id']}", json=change).raise_for_status().json()
    assert (new["replaces"], new["qty"], new["limit_price"], new["time_in_force"]) == (old["id"], "4", "510", "gtc")
    assert (new["client_order_id"], new["status"]) == ("second", "new")
    before = read(api, old["id"])
    assert (before["status"], before["replaced_by"], before["replaced_at"] is not None) == ("replaced", new["id"], True)
    assert api.get("/v2/account").json()["buying_power"] == f"{200_000 - 4 * 510:.2f}"
    assert api.delete(f"/v2/orders/{old['id']}").status_code == 422


def test_an_order_that_is_not_at_the_exchange_yet_is_not_replaced(api: httpx.Client) -> None:
    refused = api.patch(f"/v2/orders/{send(api)['id']}", json={"qty": "4"})
    assert (refused.status_code, refused.json()["code"]) == (422, 42210000)
    assert "accepted" in refused.json()["message"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"limit_price": "500.001"}, "sub-penny"),
        ({"stop_price": "5"}, "require no stop price"),
        ({"trail": "5"}, "only for trailing_stop"),
        ({"qty": "1.5"}, "whole shares"),
        ({"qty": "10"}, "not changed"),
        ({}, "not changed"),
        ({"time_in_force": "later"}, "invalid time_in_force"),
        ({"notional": "5"}, "cannot be replaced"),
        ({"qty": "1000"}, "insufficient buying power"),
        ({"limit_price": "501", "client_order_id": "used"}, "must be unique"),
    ],
)
def test_new_terms_that_are_not_allowed(api: httpx.Client, change: dict[str, Any], words: str) -> None:
    advance(api, "open")
    number = send(api, client_order_id="used")["id"]
    refused = api.patch(f"/v2/orders/{number}", json=change)
    assert refused.status_code in {403, 422}
    assert words in refused.json()["message"]
    assert read(api, number)["status"] == "new"


def test_an_amount_or_a_final_order_is_not_replaced(api: httpx.Client) -> None:
    advance(api, "open")
    amount = send(api, type="market", qty=None, notional="100", limit_price=None)
    assert "notional" in api.patch(f"/v2/orders/{amount['id']}", json={"qty": "1"}).json()["message"]
    advance(api, "close")
    assert "filled" in api.patch(f"/v2/orders/{amount['id']}", json={"qty": "1"}).json()["message"]


def test_a_partly_filled_orders_new_one_asks_for_everything_again(api: httpx.Client) -> None:
    number = send(api, limit_price="600")["id"]
    api.post("/simulator/faults", json={"kind": "partial_fill", "fraction": 0.4}).raise_for_status()
    advance(api, "open")
    assert read(api, number)["filled_qty"] == "4"
    new = api.patch(f"/v2/orders/{number}", json={"limit_price": "601"}).raise_for_status().json()
    assert (new["qty"], new["filled_qty"]) == ("10", "0")
    advance(api, "close")
    assert api.get("/v2/positions/AAPL").json()["qty"] == "14"


def test_an_exit_is_replaced_within_its_pair(api: httpx.Client) -> None:
    exits = {"take_profit": {"limit_price": "700"}, "stop_loss": {"stop_price": "400"}}
    entry = send(api, type="market", limit_price=None, order_class="bracket", **exits)
    advance(api, "open")
    profit, loss = entry["legs"]
    new = api.patch(f"/v2/orders/{loss['id']}", json={"stop_price": "590"}).raise_for_status().json()
    assert (new["status"], new["stop_price"], new["group_id"]) == ("held", "590", entry["group_id"])
    advance(api, "close")
    # placed in the session: it meets the close of 586.19
    assert (read(api, new["id"])["status"], read(api, new["id"])["filled_avg_price"]) == ("filled", "586.19")
    assert read(api, profit["id"])["status"] == "canceled"
    assert [leg["id"] for leg in read(api, entry["id"])["legs"]] == [profit["id"], new["id"]]


def test_a_trailing_stop_gets_another_trail(api: httpx.Client) -> None:
    advance(api, "open")
    number = send(api, type="trailing_stop", limit_price=None, trail_percent="5")["id"]
    new = api.patch(f"/v2/orders/{number}", json={"trail": "10"}).raise_for_status().json()
    # the session opened at 593.65
    assert (new["trail_percent"], new["hwm"], new["stop_price"]) == ("10", "593.65", "653.015")
