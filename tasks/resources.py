"""What a step works with: the database, the broker, Redis and the run it belongs to; from blocks, once a process."""

from __future__ import annotations

from functools import lru_cache
from threading import local
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from blocks import AlpacaCredentials, NotificationChannels
from blocks.catalogue import ALPACA, CHANNELS, POSTGRES, REDIS
from blocks.health import DATA_LIMIT
from db.engine import make_engine, make_lock_engine
from tasks.broker import Broker
from tasks.market_data import MarketData
from tasks.request_budget import AnnouncedBudget, RequestBudget
from trading.config import SERVICES

if TYPE_CHECKING:
    from prefect.blocks.core import Block
    from redis import Redis
    from sqlalchemy import Engine


def loaded[AnyBlock: Block](kind: type[AnyBlock], name: str) -> AnyBlock:
    """Load a block, whether or not an event loop runs in this thread."""
    return cast("AnyBlock", cast("Any", kind).load(name, _sync=True))


@lru_cache(maxsize=1)
def database() -> Engine:
    """Return this process's engine on the trading database."""
    from prefect_sqlalchemy import SqlAlchemyConnector

    connector = loaded(SqlAlchemyConnector, POSTGRES)
    return make_engine(connector.connection_info.create_url())


@lru_cache(maxsize=1)
def locks() -> Engine:
    """Return the engine for connections that hold a lock while `database` does the work."""
    return make_lock_engine(database().url)


@lru_cache(maxsize=1)
def credentials() -> AlpacaCredentials:
    """Return the broker's credentials."""
    return loaded(AlpacaCredentials, ALPACA)


_thread = local()


def broker() -> Broker:
    """Return this thread's broker: its connection stays open, and two threads never share one."""
    login = credentials()
    if getattr(_thread, "login", None) is not login:
        budget = trading_budget()
        _thread.login, _thread.broker = login, Broker(login.trading_client(budget.note), budget)
    return cast("Broker", _thread.broker)


@lru_cache(maxsize=1)
def trading_budget() -> AnnouncedBudget:
    """Return what this process knows of the trading API's request budget."""
    return AnnouncedBudget()


@lru_cache(maxsize=1)
def data_budget() -> RequestBudget:
    """Return what this process knows of the data API's request budget."""
    return RequestBudget(DATA_LIMIT)


def market_data(feed: str | None = None) -> MarketData:
    """Return this thread's source of bars and corporate actions, of the credentials' feed or of another one."""
    login, budget = credentials(), data_budget()
    if getattr(_thread, "data_of", None) != (login, budget):
        _thread.data_of = login, budget
        _thread.data = login.stock_data_client(budget.note), login.corporate_actions_client(budget.note)
    return MarketData(*_thread.data, feed=feed or login.feed, budget=budget)


@lru_cache(maxsize=1)
def channels() -> NotificationChannels:
    """Return the notification channels."""
    return loaded(NotificationChannels, CHANNELS)


@lru_cache(maxsize=len(SERVICES))
def cache(service: str) -> Redis:
    """Return the client on a service's own Redis database; what it holds may vanish at any time."""
    from prefect_redis import RedisDatabase

    block = loaded(RedisDatabase, REDIS)
    return cast("Redis", block.model_copy(update={"db": SERVICES.index(service)}).get_client())


def flow_run_id() -> UUID | None:
    """Return the id of the flow run this step belongs to, or None outside of one."""
    from prefect.runtime import flow_run

    return UUID(flow_run.id) if flow_run.id else None
