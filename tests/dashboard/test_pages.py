from __future__ import annotations

import socket
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from streamlit.testing.v1 import AppTest

import dashboard

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

TABS = {
    "analysis": ("Performance", "Round trips", "Backtests", "Research", "Reports"),
    "author": ("Definition", "Status", "Versions", "Backtest", "New strategy"),
    "settings": ("Universe", "Data quality", "Risk limits", "Health", "Messages", "Logs", "Configuration"),
    "portfolio-tab": ("Orders", "Fills", "Signals", "Trading state"),
}
EVERY_TAB = [(page, key, tab) for key, tabs in TABS.items() for tab in tabs for page in (key.removesuffix("-tab"),)]


def chosen(row: int) -> dict[str, Any]:
    """Return the state of a table in which a person chose a row."""
    return {"selection": {"rows": [row], "columns": [], "cells": []}}


def written(app: AppTest) -> str:
    """Return everything that a page says outside its tables and widgets."""
    parts = [*app.markdown, *app.caption, *app.get("html"), *app.error, *app.warning, *app.info]
    return "\n".join(str(getattr(part, "value", "") or getattr(part.proto, "body", "")) for part in parts)


@pytest.mark.parametrize(("page", "key", "tab"), EVERY_TAB)
def test_every_tab_shows_the_seeded_world(
    look_at: Callable[..., AppTest], api: httpx.Client, page: str, key: str, tab: str
) -> None:
    app = look_at(page, api, **{key: tab})
    assert [error.value for error in app.error] == []
    assert len(app.get("html")) + len(app.dataframe) + len(app.button) > 1


@pytest.mark.parametrize("page", ["portfolio", "analysis", "screener", "author", "settings"])
def test_every_page_of_an_empty_system_says_what_to_do(
    look_at: Callable[..., AppTest], empty_api: httpx.Client, page: str
) -> None:
    app = look_at(page, empty_api)
    assert [error.value for error in app.error] == []
    assert "`" in written(app)


@pytest.mark.parametrize("page", ["portfolio", "analysis", "screener", "author", "settings"])
def test_every_page_says_that_the_api_does_not_answer(look_at: Callable[..., AppTest], page: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        app = look_at(page, address)
    assert [error.value for error in app.error] == [
        f"the api does not answer at {address}; is the system running? `trading status`"
    ]


def test_a_refused_token_is_never_shown(look_at: Callable[..., AppTest], api: httpx.Client) -> None:
    app = look_at("portfolio", api, token="wrong-secret")
    assert "TRADING_API_TOKEN" in app.error[0].value
    assert "wrong-secret" not in str(app)


def test_the_entry_opens_on_the_portfolio(monkeypatch: pytest.MonkeyPatch, api: httpx.Client) -> None:
    monkeypatch.setenv("TRADING_API_URL", str(api.base_url).rstrip("/"))
    monkeypatch.setenv("TRADING_API_TOKEN", api.headers["Authorization"].removeprefix("Bearer "))
    app = AppTest.from_file(str(Path(dashboard.__file__).with_name("app.py")), default_timeout=30).run()
    assert not app.exception
    assert "<h1>Portfolio</h1>" in written(app)
    assert app.metric[0].label == "Equity"


def test_the_portfolio_shows_the_accounts_figures(look_at: Callable[..., AppTest], api: httpx.Client) -> None:
    found = api.get("/api/portfolio").json()
    app = look_at("portfolio", api)
    figures = {metric.label: metric.value for metric in app.metric}
    assert figures["Equity"] == f"${found['equity']:,.2f}"
    assert figures["Cash"] == f"${found['cash']:,.2f}"
    positions = next(table.value for table in app.dataframe if "Unrealised" in table.value.columns)
    assert sorted(positions["Symbol"]) == sorted(row["symbol"] for row in found["positions"])


def test_another_account_can_be_looked_at(look_at: Callable[..., AppTest], api: httpx.Client) -> None:
    names = [row["account"] for row in api.get("/api/accounts").json()]
    app = look_at("portfolio", api, account=names[1])
    assert f"opened with ${api.get('/api/accounts').json()[1]['opening_equity']:,.2f}" in written(app)


def test_an_order_leads_back_to_its_signal(look_at: Callable[..., AppTest], api: httpx.Client) -> None:
    orders = api.get("/api/orders", params={"limit": 100}).json()["items"]
    row = next(number for number, order in enumerate(orders) if order["risk_decision_id"] is not None)
    detail = api.get(f"/api/orders/{orders[row]['id']}").json()
    said = written(look_at("portfolio", api, orders=chosen(row)))
    assert f"Order {orders[row]['id']}" in said
    assert detail["lineage"]["signal"]["strategy_version"] in said
    assert detail["lineage"]["decision"]["verdict"] in said


def test_a_change_of_the_trading_state_needs_a_reason_and_a_tick(
    look_at: Callable[..., AppTest], own_api: httpx.Client
) -> None:
    app = look_at("portfolio", own_api, **{"portfolio-tab": "Trading state"})
    next(item for item in app.radio if item.label == "Trading state").set_value("HALTED")
    press(app, "Change trading state")
    assert "Give a reason" in app.warning[0].value
    assert own_api.get("/api/risk").json()["trading_state"]["state"] == "ACTIVE"


def test_trading_can_be_halted(look_at: Callable[..., AppTest], own_api: httpx.Client) -> None:
    app = look_at("portfolio", own_api, **{"portfolio-tab": "Trading state"})
    next(item for item in app.radio if item.label == "Trading state").set_value("HALTED")
    next(item for item in app.text_input if item.label == "Reason").set_value("a test of the brakes")
    app.checkbox[0].check()
    press(app, "Change trading state")
    state = own_api.get("/api/risk").json()["trading_state"]
    assert (state["state"], state["reason"]) == ("HALTED", "a test of the brakes")
    assert "HALTED" in written(app)


def test_a_limit_is_set_and_put_back(look_at: Callable[..., AppTest], own_api: httpx.Client) -> None:
    def value() -> float:
        found = {limit["name"]: limit["value"] for limit in own_api.get("/api/risk").json()["limits"]}
        return float(found["max_drawdown"])

    names = [limit["name"] for limit in own_api.get("/api/risk").json()["limits"]]
    default = value()
    app = look_at("settings", own_api, settings="Risk limits", limits=chosen(names.index("max_drawdown")))
    app.number_input(key="limit-value-max_drawdown").set_value(0.2)
    press(app, "Set limit")
    assert value() == 0.2
    press(app, "Back to the default")
    assert value() == default


FB = "FB-1Day-2012-06-18T04:00:00Z"
OPEN_FB: dict[str, Any] = {"settings": "Data quality", "quality-rule": "price_jumps"}
OPEN_FB["quality-issues-1-price_jumps"] = chosen(0)
RECORD = "/api/quality/bars/FB/1Day/2012-06-18"


def test_issues_are_counted_filtered_and_shown(look_at: Callable[..., AppTest], api: httpx.Client) -> None:
    app = look_at("settings", api, settings="Data quality")
    counts, issues, left_out = (table.value for table in app.dataframe)
    assert dict(zip(counts["Rule"], counts["Suspect"], strict=True))["Volume spikes"] == 2
    assert issues["Symbol"].tolist() == ["AAPL", "IBM", "FB", "FB"]
    assert issues["The bar now"].tolist() == ["✕ missing", "● good", "● good", "▲ suspect"]
    assert left_out["Symbol"].tolist() == ["XOM"]
    app.text_input(key="quality-symbol").set_value("ibm").run()
    assert app.dataframe[1].value["Symbol"].tolist() == ["IBM"]
    app.text_input(key="quality-symbol").set_value("IBN").run()
    assert "did you mean 'IBM'?" in app.error[0].value
    assert app.dataframe[-1].value["Symbol"].tolist() == ["XOM"]


def test_a_long_list_of_issues_is_walked_in_pages(
    look_at: Callable[..., AppTest], api: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboard.views.settings.quality.PAGE", 3)
    app = look_at("settings", api, settings="Data quality", **{"quality-issues-1": chosen(1)})
    assert "IBM 2012-07-31" in written(app)
    press(app, "Older")
    assert app.dataframe[1].value["Bar"].tolist() == ["2012-06-18"]
    assert "Release the bar" not in [button.label for button in app.button]
    press(app, "Newer")
    assert app.dataframe[1].value["Symbol"].tolist() == ["AAPL", "IBM", "FB"]


def test_no_issue_and_no_exclusion_is_said(look_at: Callable[..., AppTest], api: httpx.Client) -> None:
    days = {"quality-since": date(2013, 1, 1), "quality-session": date(2012, 12, 6)}
    said = written(look_at("settings", api, settings="Data quality", **days))
    assert "No issue matches the filter." in said
    assert "No symbol was left out of 2012-12-06." in said


def test_a_bar_is_released_with_a_name_and_a_reason(look_at: Callable[..., AppTest], own_api: httpx.Client) -> None:
    app = look_at("settings", own_api, **OPEN_FB)
    assert "FB 2012-06-18" in written(app)
    press(app, "Release the bar")
    assert "Give your name and a reason" in app.warning[0].value
    assert own_api.get(RECORD).json()["bar"]["quality"] == "suspect"
    app.text_input(key=f"release-{FB}-who").set_value("ann")
    app.text_input(key=f"release-{FB}-why").set_value("seen on the tape")
    press(app, "Release the bar")
    found = own_api.get(RECORD).json()
    assert found["bar"]["quality"] == "good"
    assert (found["decisions"][0]["who"], found["decisions"][0]["why"]) == ("ann", "seen on the tape")
    assert "The bar is good" in written(app)
    assert not any(button.label.startswith("Release") for button in app.button)
    app.session_state["quality-issues-1-volume_spikes"] = chosen(0)
    app.selectbox(key="quality-rule").set_value("volume_spikes").run()
    assert next(item.value for item in app.text_input if item.label == "Your name") == "ann"


def test_a_bar_is_corrected_and_contradicting_prices_are_not(
    look_at: Callable[..., AppTest], own_api: httpx.Client
) -> None:
    before = own_api.get(RECORD).json()["bar"]
    app = look_at("settings", own_api, **OPEN_FB)
    assert app.number_input(key=f"correct-{FB}-close").value == before["close"]
    app.number_input(key=f"correct-{FB}-low").set_value(before["high"] + 1)
    app.text_input(key=f"correct-{FB}-who").set_value("ann")
    app.text_input(key=f"correct-{FB}-why").set_value("the exchange says so")
    press(app, "Correct the bar")
    assert "low <= open" in app.error[0].value
    assert own_api.get(RECORD).json()["bar"] == before
    app.number_input(key=f"correct-{FB}-low").set_value(before["low"] - 1)
    press(app, "Correct the bar")
    assert [error.value for error in app.error] == []
    after = own_api.get(RECORD).json()["bar"]
    assert after == {**before, "low": before["low"] - 1, "quality": "good", "source": "person"}
    history = next(table.value for table in app.dataframe if "Who" in table.value.columns)
    assert history["What"].tolist() == ["correct"]
    assert "→" in history["Low"][0]
    assert "→" not in history["Close"][0]


def test_a_bar_without_figures_needs_them_all(
    look_at: Callable[..., AppTest], own_api: httpx.Client, execute_in_own: Callable[[str], None]
) -> None:
    execute_in_own(
        "UPDATE data_ingestion.bars SET open = NULL, close = -5000000, volume = NULL "
        "WHERE symbol = 'FB' AND ts = '2012-06-18 04:00+00'"
    )
    app = look_at("settings", own_api, **OPEN_FB)
    press(app, "Correct the bar")
    assert "Give all four prices and the volume" in app.warning[0].value


def test_a_missing_bar_has_nothing_to_decide_on(look_at: Callable[..., AppTest], api: httpx.Client) -> None:
    app = look_at("settings", api, settings="Data quality", **{"quality-issues-1": chosen(0)})
    assert "There is no such bar" in written(app)
    assert [button.label for button in app.button] == []


def test_a_refused_limit_shows_the_apis_line(look_at: Callable[..., AppTest], own_api: httpx.Client) -> None:
    names = [limit["name"] for limit in own_api.get("/api/risk").json()["limits"]]
    app = look_at("settings", own_api, settings="Risk limits", limits=chosen(names.index("max_drawdown")))
    app.number_input(key="limit-value-max_drawdown").set_value(-3.0)
    press(app, "Set limit")
    assert "max_drawdown" in app.error[0].value
    assert "\n" not in app.error[0].value


def test_a_strategy_is_paused(look_at: Callable[..., AppTest], own_api: httpx.Client) -> None:
    app = look_at("author", own_api, author="Status", strategies=chosen(0))
    name = own_api.get("/api/strategies").json()[0]["name"]
    next(item for item in app.radio if item.label == "Status").set_value("paused")
    press(app, "Change status")
    assert own_api.get(f"/api/strategies/{name}").json()["status"] == "paused"


def test_a_strategy_that_was_not_checked_is_activated_with_a_reason(
    look_at: Callable[..., AppTest], own_api: httpx.Client
) -> None:
    own_api.post("/api/strategies/sma_crossover/status", json={"status": "paused"})

    def activated(reason: str) -> AppTest:
        app = look_at("author", own_api, author="Status", **{"author-strategy": "sma_crossover"})
        next(item for item in app.radio if item.label == "Status").set_value("active")
        app.text_input(key="anyway-sma_crossover-paused").set_value(reason)
        press(app, "Change status")
        return app

    assert "was never checked" in activated("").error[0].value
    assert own_api.get("/api/strategies/sma_crossover").json()["status"] == "paused"
    activated("a trial on paper")
    assert own_api.get("/api/strategies/sma_crossover").json()["status"] == "active"


def test_an_edited_strategy_becomes_a_new_version(look_at: Callable[..., AppTest], own_api: httpx.Client) -> None:
    before = own_api.get("/api/strategies/sma_crossover").json()
    app = look_at("author", own_api, author="Definition", **{"author-strategy": "sma_crossover"})
    key = f"edit-sma_crossover-{before['version']}.rule.sma_crossover.fast"
    app.number_input(key=key).set_value(7)
    press(app, "Save as new version")
    after = own_api.get("/api/strategies/sma_crossover").json()
    assert after["definition"]["rule"]["fast"] == 7
    assert len(after["versions"]) == len(before["versions"]) + 1


def test_a_wrong_definition_shows_the_apis_line_and_saves_nothing(
    look_at: Callable[..., AppTest], own_api: httpx.Client
) -> None:
    before = own_api.get("/api/strategies/sma_crossover").json()
    app = look_at("author", own_api, author="Definition", **{"author-strategy": "sma_crossover"})
    key = f"edit-sma_crossover-{before['version']}"
    app.number_input(key=f"{key}.rule.sma_crossover.fast").set_value(90)
    press(app, "Save as new version")
    assert len(app.error) == 1
    assert "\n" not in app.error[0].value
    assert own_api.get("/api/strategies/sma_crossover").json()["version"] == before["version"]


def test_an_unchanged_definition_is_not_saved(look_at: Callable[..., AppTest], own_api: httpx.Client) -> None:
    app = look_at("author", own_api, author="Definition")
    press(app, "Save as new version")
    assert app.info[0].value == "Nothing has been changed."


def test_a_new_strategy_starts_from_another(look_at: Callable[..., AppTest], own_api: httpx.Client) -> None:
    app = look_at("author", own_api, author="New strategy")
    app.text_input(key="new-name").set_value("slow_crossover")
    app.selectbox(key="new-template").set_value("sma_crossover").run()
    press(app, "Create strategy")
    assert [error.value for error in app.error] == []
    assert own_api.get("/api/strategies/slow_crossover").json()["definition"]["rule"]["kind"] == "sma_crossover"


def test_the_screener_keeps_what_passes_the_filter(look_at: Callable[..., AppTest], api: httpx.Client) -> None:
    app = look_at("screener", api)
    next(item for item in app.text_input if item.label == "Symbol").set_value("ib").run()
    assert app.dataframe[0].value["Symbol"].tolist() == ["IBM"]


def test_a_run_that_cannot_start_shows_why(look_at: Callable[..., AppTest], api: httpx.Client) -> None:
    app = look_at("author", api, author="Backtest")
    press(app, "Start backtest")
    assert "Prefect" in app.error[0].value


def press(app: AppTest, label: str) -> None:
    next(button for button in app.button if button.label.startswith(label)).click().run()
    assert not app.exception, app.exception[0].value
