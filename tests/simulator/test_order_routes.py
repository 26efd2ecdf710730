from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from alpaca.common.exceptions import APIError
from alpaca.trading.enums import OrderSide, OrderStatus, QueryOrderStatus, TimeInForce
from alpaca.trading.requests import GetOrdersRequest, LimitOrderRequest, MarketOrderRequest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx
    from alpaca.trading.client import TradingClient

    Check = Callable[[str, str, str, httpx.Response], Any]

ONE = "/v2/orders/{order_id}"


def order(**fields: Any) -> dict[str, Any]:
    return {"symbol": "AAPL", "side": "buy", "type": "market", "time_in_force": "day", "qty": "1", **fields}


def advance(api: httpx.Client, step: str = "session") -> None:
    api.post("/simulator/clock", json={"advance": step}).raise_for_status()


def test_every_answer_about_an_order_agrees_with_alpacas_document(api: httpx.Client, check: Check) -> None:
    posted = check("trading", "post", "/v2/orders", api.post("/v2/orders", json=order(client_order_id="mine")))
    assert (posted["status"], posted["client_order_id"], posted["qty"]) == ("pending_new", "mine", "1")
    read = check("trading", "get", ONE, api.get(f"/v2/orders/{posted['id']}"))
    assert read == {**posted, "status": "accepted"}
    by_client = "/v2/orders:by_client_order_id"
    assert check("trading", "get", by_client, api.get(by_client, params={"client_order_id": "mine"})) == read
    assert check("trading", "get", "/v2/orders", api.get("/v2/orders", params={"nested": True})) == [read]
    advance(api)
    filled = check("trading", "get", ONE, api.get(f"/v2/orders/{posted['id']}"))
    assert (filled["status"], filled["filled_qty"], filled["filled_avg_price"]) == ("filled", "1", "593.65")
    assert filled["filled_at"] == "2012-12-03T14:30:00Z"
    limit = order(type="limit", limit_price="500.5", time_in_force="gtc")
    waiting = check("trading", "post", "/v2/orders", api.post("/v2/orders", json=limit))
    assert waiting["limit_price"] == "500.5"
    check("trading", "delete", ONE, api.delete(f"/v2/orders/{waiting['id']}"))
    again = api.post("/v2/orders", json=order(qty=None, notional=250))
    check("trading", "post", "/v2/orders", again)
    canceled = check("trading", "delete", "/v2/orders", api.delete("/v2/orders"))
    assert canceled == [{"id": again.json()["id"], "status": 200}]
    assert len(check("trading", "get", "/v2/orders", api.get("/v2/orders", params={"status": "all"}))) == 3


def test_alpaca_py_drives_an_orders_life(api: httpx.Client, trading: TradingClient) -> None:
    market = MarketOrderRequest(symbol="AAPL", qty=2, side=OrderSide.BUY, time_in_force=TimeInForce.DAY)
    placed: Any = trading.submit_order(market)
    limit = LimitOrderRequest(
        symbol="MSFT", qty=3, side=OrderSide.BUY, time_in_force=TimeInForce.GTC, limit_price=20.5, client_order_id="m"
    )
    waiting: Any = trading.submit_order(limit)
    advance(api)
    filled: Any = trading.get_order_by_id(placed.id)
    assert (filled.status, filled.filled_avg_price) == (OrderStatus.FILLED, "593.65")
    still: Any = trading.get_order_by_client_id("m")
    assert (still.id, still.status) == (waiting.id, OrderStatus.NEW)
    closed: Any = trading.get_orders(GetOrdersRequest(status=QueryOrderStatus.CLOSED, symbols=["AAPL", "MSFT"]))
    assert [one.id for one in closed] == [placed.id]
    trading.cancel_order_by_id(waiting.id)
    assert trading.cancel_orders() == []
    with pytest.raises(APIError) as caught:
        trading.cancel_order_by_id(waiting.id)
    assert (caught.value.status_code, caught.value.code) == (422, 42210000)


@pytest.mark.parametrize(
    ("fields", "status", "code", "words"),
    [
        ({"client_order_id": "used"}, 422, 40010001, "client_order_id must be unique"),
        ({"qty": "1000000"}, 403, 40310000, "insufficient buying power"),
        ({"symbol": "MSFT", "side": "sell"}, 403, 40310000, "wash trade"),
        ({"type": "limit", "limit_price": "500.001"}, 422, 42210000, "sub-penny"),
        ({"type": "trailing_stop"}, 422, 42210000, "trail_price and trail_percent"),
        ({"type": "imaginary"}, 422, 42210000, "invalid type 'imaginary'"),
        ({"symbol": "NOPE"}, 422, 42210000, 'asset "NOPE" not found'),
        ({"qty": "0"}, 422, 42210000, "qty must be > 0"),
    ],
)
def test_a_refusal_carries_alpacas_code(
    api: httpx.Client, fields: dict[str, Any], status: int, code: int, words: str
) -> None:
    api.post("/v2/orders", json=order(symbol="MSFT", client_order_id="used")).raise_for_status()
    refused = api.post("/v2/orders", json=order(**fields))
    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert words in refused.json()["message"]
    assert len(api.get("/v2/orders").json()) == 1


@pytest.mark.parametrize(
    "body", [b"{", b"", b"[1]", b'"x"', b"\xff", b"[" * 200_000, b'{"symbol": "\\ud800"}', b" " * 1_000_001]
)
def test_a_body_that_is_no_order_is_400(api: httpx.Client, body: bytes) -> None:
    refused = api.post("/v2/orders", content=body, headers={"content-type": "application/json"})
    assert (refused.status_code, refused.json()["code"]) == (400, 40010000)


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3), max_leaves=5)
likely = {
    "symbol": st.sampled_from(["AAPL", "FB", "aapl", "BRK.B"]),
    "side": st.sampled_from(["buy", "sell"]),
    "type": st.sampled_from(["market", "limit", "stop", "stop_limit", "trailing_stop"]),
    "time_in_force": st.sampled_from(["day", "gtc", "opg", "cls", "ioc", "fok"]),
    "order_class": st.sampled_from(["simple", "bracket", "oco", "oto", ""]),
    "stop_price": st.decimals(0, 1000, places=2).map(str),
    "trail_percent": st.integers(1, 99),
    "take_profit": st.fixed_dictionaries({"limit_price": st.integers(1, 1000)}),
    "stop_loss": st.fixed_dictionaries({"stop_price": st.integers(1, 1000)}),
    "qty": st.decimals(allow_nan=True).map(str) | st.integers(-5, 500) | st.floats(),
    "notional": st.integers(-5, 500),
    "limit_price": st.decimals(0, 1000, places=2).map(str) | st.floats(),
    "client_order_id": st.text(max_size=130),
    "extended_hours": st.booleans(),
    "position_intent": st.sampled_from(["buy_to_open", "sell_to_close"]),
}
bodies = st.fixed_dictionaries({}, optional={name: known | values for name, known in likely.items()})


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=bodies)
def test_no_body_makes_the_simulator_stumble(api: httpx.Client, body: dict[str, Any]) -> None:
    answer = api.post("/v2/orders", content=json.dumps(body).encode())
    assert answer.status_code in {200, 400, 403, 422}
    assert isinstance(answer.json(), dict)
    if answer.status_code != 200:
        assert answer.json()["message"]


def test_numbers_in_json_may_be_no_numbers(api: httpx.Client) -> None:
    raw = b'{"symbol":"AAPL","side":"buy","type":"market","time_in_force":"day","qty":NaN}'
    refused = api.post("/v2/orders", content=raw)
    assert (refused.status_code, refused.json()["code"]) == (422, 42210000)


def test_what_does_not_exist_is_404(api: httpx.Client) -> None:
    unknown = str(UUID(int=1))
    for answer in (
        api.get(f"/v2/orders/{unknown}"),
        api.delete(f"/v2/orders/{unknown}"),
        api.get("/v2/orders:by_client_order_id", params={"client_order_id": "none"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, 40410000)
    missing = api.get("/v2/options/contracts")
    assert (missing.status_code, missing.json()["message"]) == (
        404,
        "GET /v2/options/contracts is not part of this simulator",
    )


def test_the_list_filters_sorts_and_pages(api: httpx.Client) -> None:
    placed = [
        api.post("/v2/orders", json=order(symbol=symbol)).json() for symbol in ("AAPL", "MSFT", "IBM", "AAPL", "MSFT")
    ]
    ids = [one["id"] for one in placed]

    def listed(**params: Any) -> list[str]:
        return [one["id"] for one in api.get("/v2/orders", params=params).raise_for_status().json()]

    assert listed() == ids[::-1]
    assert listed(direction="asc", limit=2) == ids[:2]
    assert listed(symbols="AAPL,IBM", direction="asc") == [ids[0], ids[2], ids[3]]
    assert listed(side="sell") == []
    assert listed(after=placed[1]["submitted_at"], direction="asc") == ids[2:]
    assert listed(until=placed[1]["submitted_at"]) == ids[:1]
    assert listed(after_order_id=ids[3]) == ids[4:]
    assert listed(before_order_id=ids[1]) == ids[:1]
    api.delete(f"/v2/orders/{ids[0]}").raise_for_status()
    assert listed(status="closed") == ids[:1]
    assert listed(status="open") == ids[:0:-1]
    assert len(listed(status="all")) == 5
    for bad in ({"limit": 501}, {"status": "some"}, {"after": "then"}, {"direction": "up"}):
        assert api.get("/v2/orders", params=bad).status_code == 422


def test_activities_agree_with_alpacas_document(api: httpx.Client, trading: TradingClient, check: Check) -> None:
    posted = api.post("/v2/orders", json=order(qty="10")).json()
    api.post("/simulator/clock", json={"to": "2013-02-08T21:00:00Z"}).raise_for_status()
    path = "/v2/account/activities"
    dividend, fill = check("trading", "get", path, api.get(path))
    assert (fill["activity_type"], fill["order_id"], fill["price"]) == ("FILL", posted["id"], "593.65")
    assert (fill["qty"], fill["cum_qty"], fill["leaves_qty"], fill["side"]) == ("10", "10", "0", "buy")
    assert "client_order_id" not in fill
    assert (dividend["activity_type"], dividend["date"], dividend["net_amount"]) == ("DIV", "2013-02-07", "26.50")
    assert re.fullmatch(r"\d{17}::[0-9a-f-]{36}", fill["id"])
    assert api.get(f"{path}/DIV").json() == [dividend]
    assert api.get(path, params={"category": "trade_activity"}).json() == [fill]
    assert api.get(path, params={"order_id": posted["id"]}).json() == [fill]
    assert api.get(path, params={"date": "2013-02-07"}).json() == [dividend]
    assert api.get(path, params={"after": "2012-12-03T14:30:00Z"}).json() == [dividend]
    assert api.get(path, params={"until": "2012-12-04"}).json() == [fill]
    raw: Any = trading.get("/account/activities/FILL")
    assert raw == [fill]


@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_activities_are_paged_by_the_last_id(api: httpx.Client, direction: str) -> None:
    for _ in range(7):
        api.post("/v2/orders", json=order()).raise_for_status()
    advance(api)
    whole = api.get("/v2/account/activities", params={"direction": direction}).json()
    assert len(whole) == 7
    seen: list[dict[str, Any]] = []
    params: dict[str, Any] = {"direction": direction, "page_size": 3}
    while page := api.get("/v2/account/activities", params=params).json():
        seen += page
        params["page_token"] = page[-1]["id"]
    assert seen == whole


@pytest.mark.parametrize("query", ["page_size=101", "page_size=0", "direction=up", "page_token=none", "after=x"])
def test_an_unanswerable_question_about_activities_is_refused(api: httpx.Client, query: str) -> None:
    assert api.get(f"/v2/account/activities?{query}").status_code == 422
