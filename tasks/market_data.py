"""Where bars and corporate actions come from: Alpaca's data API."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from tasks.broker import call
from trading.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import pandas as pd
    from alpaca.common.rest import RESTClient
    from alpaca.data.historical.corporate_actions import CorporateActionsClient
    from alpaca.data.historical.stock import StockHistoricalDataClient

COLUMNS = ["symbol", "ts", "open", "high", "low", "close", "volume"]
NAMES = {"t": "ts", "o": "open", "h": "high", "l": "low", "c": "close", "v": "volume"}
SPLITS = ("forward_splits", "reverse_splits")


class MarketData:
    """Raw bars and corporate actions from Alpaca's data API."""

    def __init__(self, bars: StockHistoricalDataClient, actions: CorporateActionsClient, *, feed: str) -> None:
        self._bars = bars
        self._actions = actions
        self._feed = feed

    def bars(self, symbols: Sequence[str], *, timeframe: str, start: datetime, end: datetime) -> pd.DataFrame:
        """Return unadjusted bars with `start` <= ts <= `end` (UTC) in `COLUMNS`; every page is followed."""
        import pandas as pd

        query: dict[str, Any] = {
            "symbols": ",".join(symbols),
            "timeframe": timeframe,
            "start": start.isoformat(),
            "end": end.isoformat(),
            "adjustment": "raw",
            "feed": self._feed,
            "limit": 10_000,
        }
        rows: list[dict[str, Any]] = []
        while True:
            page = _page(self._bars, "/stocks/bars", query, what=f"{timeframe} bars of {len(symbols)} symbols")
            for symbol, bars in (page.get("bars") or {}).items():
                rows.extend({"symbol": symbol, **bar} for bar in bars)
            if not page.get("next_page_token"):
                break
            query["page_token"] = page["next_page_token"]
        if not rows:
            return pd.DataFrame(columns=COLUMNS)
        frame = pd.DataFrame(rows).rename(columns=NAMES)[COLUMNS]
        frame["ts"] = pd.to_datetime(frame["ts"], utc=True).astype("datetime64[ns, UTC]")
        return frame

    def corporate_actions(self, symbols: Sequence[str], *, start: date, end: date) -> list[dict[str, Any]]:
        """Return splits and cash dividends with an ex-date in `start` .. `end`, as rows to store."""
        query: dict[str, Any] = {
            "symbols": ",".join(symbols),
            "types": "forward_split,reverse_split,cash_dividend",
            "start": start.isoformat(),
            "end": end.isoformat(),
            "limit": 1000,
        }
        rows: list[dict[str, Any]] = []
        while True:
            page = _page(self._actions, "/corporate-actions", query, what="corporate actions")
            for kind, actions in page["corporate_actions"].items():
                rows.extend(_action(kind, action) for action in actions)
            if not page.get("next_page_token"):
                return rows
            query["page_token"] = page["next_page_token"]


def _page(client: RESTClient, path: str, query: dict[str, Any], *, what: str) -> dict[str, Any]:
    answer = call(lambda: client.get(path, query), what)
    if not isinstance(answer, dict):
        raise UnavailableError(f"{what}: the answer is not a JSON object")
    return answer


def _action(kind: str, raw: dict[str, Any]) -> dict[str, Any]:
    split = kind in SPLITS
    return {
        "symbol": raw["symbol"],
        "kind": "split" if split else "dividend",
        "ex_date": date.fromisoformat(raw["ex_date"]),
        "ratio": float(raw["new_rate"]) / float(raw["old_rate"]) if split else None,
        "cash": None if split else float(raw["rate"]),
        "source": "broker",
    }
