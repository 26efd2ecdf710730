from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from blocks import catalogue, health
from trading.config import Settings

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_a_stack_that_is_down_is_failed_checks_and_never_an_exception(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("REDIS_PORT", "PREFECT_PORT", "SIMULATOR_PORT", "WEB_SERVER_PORT", "DASHBOARD_PORT"):
        monkeypatch.setenv(variable, "9")
    for service in ("DATA_INGESTION", "STRATEGY_ENGINE", "EXECUTION", "RISK_MANAGEMENT", "ANALYTICS", "NOTIFICATION"):
        monkeypatch.setenv(f"{service}_PORT", "9")
    monkeypatch.setenv("PREFECT_API_URL", "")
    checks = asyncio.run(health.examine(Settings.load(tmp_path)))
    assert [check.name for check in checks if check.ok] == []
    assert len({check.name for check in checks}) == len(checks) == 15
    assert all(check.detail and "\n" not in check.detail for check in checks)
    assert all(0 <= check.latency < 20 for check in checks)
    assert set(checks[0].as_dict()) == {"name", "ok", "latency", "detail"}


def test_the_blocks_examined_are_the_blocks_saved(tmp_path: Path) -> None:
    saved = {
        name: type(block).get_block_type_slug() for name, block in catalogue.blocks(Settings.load(tmp_path)).items()
    }
    assert saved == health.BLOCK_TYPES
