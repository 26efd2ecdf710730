"""Every fault as a client meets it."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from simulator.faults.models import Latency, RequestFault
from simulator.faults.register import Faults

ORDER = {"symbol": "AAPL", "side": "buy", "type": "market", "time_in_force": "day", "qty": "10"}


def arm(api: httpx.Client, **fault: Any) -> Any:
    return api.post("/simulator/faults", json=fault).raise_for_status().json()


def send(api: httpx.Client, **fields: Any) -> httpx.Response:
    return api.post("/v2/orders", json={**ORDER, **fields})


def advance(api: httpx.Client, step: str = "session") -> None:
    api.post("/simulator/clock", json={"advance": step}).raise_for_status()


def known(api: httpx.Client) -> int:
    return len(api.get("/v2/orders", params={"status": "all"}).raise_for_status().json())


@pytest.mark.parametrize(("when", "orders"), [("before", 0), ("after", 1)])
@pytest.mark.parametrize("status", [429, 500, 504])
def test_an_error_before_or_after_the_order_was_taken(api: httpx.Client, status: int, when: str, orders: int) -> None:
    arm(api, kind="error", status=status, when=when, method="POST")
    assert send(api).status_code == status
    assert known(api) == orders
    assert send(api).status_code == 200


@pytest.mark.parametrize(("when", "orders"), [("before", 0), ("after", 1)])
def test_a_connection_is_reset(api: httpx.Client, when: str, orders: int) -> None:
    arm(api, kind="reset", when=when, method="POST")
    with pytest.raises(httpx.ReadError) as caught:
        send(api)
    causes = []
    error: BaseException | None = caught.value
    while error is not None:
        causes.append(type(error))
        error = error.__cause__ or error.__context__
    assert ConnectionResetError in causes
    assert known(api) == orders


@pytest.mark.parametrize(("when", "orders"), [("before", 0), ("after", 1)])
def test_a_request_hangs(api: httpx.Client, when: str, orders: int) -> None:
    arm(api, kind="hang", when=when, method="POST")
    with pytest.raises(httpx.ReadTimeout):
        api.post("/v2/orders", json=ORDER, timeout=0.3)
    assert known(api) == orders


def test_a_hang_ends_with_the_connection(api: httpx.Client) -> None:
    arm(api, kind="hang", seconds=0.2, method="POST")
    with pytest.raises(httpx.TransportError):
        send(api)


def test_latency_is_waited(api: httpx.Client) -> None:
    arm(api, kind="latency", seconds=0.3, path="/v2/account")
    begun = time.perf_counter()
    assert api.get("/v2/account").status_code == 200
    assert time.perf_counter() - begun >= 0.3
    assert api.get("/simulator/faults").json()[0]["hits"] == 1


def test_an_answer_is_cut_off(api: httpx.Client) -> None:
    arm(api, kind="garbage", method="POST")
    answer = send(api)
    assert answer.status_code == 200
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        answer.json()
    assert known(api) == 1


def test_a_fault_hits_only_what_it_names(api: httpx.Client) -> None:
    arm(api, kind="error", path="/v2/positions*", count=None)
    assert send(api).status_code == 200
    assert [api.get("/v2/positions").status_code for _ in range(3)] == [500, 500, 500]
    assert api.get("/health").status_code == 200
    assert api.delete("/simulator/faults").json() == {"disarmed": 1}
    assert api.get("/v2/positions").status_code == 200


def test_an_order_is_taken_and_then_rejected(api: httpx.Client) -> None:
    arm(api, kind="reject", symbol="AAPL")
    answer = send(api)
    assert (answer.status_code, answer.json()["status"]) == (200, "pending_new")
    order = api.get(f"/v2/orders/{answer.json()['id']}").json()
    assert (order["status"], order["failed_at"] is not None) == ("rejected", True)
    assert api.get("/v2/account").json()["buying_power"] == "200000.00"


def test_a_fill_comes_in_two_parts(api: httpx.Client) -> None:
    arm(api, kind="partial_fill", fraction=0.25)
    number = send(api).json()["id"]
    advance(api, "open")
    order = api.get(f"/v2/orders/{number}").json()
    assert (order["status"], order["filled_qty"], order["filled_avg_price"]) == ("partially_filled", "2", "593.65")
    advance(api, "close")
    order = api.get(f"/v2/orders/{number}").json()
    # two at the open of 593.65, eight at the close of 586.19
    assert (order["status"], order["filled_qty"], order["filled_avg_price"]) == ("filled", "10", "587.682")
    fills = api.get("/v2/account/activities/FILL", params={"direction": "asc"}).json()
    assert [(fill["type"], fill["qty"], fill["cum_qty"], fill["leaves_qty"]) for fill in fills] == [
        ("partial_fill", "2", "2", "8"),
        ("fill", "8", "10", "0"),
    ]
    assert api.get("/v2/positions/AAPL").json()["qty"] == "10"


@pytest.mark.parametrize(("fraction", "status", "filled"), [(1, "filled", "10"), (0.5, "canceled", "5")])
def test_a_fill_comes_after_the_cancel(api: httpx.Client, fraction: float, status: str, filled: str) -> None:
    number = send(api).json()["id"]
    arm(api, kind="late_fill", fraction=fraction, seconds=0.3)
    assert api.delete(f"/v2/orders/{number}").status_code == 204
    order = api.get(f"/v2/orders/{number}").json()
    assert (order["status"], order["filled_qty"]) == ("canceled", "0")
    time.sleep(0.5)
    order = api.get(f"/v2/orders/{number}").json()
    assert (order["status"], order["filled_qty"]) == (status, filled)
    assert order["canceled_at"] is not None
    assert api.get("/v2/positions/AAPL").json()["qty"] == filled


@pytest.mark.parametrize(("limit", "status"), [("1", "canceled"), ("900", "filled")])
def test_a_cancel_races_a_fill(api: httpx.Client, limit: str, status: str) -> None:
    number = send(api, type="limit", limit_price=limit).json()["id"]
    arm(api, kind="stuck_cancel")
    assert api.delete(f"/v2/orders/{number}").status_code == 204
    assert api.get(f"/v2/orders/{number}").json()["status"] == "pending_cancel"
    assert api.delete(f"/v2/orders/{number}").status_code == 422
    advance(api)
    assert api.get(f"/v2/orders/{number}").json()["status"] == status


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"kind": "earthquake"}, "Input tag 'earthquake'"),
        ({"kind": "error", "status": 200}, "greater than or equal to 400"),
        ({"kind": "latency", "count": 0}, "greater than or equal to 1"),
        ({"kind": "reset", "probability": 2}, "less than or equal to 1"),
        ({"kind": "reset", "whenn": "after"}, "Extra inputs"),
        ([{"kind": "reset"}, {}], "tag"),
        (5, "dict"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused_and_none_is_armed(api: httpx.Client, fault: Any, words: str) -> None:
    refused = api.post("/simulator/faults", json=fault)
    assert refused.status_code == 422
    assert words in refused.json()["message"]
    assert api.get("/simulator/faults").json() == []


def test_one_of_several_is_disarmed(api: httpx.Client) -> None:
    first, second = api.post("/simulator/faults", json=[{"kind": "reset"}, {"kind": "garbage"}]).json()
    assert api.delete(f"/simulator/faults/{first['id']}").status_code == 200
    assert api.delete(f"/simulator/faults/{first['id']}").status_code == 404
    assert [row["id"] for row in api.get("/simulator/faults").json()] == [second["id"]]


def test_a_reset_disarms(api: httpx.Client) -> None:
    arm(api, kind="error", count=None)
    api.post("/simulator/reset").raise_for_status()
    assert api.get("/simulator/faults").json() == []


def sequence(seed: str) -> list[int]:
    faults = Faults(seed)
    faults.arm(Latency(kind="latency", count=None, probability=0.3))
    return [len(faults.draw(RequestFault)) for _ in range(200)]


def test_chances_repeat_with_the_seed() -> None:
    assert sequence("a") == sequence("a") != sequence("b")
    # 200 draws of 0.3: three standard deviations are 19.4
    assert 40 <= sum(sequence("a")) <= 80


def test_a_spent_fault_hits_no_more() -> None:
    faults = Faults()
    faults.arm(Latency(kind="latency", count=2))
    assert [len(faults.draw(RequestFault)) for _ in range(4)] == [1, 1, 0, 0]
    assert faults.listed()[0]["spent"] is True
