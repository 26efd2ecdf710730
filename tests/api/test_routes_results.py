from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import httpx


def test_performance_is_of_the_scope_asked_for(api: httpx.Client) -> None:
    scopes = api.get("/api/performance/scopes").json()
    assert scopes == ["momentum_rotation", "portfolio", "sma_crossover"]
    found = api.get("/api/performance", params={"scope": "sma_crossover"}).json()
    assert found["scope"] == "sma_crossover"
    assert found["metrics"]["sharpe"] == 0.84
    assert (found["period_end"], found["benchmark"]) == ("2012-12-07", "MSFT")


def test_the_longest_period_that_ends_last_is_shown(own_api: httpx.Client, execute_in_own: Any) -> None:
    execute_in_own(
        "INSERT INTO analytics.performance (account, scope, period_start, period_end, metrics) VALUES "
        "('SIM0002', 'portfolio', '2012-12-01', '2012-12-07', '{}'), "
        "('SIM0002', 'portfolio', '2012-01-01', '2012-12-06', '{}')"
    )
    assert own_api.get("/api/performance").json()["metrics"]["sharpe"] == 0.84


def test_a_backtest_shows_its_equity_trades_and_assumptions(api: httpx.Client) -> None:
    [listed] = api.get("/api/backtests", params={"strategy": "sma_crossover"}).json()
    detail = api.get(f"/api/backtests/{listed['id']}").json()
    assert listed["metrics"] == detail["metrics"]
    assert detail["equity"][0] == {"session": listed["range_start"], "equity": 100_000.0}
    assert [trade["ordinal"] for trade in detail["trades"]] == [0, 1, 2]
    assert "return" in detail["trades"][0]
    assert detail["assumptions"]["text"][0] == "fills at the next open"


def test_a_research_run_shows_every_try(api: httpx.Client) -> None:
    [listed] = api.get("/api/research").json()
    detail = api.get(f"/api/research/{listed['id']}").json()
    assert listed["tries"] == len(detail["results"]) == 6
    assert detail["results"][5]["parameters"] == {"fast": 30, "slow": 100}


def test_a_research_run_says_how_far_its_best_try_is_luck(api: httpx.Client) -> None:
    [listed] = api.get("/api/research").json()
    detail = api.get(f"/api/research/{listed['id']}").json()

    # The best of 0.3 to 0.8 a year is 0.050395 a day; the tries' daily deviation 0.011785 times 1.300141, the maximum
    # expected of six, is 0.015322 of luck; 0.035073 * sqrt(1248) / sqrt(1 + 3 * 0.050395 + 2.25 * 0.050395**2) = 1.1519
    assert detail["tries_recorded"] == 6
    assert detail["deflated_sharpe"] == pytest.approx(0.8753, abs=1e-4)


def test_a_report_is_fetched_as_a_file(api: httpx.Client) -> None:
    report = next(row for row in api.get("/api/reports").json() if row["kind"] == "tearsheet")
    file = api.get(f"/api/reports/{report['id']}/file")
    assert file.text == "<h1>tearsheet</h1>"
    assert file.headers["content-disposition"] == 'attachment; filename="tearsheet.html"'


def test_a_report_outside_the_state_directory_is_not_handed_out(api: httpx.Client) -> None:
    report = next(row for row in api.get("/api/reports").json() if row["name"] == "outside.csv")
    answer = api.get(f"/api/reports/{report['id']}/file")
    assert answer.status_code == 404
    assert "is gone" in answer.json()["error"]


def test_bars_come_oldest_first_with_their_quality(api: httpx.Client) -> None:
    answer = api.get("/api/bars/aapl", params={"start": "2012-12-05", "end": "2012-12-06"}).json()
    assert (answer["symbol"], answer["timeframe"]) == ("AAPL", "1Day")
    assert [bar["ts"] for bar in answer["items"]] == ["2012-12-05T05:00:00Z", "2012-12-06T05:00:00Z"]
    assert answer["items"][0]["quality"] == "good"


def test_a_limit_keeps_the_newest_bars(api: httpx.Client) -> None:
    items = api.get("/api/bars/AAPL", params={"limit": 2}).json()["items"]
    assert [bar["ts"][:10] for bar in items] == ["2012-12-06", "2012-12-07"]


def test_bars_are_read_in_the_prices_of_a_date(own_api: httpx.Client, execute_in_own: Any) -> None:
    execute_in_own(
        "INSERT INTO data_ingestion.corporate_actions (symbol, kind, ex_date, ratio, cash, source, ingestion_run_id) "
        "VALUES ('AAPL', 'split', '2012-12-06', 5, NULL, 'test', 1), "
        "('AAPL', 'dividend', '2012-12-07', NULL, 5.47, 'test', 1)"
    )

    def closes(**asked: str) -> list[float]:
        asked = {"start": "2012-12-05", **asked}
        return [bar["close"] for bar in own_api.get("/api/bars/AAPL", params=asked).json()["items"]]

    raw = closes()
    assert closes(adjustment="split") == pytest.approx([raw[0] / 5, raw[1], raw[2]])
    kept = 1 - 5.47 / raw[1]
    assert closes(adjustment="all") == pytest.approx([raw[0] / 5 * kept, raw[1] * kept, raw[2]])
    assert closes(adjustment="all", as_of="2012-12-06") == pytest.approx([raw[0] / 5, raw[1]])
    assert closes(adjustment="split", as_of="2012-12-05") == pytest.approx([raw[0]])
    assert own_api.get("/api/bars/AAPL", params={"adjustment": "total"}).status_code == 422


def test_the_screener_of_a_date_sees_nothing_later(api: httpx.Client, seed: Any) -> None:
    before, last, _ = seed.bars("AAPL")[-3:]
    rows = {row["symbol"]: row for row in api.get("/api/screener", params={"as_of": "2012-12-06"}).json()}
    assert rows["AAPL"]["bar_ts"] == "2012-12-06T05:00:00Z"
    assert rows["AAPL"]["change_1d"] == pytest.approx(float(last.close / before.close - 1))
    assert rows["AAPL"]["indicators"] == {}


def test_the_screener_shows_the_latest_bar_and_its_indicators(api: httpx.Client, seed: Any) -> None:
    rows = {row["symbol"]: row for row in api.get("/api/screener").json()}
    before, last = seed.bars("AAPL")[-2:]
    assert sorted(rows) == ["AAPL", "FB", "GOOG", "IBM", "MSFT"]
    assert rows["AAPL"]["close"] == float(last.close)
    assert rows["AAPL"]["change_1d"] == pytest.approx(float(last.close / before.close - 1))
    assert set(rows["AAPL"]["indicators"]) == {"sma_20", "sma_50", "rsi_14"}


def test_a_split_is_no_change_of_price(own_api: httpx.Client, execute_in_own: Any) -> None:
    execute_in_own(
        "INSERT INTO data_ingestion.corporate_actions (symbol, kind, ex_date, ratio, source, ingestion_run_id) "
        "VALUES ('AAPL', 'split', '2012-12-07', 2, 'test', 1), ('AAPL', 'split', '2012-12-06', 5, 'test', 1)"
    )
    rows = {row["symbol"]: row for row in own_api.get("/api/screener").json()}
    assert rows["AAPL"]["change_1d"] == pytest.approx(533.25 * 2 / 547.2445 - 1)


def test_a_quarantined_bar_is_not_screened(own_api: httpx.Client, execute_in_own: Any) -> None:
    execute_in_own(
        "UPDATE data_ingestion.bars SET quality = 'quarantined' WHERE symbol = 'AAPL' AND ts >= '2012-12-07'"
    )
    rows = {row["symbol"]: row for row in own_api.get("/api/screener").json()}
    assert rows["AAPL"]["bar_ts"] == "2012-12-06T05:00:00Z"


def test_the_universe_is_searched_by_symbol_and_name(api: httpx.Client) -> None:
    assert [row["symbol"] for row in api.get("/api/universe", params={"search": "100%"}).json()] == ["XOM"]
    assert [row["symbol"] for row in api.get("/api/universe", params={"tracked": False}).json()] == ["XOM"]


def test_logs_are_filtered_by_service_severity_run_time_and_text(api: httpx.Client, seed: Any) -> None:
    def levels(**parameters: Any) -> list[str]:
        items = api.get("/logs", params={"limit": 1000, **parameters}).json()["items"]
        return [item["level"] for item in items]

    assert len(levels()) == 50
    assert set(levels(level="WARNING")) == {"WARNING", "ERROR"}
    assert len(levels(service="api")) == 25
    assert len(levels(run=str(seed.RUN))) == 25
    assert len(levels(search="line 7, 100%")) == 1
    assert len(levels(search="100_")) == 0
    assert len(levels(since="2012-12-07T09:00:24")) == 2
    assert len(levels(until="2012-12-07T14:00:00Z")) == 2
    assert len(levels(since="2012-12-07", until="2012-12-07")) == 50


def test_messages_come_with_their_deliveries(api: httpx.Client) -> None:
    [health] = api.get("/api/messages", params={"kind": "health"}).json()
    assert health["deliveries"] == [
        {"channel": "inbox", "status": "failed", "attempts": 2, "error": "connection refused", "delivered_at": None}
    ]
    assert len(api.get("/api/messages").json()) == 4


def test_health_names_every_component_that_is_down(api: httpx.Client) -> None:
    answer = api.get("/health")
    checks = {check["name"]: check for check in answer.json()["checks"]}
    assert answer.status_code == 503
    assert answer.json()["status"] == "unhealthy"
    assert checks["postgresql"]["ok"]
    assert checks["migrations"]["detail"].startswith("at 0")
    assert checks["data"] == {**checks["data"], "ok": True, "detail": "newest daily bar 2012-12-07"}
    assert not checks["redis"]["ok"]
    assert all(check["latency_ms"] >= 0 and "\n" not in check["detail"] for check in checks.values())


def test_metrics_tell_the_books_and_count_requests(api: httpx.Client) -> None:
    api.get("/api/orders/1")
    api.get("/api/orders/2")
    text = api.get("/metrics").text
    equity = api.get("/api/portfolio").json()["equity"]
    assert f'trading_equity{{account="SIM0002"}} {equity}' in text
    assert 'trading_positions{account="SIM0002"} 3.0' in text
    assert 'trading_open_orders{account="SIM0002"} 1.0' in text
    assert 'trading_orders{account="SIM0002",status="filled"} 8.0' in text
    assert 'trading_fills{account="SIM0002"} 8.0' in text
    assert "trading_signals 8.0" in text
    assert 'trading_limit_breaches{account="SIM0002"} 1.0' in text
    assert 'trading_trading_state{account="SIM0002",state="ACTIVE"} 1.0' in text
    assert "trading_messages_undelivered 1.0" in text
    assert 'trading_last_bar_age_seconds{timeframe="1Day"} 58800.0' in text  # midnight to 16:20
    assert 'route="/api/orders/{order_id}"' in text
    assert "/api/orders/1" not in text


def test_health_notices_old_migrations_and_stale_data(own_api: httpx.Client, execute_in_own: Any) -> None:
    execute_in_own("UPDATE alembic_version SET version_num = '0000'")
    execute_in_own("UPDATE execution.accounts SET last_seen_at = '2012-12-12 16:00+00' WHERE account = 'SIM0002'")
    checks = {check["name"]: check for check in own_api.get("/health").json()["checks"]}
    assert not checks["migrations"]["ok"]
    assert "alembic upgrade head" in checks["migrations"]["detail"]
    assert not checks["data"]["ok"]
    assert "due 2012-12-11" in checks["data"]["detail"]


def test_a_figure_that_is_no_number_is_null(own_api: httpx.Client, execute_in_own: Any) -> None:
    execute_in_own("UPDATE strategy_engine.indicator_values SET value = 'NaN' WHERE indicator = 'rsi_14'")
    execute_in_own("UPDATE risk_management.risk_snapshots SET beta = 'Infinity'")
    assert {row["indicators"]["rsi_14"] for row in own_api.get("/api/screener").json()} == {None}
    assert own_api.get("/api/risk").json()["snapshot"]["beta"] is None
