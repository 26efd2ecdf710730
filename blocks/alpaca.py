"""The broker's credentials, and the clients they open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from prefect.blocks.core import Block
from pydantic import Field, SecretStr

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from alpaca.common.rest import RESTClient
    from alpaca.data.historical.corporate_actions import CorporateActionsClient
    from alpaca.data.historical.stock import StockHistoricalDataClient
    from alpaca.trading.client import TradingClient
    from requests import PreparedRequest, Response

type Note = Callable[[Mapping[str, str]], None]

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

        client = TradingClient(**self._login(), url_override=self.trading_url)
        return _noting(_bounded(client), note)

    def stock_data_client(self, note: Note | None = None) -> StockHistoricalDataClient:
        """Return a client for bars and quotes: raw JSON, time limits; `note` is told the headers of answers."""
        from alpaca.data.historical.stock import StockHistoricalDataClient

        return _noting(_bounded(StockHistoricalDataClient(**self._login(), url_override=self.data_url)), note)

    def corporate_actions_client(self, note: Note | None = None) -> CorporateActionsClient:
        """Return a client for splits and dividends: raw JSON, time limits; `note` is told the headers of answers."""
        from alpaca.data.historical.corporate_actions import CorporateActionsClient

        return _noting(_bounded(CorporateActionsClient(**self._login(), url_override=self.data_url)), note)

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


def _bounded[Client: RESTClient](client: Client) -> Client:
    """Give a client time limits, and take away its retries: it would place an order twice."""
    from requests.adapters import HTTPAdapter

    class Bounded(HTTPAdapter):
        def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
            kwargs["timeout"] = kwargs.get("timeout") or (CONNECT_SECONDS, READ_SECONDS)
            return super().send(request, *args, **kwargs)

    client._retry_codes = []  # noqa: SLF001 - alpaca-py offers no way to ask for none
    for scheme in ("http://", "https://"):
        client._session.mount(scheme, Bounded())  # noqa: SLF001 - the session is not public either
    return client


def _noting[Client: RESTClient](client: Client, note: Note | None) -> Client:
    if note is not None:
        hooks = client._session.hooks["response"]  # noqa: SLF001 - the session is not public
        hooks.append(lambda response, *_, **__: note(response.headers))
    return client
