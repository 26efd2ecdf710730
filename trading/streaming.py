"""What a stream of bars has brought and still has to be stored: the latest of each bar, corrections before all."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime


class Received(Protocol):
    """A bar that came: whose, from when (UTC), and whether it corrects one sent before."""

    @property
    def symbol(self) -> str:
        """The symbol."""
        ...

    @property
    def ts(self) -> datetime:
        """The bar's start."""
        ...

    @property
    def corrected(self) -> bool:
        """Whether it replaces a bar sent before."""
        ...


@dataclass(slots=True)
class Inbox[Bar: Received]:
    """Bars received and not stored yet.

    Attributes
    ----------
    first, last
        Start of the first and the last bar wanted (UTC, both included): the regular hours of the session.
    received, corrections, unwanted
        How many bars came, how many of them were corrections, and how many were outside `first` .. `last`.
    """

    first: datetime
    last: datetime
    received: int = 0
    corrections: int = 0
    unwanted: int = 0
    _waiting: dict[tuple[str, datetime], Bar] = field(default_factory=dict)
    _corrected: set[tuple[str, datetime]] = field(default_factory=set)

    def add(self, bars: Iterable[Bar]) -> None:
        """Take bars in; an original that comes again after its correction is passed over."""
        for bar in bars:
            self.received += 1
            self.corrections += bar.corrected
            key = bar.symbol, bar.ts
            if not self.first <= bar.ts <= self.last:
                self.unwanted += 1
            elif bar.corrected or key not in self._corrected:
                self._waiting[key] = bar
                if bar.corrected:
                    self._corrected.add(key)

    def waiting(self) -> list[Bar]:
        """Return the bars to store, by symbol and time."""
        return [self._waiting[key] for key in sorted(self._waiting)]

    def stored(self, bars: Iterable[Bar]) -> None:
        """Forget bars that are stored; one that was replaced meanwhile goes on waiting."""
        for bar in bars:
            key = bar.symbol, bar.ts
            if self._waiting.get(key) is bar:
                del self._waiting[key]
