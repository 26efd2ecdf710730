"""Where the bars of the asset are that a symbol means on a date: under which names, on which days."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from db.repositories.lives import lives, lives_of_assets
from trading.calendar import bar_timestamp

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd
    from sqlalchemy import Connection

    from db.repositories.lives import Life

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Spell:
    """Days, both included, on which an asset's bars are stored under a symbol; None is without end.

    `borne` is whether the asset traded under it then. Where it is not, the asset took the symbol later: brokers file
    the whole history of a renamed company under its new name. A bar under the borne name counts for more.
    """

    first_day: date | None
    last_day: date | None
    symbol: str
    borne: bool = True

    def holds(self, day: date) -> bool:
        """Return whether `day` is one of its days."""
        return (self.first_day or day) <= day <= (self.last_day or day)


def spells(connection: Connection, symbols: Sequence[str], as_of: date) -> dict[str, tuple[Spell, ...]]:
    """Return, per symbol, where the bars of the asset are that it means on `as_of`, oldest first.

    A symbol means the asset that bears it on the day, else the one that bore it last before; one that nobody bore
    until then means the asset that takes it first by a rename later, of those listed by then, else nothing.
    One without a recorded life is one asset for ever. A later name of the asset leads to bars of earlier days
    only, and only to days on which no other asset is recorded under it.
    """
    recorded = lives(connection, symbols)
    own: dict[int, list[Life]] = defaultdict(list)
    for life in lives_of_assets(connection, {life.asset_id for life in recorded}) if recorded else ():
        own[life.asset_id].append(life)
    meant: dict[str, int | None] = {}
    for life in recorded:
        if life.first_day <= as_of:
            meant[life.symbol] = life.asset_id
        elif meant.get(life.symbol) is None:
            meant[life.symbol] = life.asset_id if own[life.asset_id][0].first_day <= as_of else None
    bearers: dict[str, list[Life]] = defaultdict(list)
    for life in lives(connection, {life.symbol for each in own.values() for life in each}) if own else ():
        bearers[life.symbol].append(life)
    pieces = {asset: tuple(_pieces(own[asset], bearers, as_of)) for asset in set(meant.values()) if asset is not None}
    nothing: tuple[Spell, ...] = ()
    return {
        symbol: pieces.get(meant[symbol] or 0, nothing) if symbol in meant else (Spell(None, None, symbol),)
        for symbol in symbols
    }


def names(found: Mapping[str, Sequence[Spell]]) -> list[str]:
    """Return every name that bars are stored under."""
    return sorted({spell.symbol for pieces in found.values() for spell in pieces})


def moments(spell: Spell) -> tuple[pd.Timestamp | None, pd.Timestamp | None]:
    """Return the first moment of a spell and the first one after it (UTC, New York's days); None is without end."""
    import pandas as pd

    first = None if spell.first_day is None else pd.Timestamp(bar_timestamp(spell.first_day))
    after = None if spell.last_day is None else pd.Timestamp(bar_timestamp(spell.last_day + DAY))
    return first, after


def assign(bars: pd.DataFrame, found: Mapping[str, Sequence[Spell]]) -> pd.DataFrame:
    """Return stored bars (symbol, ts, ...) under the symbols they were asked for by, by symbol and time.

    Bars of another asset under one of the names are left out; of two for one bar, the borne name's stays.
    """
    import pandas as pd

    if all(pieces == (Spell(None, None, symbol),) for symbol, pieces in found.items()):
        return bars
    stored = dict(tuple(bars.groupby("symbol", sort=False)))
    parts = []
    for symbol, pieces in found.items():
        own = [_within(stored[spell.symbol], spell) for spell in sorted(pieces, key=_rank) if spell.symbol in stored]
        if own:
            joined = pd.concat(own).drop_duplicates("ts").sort_values("ts")
            parts.append(joined.assign(symbol=symbol))
    if not parts:
        return bars.iloc[:0]
    return pd.concat(parts).sort_values(["symbol", "ts"], ignore_index=True)


def own_times(stored: Mapping[str, pd.DatetimeIndex], pieces: Sequence[Spell]) -> pd.DatetimeIndex:
    """Return, increasing, those of the times stored under each name that are an asset's."""
    import pandas as pd

    found = pd.DatetimeIndex([], tz="UTC").as_unit("ns")
    for spell in pieces:
        times = stored[spell.symbol]
        first, after = moments(spell)
        low = 0 if first is None else times.searchsorted(first)
        found = found.union(times[low : len(times) if after is None else times.searchsorted(after)])
    return found


def file_by_day(connection: Connection, bars: pd.DataFrame, *, as_of: date) -> pd.DataFrame:
    """Return delivered bars under the names they are to be stored by.

    A broker delivers the whole history of a company under its name of `as_of`. Where another company bore that
    name on a bar's day, the bar is filed under the name that its own company bore then, if that is recorded.
    """
    delivered = bars["symbol"].unique().tolist()
    found = spells(connection, delivered, as_of)
    if all(len(pieces) < 2 for pieces in found.values()):  # noqa: PLR2004 - one name only
        return bars
    filed = bars.copy()
    for symbol, pieces in found.items():
        own = bars["symbol"] == symbol
        kept = _on_days(bars, [spell for spell in pieces if spell.symbol == symbol])
        for spell in pieces:
            if spell.borne and spell.symbol != symbol:
                filed.loc[own & ~kept & _on_days(bars, [spell]), "symbol"] = spell.symbol
    return filed


def _on_days(bars: pd.DataFrame, pieces: Sequence[Spell]) -> pd.Series[bool]:
    """Return which bars are of a day that one of the spells holds."""
    held = bars["ts"].isna()
    for first, after in map(moments, pieces):
        held |= (True if first is None else bars["ts"] >= first) & (True if after is None else bars["ts"] < after)
    return held


def _rank(spell: Spell) -> bool:
    return not spell.borne


def _within(bars: pd.DataFrame, spell: Spell) -> pd.DataFrame:
    first, after = moments(spell)
    if first is not None:
        bars = bars[bars["ts"] >= first]
    return bars if after is None else bars[bars["ts"] < after]


def _pieces(own: Sequence[Life], bearers: Mapping[str, Sequence[Life]], as_of: date) -> Iterator[Spell]:
    """Yield the spells of an asset, given its lives by first day and every life under one of its names."""
    found = [Spell(life.first_day, life.last_day, life.symbol) for life in own if life.first_day <= as_of]
    begin = own[0].first_day
    for symbol in {life.symbol for life in own[1:]}:
        until = max(life.first_day for life in own if life.symbol == symbol) - DAY
        found += [Spell(first, last, symbol, borne=False) for first, last in _free(bearers[symbol], begin, until)]
    yield from sorted(found, key=lambda spell: (spell.first_day or date.min, _rank(spell), spell.symbol))


def _free(bearers: Sequence[Life], begin: date, until: date) -> Iterator[tuple[date, date]]:
    """Yield the runs of days in `begin` .. `until` on which nobody bears the symbol."""
    for life in sorted(bearers, key=lambda life: life.first_day):
        if life.first_day > until:
            break
        if life.first_day > begin:
            yield begin, life.first_day - DAY
        begin = max(begin, (life.last_day or date.max - DAY) + DAY)
    if begin <= until:
        yield begin, until
