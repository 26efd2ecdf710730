"""The drill's simulator, for who steers it and looks at what it has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from trading.errors import BrokerError

if TYPE_CHECKING:
    from deployments.drill.places import Places

PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Simulator:
    """Control routes and lists of the simulator at the places of a drill; it is asked directly, not through us."""

    places: Places

    @property
    def url(self) -> str:
        """Its address."""
        return self.places.broker

    def begin(self, cash: str = "1000000") -> None:
        """Open a new account with an empty history, its clock at the start, no fault armed."""
        self.control("reset", {"cash": cash})

    def advance(self, to: str) -> None:
        """Move the clock to the next `open`, `close` or, with `session`, past the next close."""
        self.control("clock", {"advance": to})

    def arm(self, *faults: dict[str, Any]) -> None:
        """Arm faults, all or none."""
        self._ask("POST", "/simulator/faults", json=list(faults))

    def disarm(self) -> None:
        """Disarm every fault."""
        self._ask("DELETE", "/simulator/faults")

    def control(self, route: str, body: dict[str, Any]) -> dict[str, Any]:
        """Post to a control route and return its answer."""
        document: dict[str, Any] = self._ask("POST", f"/simulator/{route}", json=body)
        return document

    def orders(self, status: str = "all") -> list[dict[str, Any]]:
        """Return the account's orders, oldest first; at most 500."""
        query = {"status": status, "limit": "500", "direction": "asc"}
        found: list[dict[str, Any]] = self._ask("GET", "/v2/orders", params=query)
        return found

    def fills(self) -> list[dict[str, Any]]:
        """Return the account's fills, oldest first; every page is followed."""
        found: list[dict[str, Any]] = []
        query = {"direction": "asc", "page_size": "100"}
        while page := self._ask("GET", "/v2/account/activities/FILL", params=query):
            found += page
            query["page_token"] = page[-1]["id"]
        return found

    def positions(self) -> dict[str, str]:
        """Return shares by symbol, as the broker writes them."""
        return {row["symbol"]: row["qty"] for row in self._ask("GET", "/v2/positions")}

    def account(self) -> dict[str, Any]:
        """Return the account."""
        found: dict[str, Any] = self._ask("GET", "/v2/account")
        return found

    def _ask(self, method: str, path: str, **options: Any) -> Any:
        answer = httpx.request(method, f"{self.url}{path}", headers=self.places.headers, timeout=PATIENCE, **options)
        if answer.is_error:
            raise BrokerError(f"the drill's simulator refuses {method} {path}: {answer.text}")
        return answer.json()
