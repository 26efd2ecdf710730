"""Where bars and corporate actions come from: Alpaca's data API."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from tasks.broker import call
from trading.errors import DataError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    import pandas as pd
    from alpaca.common.rest import RESTClient
    from alpaca.data.historical.corporate_actions import CorporateActionsClient
    from alpaca.data.historical.stock import StockHistoricalDataClient

    from tasks.request_budget import RequestBudget

SYMBOLS_A_REQUEST = 100
COLUMNS = ["symbol", "ts", "open", "high", "low", "close", "volume"]
NAMES = {"t": "ts", "o": "open", "h": "high", "l": "low", "c": "close", "v": "volume"}


class MarketData:
    """Raw bars and corporate actions from Alpaca's data API."""

    def __init__(
        self, bars: StockHistoricalDataClient, actions: CorporateActionsClient, *, feed: str, budget: RequestBudget
    ) -> None:
        self._bars = bars
        self._actions = actions
        self.feed = feed
        self._budget = budget

    def bars(self, symbols: Sequence[str], *, timeframe: str, start: datetime, end: datetime) -> pd.DataFrame:
        """Return unadjusted bars with `start` <= ts <= `end` (UTC) in `COLUMNS`; every page is followed."""
        import pandas as pd

        query: dict[str, Any] = {
            "symbols": ",".join(symbols),
            "timeframe": timeframe,
            "start": start.isoformat(),
            "end": end.isoformat(),
            "adjustment": "raw",
            "feed": self.feed,
            "limit": 10_000,
        }
        what = f"{timeframe} bars of {len(symbols)} symbols"
        pages = self._pages(self._bars, "/stocks/bars", query, what)
        try:
            rows = [
                {"symbol": symbol, **bar}
                for page in pages
                for symbol, bars in (page.get("bars") or {}).items()
                for bar in bars
            ]
            frame = pd.DataFrame(rows, columns=["symbol", *NAMES]).rename(columns=NAMES)
            frame["ts"] = pd.to_datetime(frame["ts"], utc=True).astype("datetime64[ns, UTC]")
            frame = frame.astype(dict.fromkeys(COLUMNS[2:], "float64"))
        except (ValueError, TypeError, AttributeError) as error:
            raise DataError(f"{what}: a bar cannot be read: {str(error).splitlines()[0]}; nothing was stored") from None
        foreign = ~(frame["symbol"].isin(list(symbols)) & frame["ts"].between(start, end))
        if foreign.any():
            bar = frame[foreign].iloc[0]
            raise DataError(f"{what}: the answer has a bar of {bar.symbol} {bar.ts}, not asked for; nothing was stored")
        return frame

    def corporate_actions(self, symbols: Sequence[str], *, start: date, end: date) -> list[dict[str, Any]]:
        """Return splits, dividends, spin-offs and renames with an ex-date in `start` .. `end`, as rows to store.

        Of spin-offs the broker does not tell the value: they come without a ratio.
        """
        query: dict[str, Any] = {
            "symbols": ",".join(symbols),
            "types": "forward_split,reverse_split,stock_dividend,cash_dividend,spin_off,name_change",
            "start": start.isoformat(),
            "end": end.isoformat(),
            "limit": 1000,
        }
        return [
            to_row(kind, action)
            for page in self._pages(self._actions, "/corporate-actions", query, "corporate actions")
            for kind, actions in page["corporate_actions"].items()
            for action in actions
        ]

    def _pages(self, client: RESTClient, path: str, query: dict[str, Any], what: str) -> Iterator[dict[str, Any]]:
        """Yield every page of an answer, each paid for from the budget."""
        seen: set[str] = set()
        while True:
            self._budget.spend()
            page = call(lambda: client.get(path, query), what)
            if not isinstance(page, dict):
                raise UnavailableError(f"{what}: the answer is not a JSON object")
            yield page
            following = page.get("next_page_token")
            if not following:
                return
            if following in seen:
                raise UnavailableError(f"{what}: the broker gives the same pages again and again")
            seen.add(following)
            query["page_token"] = following


def to_row(kind: str, raw: dict[str, Any]) -> dict[str, Any]:
    """Return an action as a row to store; a stock dividend is a split by another name."""
    row: dict[str, Any] = {"symbol": raw.get("symbol"), "ratio": None, "cash": None}
    row |= {"new_symbol": None, "shares": None}
    row |= {"source": "broker", "ex_date": date.fromisoformat(raw.get("ex_date") or raw["process_date"])}
    match kind:
        case "forward_splits" | "reverse_splits":
            return row | {"kind": "split", "ratio": float(raw["new_rate"]) / float(raw["old_rate"])}
        case "stock_dividends":
            return row | {"kind": "split", "ratio": 1 + float(raw["rate"])}
        case "cash_dividends":
            return row | {"kind": "dividend", "cash": float(raw["rate"])}
        case "spin_offs":
            shares = float(raw["new_rate"]) / float(raw["source_rate"])
            named = {"symbol": raw["source_symbol"], "new_symbol": raw["new_symbol"]}
            return row | named | {"kind": "spin_off", "shares": shares}
        case "name_changes":
            return row | {"kind": "rename", "symbol": raw["old_symbol"], "new_symbol": raw["new_symbol"]}
        case _:
            raise DataError(f"corporate actions: the broker tells of {kind}, which were not asked for")
