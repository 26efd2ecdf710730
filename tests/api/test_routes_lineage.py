from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx


def decided(own_api: httpx.Client) -> dict[str, Any]:
    orders = own_api.get("/api/orders?limit=1000").json()["items"]
    found: dict[str, Any] = next(row for row in orders if row["risk_decision_id"] is not None)
    return found


def test_every_name_of_an_order_leads_to_the_same_chain(api: httpx.Client) -> None:
    order = decided(api)
    detail = api.get(f"/api/orders/{order['id']}").json()
    fill, signal = detail["fills"][0], detail["lineage"]["signal"]
    names = [
        order["id"],
        f"order:{order['id']}",
        order["client_order_id"],
        order["broker_order_id"],
        f"fill:{fill['id']}",
        fill["execution_id"],
        f"signal:{signal['id']}",
    ]
    chains = [api.get(f"/api/trace/{name}").json() for name in names]

    for chain in chains:
        assert [step["order"]["id"] for step in chain["steps"]] == [order["id"]]
        assert chain["signal"]["id"] == signal["id"]
        assert chain["steps"][0]["decision"] == detail["lineage"]["decision"]
        assert chain["steps"][0]["fills"] == detail["fills"]
        assert chain["steps"][0]["events"] == detail["events"]
        assert chain["strategy_version"]["version"] == order["strategy_version"]
        assert chain["run"]["flow_run_id"] == order["flow_run_id"]
        assert chain["own"]["symbols"] == [order["symbol"]]
        assert chain["own"]["last"] == order["bar_ts"]


def test_a_bar_that_was_corrected_since_is_told_of(
    own_api: httpx.Client, rows_of_own: Callable[[str], list[Any]]
) -> None:
    order = decided(own_api)
    path = f"/api/trace/order:{order['id']}"
    before = own_api.get(path).json()
    assert before["own"]["unchanged"] is None  # the seeded signal kept no hash
    assert before["evaluated"]["unchanged"] is False  # and its run a wrong one
    rows_of_own(
        f"UPDATE strategy_engine.signals SET bars_sha256 = '{before['own']['sha256_now']}' "
        f"WHERE id = {before['signal']['id']}"
    )
    rows_of_own(
        f"UPDATE strategy_engine.strategy_runs SET bars_sha256 = '{before['evaluated']['sha256_now']}' "
        f"WHERE id = {before['run']['id']}"
    )
    same = own_api.get(path).json()
    assert same["own"]["unchanged"] is True
    assert same["evaluated"]["unchanged"] is True

    rows_of_own(
        "UPDATE data_ingestion.bars SET close = close + 1 "
        f"WHERE symbol = '{order['symbol']}' AND ts = '{order['bar_ts']}'"
    )
    after = own_api.get(path).json()
    assert after["own"]["unchanged"] is False
    assert after["evaluated"]["unchanged"] is False
    assert after["own"]["sha256"] == before["own"]["sha256_now"] != after["own"]["sha256_now"]


def test_another_symbols_correction_changes_what_was_evaluated_only(
    own_api: httpx.Client, rows_of_own: Callable[[str], list[Any]]
) -> None:
    order = decided(own_api)
    path = f"/api/trace/order:{order['id']}"
    other = "MSFT" if order["symbol"] != "MSFT" else "AAPL"
    rows_of_own(f"""UPDATE strategy_engine.strategy_runs SET undecided = '{{"{other}": "no average yet"}}'""")
    before = own_api.get(path).json()
    assert before["evaluated"]["symbols"] == sorted([order["symbol"], other])
    rows_of_own(
        f"UPDATE data_ingestion.bars SET close = close + 1 WHERE symbol = '{other}' AND ts = '{order['bar_ts']}'"
    )
    after = own_api.get(path).json()
    assert after["own"]["sha256_now"] == before["own"]["sha256_now"]
    assert after["evaluated"]["sha256_now"] != before["evaluated"]["sha256_now"]


def test_an_order_from_outside_has_only_itself(api: httpx.Client) -> None:
    chain = api.get("/api/trace/by-hand").json()
    assert chain["signal"] is chain["own"] is chain["run"] is None
    assert [step["order"]["client_order_id"] for step in chain["steps"]] == ["by-hand"]
    assert chain["steps"][0]["decision"] is None


@pytest.mark.parametrize(
    "reference", ["99999999", "order:99999999", "fill:0", "bar:1", "nothing of ours", "9" * 30, "order:²"]
)
def test_a_name_of_nothing_is_refused_in_one_line(api: httpx.Client, reference: str) -> None:
    answer = api.get(f"/api/trace/{reference}")
    assert answer.status_code == 404
    line = answer.json()["error"]
    assert line.startswith(f"nothing is named '{reference}'; expected an order, fill or signal")
    assert "\n" not in line
