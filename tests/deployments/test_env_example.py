from __future__ import annotations

from pathlib import Path

from deployments.env_example import render

EXAMPLE = Path(__file__).parents[2] / ".env.example"
MISSION = [
    "POSTGRES_HOST",
    "POSTGRES_PORT",
    "TRADING_DB_NAME",
    "PREFECT_DB_NAME",
    "POSTGRES_USER",
    "POSTGRES_PASSWORD",
    "REDIS_HOST",
    "REDIS_PORT",
    "REDIS_URL",
    "PREFECT_API_URL",
    "PREFECT_API_DATABASE_CONNECTION_URL",
    "DATA_INGESTION_PORT",
    "STRATEGY_ENGINE_PORT",
    "EXECUTION_PORT",
    "RISK_MANAGEMENT_PORT",
    "ANALYTICS_PORT",
    "NOTIFICATION_PORT",
    "WEB_SERVER_PORT",
    "ALPACA_API_KEY",
    "ALPACA_SECRET_KEY",
    "ALPACA_BASE_URL",
    "LOG_LEVEL",
    "LOG_RETENTION_DAYS",
]


def test_the_example_is_what_the_settings_say() -> None:
    assert EXAMPLE.read_text(encoding="utf-8") == render(), "run `python -m deployments.env_example`"


def test_every_variable_of_the_mission_document_is_in_it() -> None:
    text = render()
    assert [name for name in MISSION if f"\n# {name}=" not in text] == []
