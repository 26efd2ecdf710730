"""Which blocks the system keeps on the Prefect server, made from the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr
from sqlalchemy import URL, make_url

from blocks.alpaca import AlpacaCredentials
from blocks.notification import NotificationChannels

if TYPE_CHECKING:
    from prefect.blocks.core import Block
    from prefect_redis import RedisDatabase
    from prefect_sqlalchemy import SqlAlchemyConnector

    from trading.config import Settings

POSTGRES = "trading-postgres"
REDIS = "trading-redis"
ALPACA = "alpaca"
CHANNELS = "notification-channels"


def connector(address: str | URL) -> SqlAlchemyConnector:
    """Return the connector to the database at an SQLAlchemy URL."""
    from prefect_sqlalchemy import ConnectionComponents, SqlAlchemyConnector

    url = make_url(address)
    return SqlAlchemyConnector(
        connection_info=ConnectionComponents(
            driver=url.drivername,
            host=url.host,
            port=url.port,
            database=url.database,
            username=url.username,
            password=url.password,
        )
    )


def postgres(settings: Settings) -> SqlAlchemyConnector:
    """Return the connector to the trading database."""
    chosen = settings.postgres
    return connector(
        URL.create(
            "postgresql+psycopg",
            username=chosen.user,
            password=chosen.password.get_secret_value(),
            host=chosen.address,
            port=chosen.port,
            database=chosen.trading_db,
        )
    )


def redis(settings: Settings) -> RedisDatabase:
    """Return the Redis login; each service selects its own numbered database."""
    from prefect_redis import RedisDatabase

    parts = urlsplit(settings.redis.url())
    return RedisDatabase(
        host=parts.hostname or "127.0.0.1",
        port=parts.port or 6379,
        db=0,
        username=parts.username or None,
        password=SecretStr(unquote(parts.password)) if parts.password else None,
        ssl=parts.scheme == "rediss",
    )


def alpaca(settings: Settings) -> AlpacaCredentials:
    """Return the broker's credentials: Alpaca's when a key is set, else the simulator's."""
    login = settings.broker
    if settings.simulated:
        return AlpacaCredentials(
            api_key=login.key,
            secret_key=login.secret,
            trading_url=login.url,
            data_url=login.url,
            data_stream_url=f"ws://127.0.0.1:{settings.simulator.port}",
            kind="simulator",
        )
    return AlpacaCredentials(
        api_key=login.key,
        secret_key=login.secret,
        trading_url=login.url,
        data_url=settings.alpaca.data_url,
        data_stream_url=settings.alpaca.data_stream_url,
        feed=settings.alpaca.feed,
        kind="paper" if "paper" in settings.alpaca.base_url else "live",
    )


def channels(settings: Settings) -> NotificationChannels:
    """Return the notification channels."""
    return NotificationChannels(urls=[SecretStr(url) for url in settings.notification.urls.get_secret_value().split()])


def blocks(settings: Settings) -> dict[str, Block]:
    """Return every block under the name flows load it by."""
    return {
        POSTGRES: postgres(settings),
        REDIS: redis(settings),
        ALPACA: alpaca(settings),
        CHANNELS: channels(settings),
    }


def save_all(settings: Settings) -> None:
    """Register the block types and save every block on the Prefect server, replacing what was there."""
    for name, block in blocks(settings).items():
        block.save(name, overwrite=True)
