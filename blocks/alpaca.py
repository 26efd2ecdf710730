"""The broker's credentials, and the clients they open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from prefect.blocks.core import Block
from pydantic import Field, SecretStr

if TYPE_CHECKING:
    from alpaca.common.rest import RESTClient
    from alpaca.data.historical.corporate_actions import CorporateActionsClient
    from alpaca.data.historical.stock import StockHistoricalDataClient
    from alpaca.trading.client import TradingClient

    from blocks.http_session import Note

CONNECT_SECONDS = 3.05
READ_SECONDS = 15.0


class AlpacaCredentials(Block):
    """Key, secret and addresses of one Alpaca account (live, paper or simulated)."""

    _block_type_name = "Alpaca credentials"
    _block_type_slug = "alpaca-credentials"
    _description = "Key, secret and addresses of one Alpaca account: live, paper or the simulator."
    _logo_url: ClassVar[Any] = "https://raw.githubusercontent.com/alpacahq/alpaca-py/master/docs/images/alpaca_logo.png"
    _documentation_url: ClassVar[Any] = "https://docs.alpaca.markets/docs/getting-started"
    _code_example = """
    ```python
    from blocks.alpaca import AlpacaCredentials

    account = AlpacaCredentials.load("alpaca").trading_client().get_account()
    ```
    """

    api_key: SecretStr = Field(description="Key id of the account.")
    secret_key: SecretStr = Field(description="Secret of the key.")
    trading_url: str = Field(
        default="https://paper-api.alpaca.markets", description="Trading API: paper, live or the simulator."
    )
    data_url: str = Field(default="https://data.alpaca.markets", description="Market data API.")
    data_stream_url: str = Field(
        default="wss://stream.data.alpaca.markets", description="Market data as it comes, by websocket."
    )
    feed: Literal["iex", "sip"] = Field(default="iex", description="Data feed: iex is free, sip is paid.")
    kind: Literal["simulator", "paper", "live"] = Field(
        default="paper", description="What stands behind the addresses; recorded with every account."
    )

    def trading_client(self, note: Note | None = None) -> TradingClient:
        """Return a client for orders, positions and the account: raw JSON, time limits, no silent retries.

        `note` is told the headers of answers.
        """
        from alpaca.trading.client import TradingClient

        return _prepared(TradingClient(**self._login(), url_override=self.trading_url), self.trading_url, note)

    def stock_data_client(self, note: Note | None = None) -> StockHistoricalDataClient:
        """Return a client for bars and quotes: raw JSON, time limits; `note` is told the headers of answers."""
        from alpaca.data.historical.stock import StockHistoricalDataClient

        client = StockHistoricalDataClient(**self._login(), url_override=self.data_url)
        return _prepared(client, self.data_url, note)

    def corporate_actions_client(self, note: Note | None = None) -> CorporateActionsClient:
        """Return a client for splits and dividends: raw JSON, time limits; `note` is told the headers of answers."""
        from alpaca.data.historical.corporate_actions import CorporateActionsClient

        client = CorporateActionsClient(**self._login(), url_override=self.data_url)
        return _prepared(client, self.data_url, note)

    @property
    def stream_url(self) -> str:
        """The address of the trade_updates websocket."""
        return self.trading_url.replace("http", "ws", 1).rstrip("/") + "/stream"

    def stream_login(self) -> dict[str, str]:
        """Return what the websocket is told at its login."""
        return {"key_id": self.api_key.get_secret_value(), "secret_key": self.secret_key.get_secret_value()}

    def headers(self) -> dict[str, str]:
        """Return the login headers; for the simulator's control routes."""
        return {
            "APCA-API-KEY-ID": self.api_key.get_secret_value(),
            "APCA-API-SECRET-KEY": self.secret_key.get_secret_value(),
        }

    def _login(self) -> dict[str, Any]:
        return {
            "api_key": self.api_key.get_secret_value(),
            "secret_key": self.secret_key.get_secret_value(),
            "raw_data": True,
        }


def _prepared[Client: RESTClient](client: Client, address: str, note: Note | None) -> Client:
    """Give a client its session, and take away its retries: it would place an order twice."""
    from blocks.http_session import AlpacaSession

    client._retry_codes = []  # noqa: SLF001 - alpaca-py offers no way to ask for none
    limits = CONNECT_SECONDS, READ_SECONDS
    client._session = AlpacaSession(address, limits=limits, note=note)  # noqa: SLF001 - nor is the session public
    return client
