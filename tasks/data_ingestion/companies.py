"""The companies under tickers, and what they did: what the judging of stored bars goes by."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from db.repositories import ingestion
from db.repositories.lives import lives
from trading.quality import former

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    import pandas as pd
    from sqlalchemy import Connection


def taken_tickers(connection: Connection, symbols: Sequence[str], day: date) -> dict[str, list[date]]:
    """Return the days up to `day` on which another company took a ticker that one had borne before."""
    taken: dict[str, list[date]] = defaultdict(list)
    for earlier, later in pairwise(lives(connection, symbols)):
        if earlier.symbol == later.symbol and earlier.asset_id != later.asset_id and later.first_day <= day:
            taken[later.symbol].append(later.first_day)
    return taken


def actions_apart(
    connection: Connection, symbols: Sequence[str], day: date, taken: Mapping[str, Sequence[date]]
) -> pd.DataFrame:
    """Return the actions known on `day`, those of a ticker's earlier companies under `trading.quality.former`."""
    import pandas as pd

    known = [ingestion.known_actions(connection, symbols, day=day)]
    for symbol, starts in taken.items():
        for start in starts:
            found = ingestion.known_actions(connection, [symbol], day=start - timedelta(days=1))
            known.append(found.assign(symbol=former(symbol, start)))
    return pd.concat(known)
