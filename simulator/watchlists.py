"""Watchlists: named lists of symbols, kept in the state file with the account."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar
from uuid import UUID, uuid5

from pydantic import BaseModel, ConfigDict, TypeAdapter

from simulator.errors import NotFoundError, UnprocessableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulator.store import Store


class Watchlist(BaseModel):
    """A named list of symbols, in the order they were added."""

    model_config = ConfigDict(frozen=True)

    id: str
    name: str
    symbols: list[str]
    created_at: datetime
    updated_at: datetime


_LISTS: TypeAdapter[list[Watchlist]] = TypeAdapter(list[Watchlist])


class Watchlists:
    """The account's watchlists; each change is committed when it returns."""

    FACT: ClassVar = "account watchlists"
    LONGEST_NAME: ClassVar = 64

    def __init__(self, store: Store, account_id: str) -> None:
        self._store, self._account = store, account_id

    def all(self) -> list[Watchlist]:
        """Return every watchlist, oldest first."""
        text = self._store.fact(self.FACT)
        return [] if text is None else _LISTS.validate_json(text)

    def one(self, watchlist_id: str) -> Watchlist:
        """Return a watchlist by its id."""
        return self._found([one for one in self.all() if one.id == watchlist_id], watchlist_id)

    def named(self, name: str) -> Watchlist:
        """Return a watchlist by its name."""
        return self._found([one for one in self.all() if one.name == name], name)

    @staticmethod
    def _found(found: list[Watchlist], what: str) -> Watchlist:
        if not found:
            raise NotFoundError(f"watchlist not found for {what}")
        return found[0]

    def add(self, name: str, symbols: list[str], now: datetime) -> Watchlist:
        """Make a watchlist; a name is taken once."""
        lists = self.all()
        self._check_name(lists, name)
        made = int(self._store.fact(f"{self.FACT} made") or 0) + 1
        identity = str(uuid5(UUID(self._account), f"watchlist {made}"))
        new = Watchlist(id=identity, name=name, symbols=symbols, created_at=now, updated_at=now)
        with self._store.transaction():
            self._store.set_fact(f"{self.FACT} made", str(made))
            self._save([*lists, new])
        return new

    def change(
        self, watchlist_id: str, now: datetime, *, name: str | None = None, symbols: list[str] | None = None
    ) -> Watchlist:
        """Change a watchlist; None leaves what is."""
        before = self.one(watchlist_id)
        others = [one for one in self.all() if one.id != watchlist_id]
        self._check_name(others, name)
        given = {"name": name, "symbols": symbols}
        fields = {field: value for field, value in given.items() if value is not None}
        changed = before.model_copy(update={**fields, "updated_at": now})
        with self._store.transaction():
            self._save([changed if one.id == watchlist_id else one for one in self.all()])
        return changed

    def delete(self, watchlist_id: str) -> None:
        """Delete a watchlist."""
        self.one(watchlist_id)
        with self._store.transaction():
            self._save([one for one in self.all() if one.id != watchlist_id])

    @staticmethod
    def _check_name(lists: Sequence[Watchlist], name: str | None) -> None:
        if any(one.name == name for one in lists):
            raise UnprocessableError("watchlist name must be unique")

    def _save(self, lists: list[Watchlist]) -> None:
        self._store.set_fact(self.FACT, _LISTS.dump_json(lists).decode())
