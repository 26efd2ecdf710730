from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
import talib
from redis import Redis

from tasks.strategy_engine import indicators
from tests.ports import free_port
from trading.calendar import sessions
from trading.errors import UnknownNameError

if TYPE_CHECKING:
    from tests.deployments.data.conftest import Data

FIRST, LAST = date(2009, 1, 2), date(2012, 6, 29)
AS_OF = datetime(2012, 6, 30, 12, tzinfo=UTC)
STORED = "SELECT symbol, indicator, value FROM strategy_engine.indicator_values ORDER BY symbol, indicator"


@pytest.fixture
def closes(data: Data, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[float]]:
    """Store two symbols with a bar for every session, and let the step find them; no Redis answers."""
    monkeypatch.setattr(indicators, "database", lambda: data.engine)
    monkeypatch.setattr(indicators, "cache", lambda _: Redis(port=free_port()))
    days = sessions(FIRST, LAST)
    found = {}
    for seed, symbol in enumerate(("AAA", "BBB")):
        moves = np.random.default_rng(seed).normal(0, 0.02, len(days))
        found[symbol] = [round(price, 4) for price in 50 * np.exp(np.cumsum(moves))]
        data.plant(symbol, days, found[symbol])
    return found


def test_latest_values_of_core_and_long_tail_are_those_of_the_whole_history(
    closes: dict[str, list[float]], data: Data
) -> None:
    asked = ["rsi_14", "natr_14", "tsi_signal"]
    report = indicators.compute_indicators.fn(list(closes), indicators=asked, timeframe="1Day", as_of=AS_OF)

    assert report.figures["values"] == len(asked) * len(closes)
    assert report.notes == ["not cached, Redis does not answer (ConnectionError); the values are in the database"]
    stored = {(symbol, name): float(value) for symbol, name, value in data.rows(STORED)}
    assert len(stored) == len(asked) * len(closes)
    for symbol, prices in closes.items():
        close = np.array(prices)
        assert stored[symbol, "rsi_14"] == pytest.approx(talib.RSI(close, 14)[-1], abs=1e-6)
        assert stored[symbol, "natr_14"] == pytest.approx(talib.NATR(close, close, close, 14)[-1], abs=1e-6)
        change = pd.Series(close).diff()
        parts = [moves.ewm(span=25, adjust=False).mean().ewm(span=13, adjust=False).mean() for moves in
                 (change.fillna(0), change.abs().fillna(0))]  # fmt: skip
        signal = (100 * parts[0] / parts[1]).iloc[200:].ewm(span=13, adjust=False).mean().iloc[-1]
        assert stored[symbol, "tsi_signal"] == pytest.approx(signal, abs=1e-6)


@pytest.mark.usefixtures("closes")
def test_an_unknown_indicator_stores_nothing(data: Data) -> None:
    with pytest.raises(UnknownNameError, match="unknown indicator 'supertrnd'; did you mean 'supertrend'"):
        indicators.compute_indicators.fn(["AAA"], indicators=["sma_20", "supertrnd_10"], timeframe="1Day", as_of=AS_OF)
    assert data.rows(STORED) == []
