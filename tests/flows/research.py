"""A Prefect server and a database with two symbols, for the tests of research: no broker, no workers."""

from __future__ import annotations

import math
from datetime import date
from typing import TYPE_CHECKING

import pandas as pd

from blocks.catalogue import POSTGRES, postgres
from db.repositories import ingestion
from db.repositories.bars import write
from tests.postgres import settings_of
from trading.calendar import bar_timestamp, sessions

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

FIRST, LAST = date(2009, 1, 2), date(2011, 12, 30)
SYMBOLS = ["ONE", "TWO"]


def plant(engine: Engine) -> None:
    """Store three years of two symbols that swing, each in its own time."""
    days = sessions(FIRST, LAST)
    frames = []
    for number, symbol in enumerate(SYMBOLS):
        swing = [math.sin(at / (17 + 9 * number)) for at in range(len(days))]
        close = [round(50 + 10 * swing[at] + at / 100 + at * 7 % 13 / 10, 2) for at in range(len(days))]
        prices = {"open": close, "high": [c + 1 for c in close], "low": [c - 1 for c in close], "close": close}
        frames.append(pd.DataFrame({"symbol": symbol, "ts": list(map(bar_timestamp, days)), **prices, "volume": 1e6}))
    bars = pd.concat(frames, ignore_index=True)
    bars = bars.assign(ts=pd.to_datetime(bars["ts"], utc=True).astype("datetime64[ns, UTC]"))
    with engine.begin() as connection:
        run = ingestion.begin(connection, source="csv", timeframe="1Day", symbols=SYMBOLS, flow_run_id=None)
        write(connection, bars, timeframe="1Day", source="csv", run=run)
        ingestion.finish(connection, run, status="completed")


def save_block(home: Path, port: int, database: str) -> None:
    """Tell the server where the database is."""
    postgres(settings_of(home, port, database)).save(POSTGRES, overwrite=True)
