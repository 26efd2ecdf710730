from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from alpaca.trading.client import TradingClient
from requests.exceptions import ConnectTimeout

from blocks.alpaca import CONNECT_SECONDS, READ_SECONDS
from blocks.catalogue import alpaca
from blocks.http_session import AlpacaSession
from tasks.broker import Broker, call
from trading.errors import BrokerError, UnavailableError
from trading.order_terms import order_terms

if TYPE_CHECKING:
    from tests.stack import Stack


def test_a_timeout_proves_nothing() -> None:
    def silent() -> None:
        raise ConnectTimeout

    with pytest.raises(UnavailableError, match="no readable answer"):
        call(silent, "order x")


def test_a_wrong_key_is_refused_in_one_line(fresh_account: Stack) -> None:
    client = TradingClient("wrong", "wrong", raw_data=True, url_override=alpaca(fresh_account.settings).trading_url)

    with pytest.raises(BrokerError) as caught:
        Broker(client).account()

    assert caught.value.status == 401
    assert "\n" not in str(caught.value)


def test_the_clients_have_time_limits_and_no_retries_of_their_own(fresh_account: Stack) -> None:
    client = alpaca(fresh_account.settings).trading_client()

    assert client._retry_codes == []
    assert isinstance(client._session, AlpacaSession)
    assert client._session.limits == (CONNECT_SECONDS, READ_SECONDS)


def test_an_order_that_does_not_exist_is_none_and_not_an_error(fresh_account: Stack) -> None:
    assert Broker(alpaca(fresh_account.settings).trading_client()).find("nobody sent this") is None


def test_an_order_comes_back_as_it_was_sent(fresh_account: Stack) -> None:
    gateway = Broker(alpaca(fresh_account.settings).trading_client())

    terms = order_terms(symbol="IBM", side="buy", quantity=5, type="limit", time_in_force="gtc", limit_price="150.25")
    sent = gateway.submit(terms, client_order_id="limit-1")

    found = gateway.find("limit-1")
    assert found is not None
    assert (found.quantity, found.limit_price, found.type) == (Decimal(5), Decimal("150.25"), "limit")
    assert gateway.cancel(sent.broker_order_id)
    assert not gateway.cancel(sent.broker_order_id)
