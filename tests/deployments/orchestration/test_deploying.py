from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deployments.orchestration.deploying import with_states
from deployments.stack import bootstrapped
from trading.config import Settings

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

CYCLE: dict[str, Any] = {
    "name": "trading-cycle",
    "tags": ["execution", "trades"],
    "schedules": [{"cron": "20 9 * * 1-5", "timezone": "America/New_York", "active": False}],
}
HEALTH: dict[str, Any] = {
    "name": "monitor-system-health",
    "tags": ["notification"],
    "schedules": [{"cron": "*/5 * * * *", "timezone": "America/New_York", "active": True}],
}


def there(entry: dict[str, Any], *, active: bool) -> dict[str, Any]:
    schedule = {name: entry["schedules"][0][name] for name in ("cron", "timezone")}
    return {**entry, "schedules": [{"schedule": schedule, "active": active, "parameters": {}}]}


def active(entry: dict[str, Any]) -> bool:
    return bool(entry["schedules"][0]["active"])


def test_a_schedule_that_a_person_paused_or_resumed_stays_so() -> None:
    assert active(with_states(CYCLE, there(CYCLE, active=True), None))
    assert not active(with_states(HEALTH, there(HEALTH, active=False), None))


def test_a_change_of_broker_switches_the_schedules_that_trade_and_no_other() -> None:
    assert active(with_states(CYCLE, there(CYCLE, active=False), True))
    assert not active(with_states(CYCLE, there(CYCLE, active=True), False))
    assert not active(with_states(HEALTH, there(HEALTH, active=False), True))


def test_schedules_that_trade_are_off_for_the_simulator_on_for_alpaca_and_then_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ALPACA_API_KEY", raising=False)
    simulated = Settings.load(tmp_path)
    (tmp_path / "run").mkdir()
    assert bootstrapped.trading_switch(simulated) is False
    bootstrapped.remember(simulated, "mark", {})
    assert bootstrapped.trading_switch(simulated) is None

    monkeypatch.setenv("ALPACA_API_KEY", "a key")
    paper = Settings.load(tmp_path)
    assert bootstrapped.trading_switch(paper) is True
    bootstrapped.remember(paper, "mark", {})
    assert bootstrapped.trading_switch(paper) is None
