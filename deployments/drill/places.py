"""Where a drill's database, broker and Redis are, and how a process starts to work with them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pydantic import SecretStr

from blocks import AlpacaCredentials, NotificationChannels
from blocks.catalogue import ALPACA, CHANNELS, POSTGRES, REDIS, connector
from tasks import resources
from tasks.execution.reconciliation import forget_start
from tasks.request_budget import NoBudget
from trading.errors import UnknownNameError

if TYPE_CHECKING:
    from prefect.blocks.core import Block


@dataclass(frozen=True)
class Places:
    """Addresses and logins; plain, so that they can be handed to another process.

    `database` is an SQLAlchemy URL, `broker` the simulator's address; `redis_port` is 0 where there is none.
    """

    database: str = field(repr=False)
    broker: str
    key: str
    secret: str = field(repr=False)
    redis_port: int = 0
    redis_password: str = field(default="", repr=False)

    @property
    def headers(self) -> dict[str, str]:
        """What the simulator wants to see with every request."""
        return {"APCA-API-KEY-ID": self.key, "APCA-API-SECRET-KEY": self.secret}

    def block(self, name: str) -> Block:
        """Return the block of a name, as the Prefect server would."""
        match name:
            case _ if name == POSTGRES:
                kept: Block = connector(self.database)
                return kept
            case _ if name == ALPACA:
                return AlpacaCredentials(
                    api_key=SecretStr(self.key),
                    secret_key=SecretStr(self.secret),
                    trading_url=self.broker,
                    data_url=self.broker,
                    kind="simulator",
                )
            case _ if name == CHANNELS:
                return NotificationChannels(urls=[])
            case _ if name == REDIS and self.redis_port:
                from prefect_redis import RedisDatabase

                login = SecretStr(self.redis_password)
                found: Block = RedisDatabase(host="127.0.0.1", port=self.redis_port, db=0, password=login)
                return found
        raise UnknownNameError("block", name, (POSTGRES, ALPACA, CHANNELS, REDIS))

    def take(self) -> None:
        """Make this process work with these places, and with no other."""
        resources.borrow(self.block, NoBudget())
        forget_start()


def leave() -> None:
    """Let this process work with the Prefect server's blocks again."""
    resources.borrow(None)
    forget_start()
