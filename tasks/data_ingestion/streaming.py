"""Streaming: minute bars written as they come, and whatever a lost connection missed asked for again."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from prefect import task
from sqlalchemy.exc import InterfaceError, OperationalError

from db.repositories import bars as bars_repository
from db.repositories import ingestion
from tasks.bar_stream import Frames, StreamedBar, TakenError, subscribed
from tasks.data_ingestion.fetching import BARS_A_CHUNK, Plan, fetch_chunk
from tasks.market_data import SYMBOLS_A_REQUEST
from tasks.policies import ONCE
from tasks.resources import broker, credentials, database, flow_run_id
from trading.calendar import close_at, open_at
from trading.coverage import chunks
from trading.errors import BrokerError, DataError, UnavailableError
from trading.report import Report
from trading.streaming import Inbox

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from trading.broker import Clock

    type Tell = Callable[[float, str], Awaitable[None]]

TIMEFRAME = "1Min"
MINUTE = timedelta(minutes=1)
BATCH_SECONDS = 1.0
"""How long bars are gathered into one transaction."""
CLOCK_SECONDS = 5.0
"""How often the broker's clock is looked at when no bar comes."""
CHECK = timedelta(minutes=5)
"""How often, by the broker's clock, history is asked whether the stream missed something."""
SETTLING = timedelta(minutes=2)
"""How long a bar may take to appear in history, or to be corrected."""
LAST_WORDS_SECONDS = 40.0
"""How long the stream is listened to after the close: the last bars and corrections are yet to come."""
SHORTEST_WAIT, LONGEST_WAIT = 2.0, 30.0
"""Bounds of the back-off: the first wait is 1 to 2 s, the longest 15 to 30 s (alpaca-py's equal jitter)."""
TAKEN_SECONDS = 120.0
"""How long a first connection is tried while the account has another, which may be a dead one."""
TELL_SECONDS = 60.0
ENDING_SECONDS = 10.0
"""How long the end waits for a question to history that is under way, before it stores what was received."""
MOST_EVENTS = 100


@task(**ONCE)
def known_symbols(symbols: Sequence[str]) -> list[str]:
    """Return the symbols that have minute bars."""
    with database().connect() as connection:
        return sorted(bars_repository.latest(connection, symbols, timeframe=TIMEFRAME))


@task(**ONCE)
async def stream_bars(
    symbols: Sequence[str], *, clock: Clock, until: datetime | None, tell: Tell | None = None
) -> tuple[Report, int]:
    """Keep the minute bars of the session current until its close, or `until` by the broker's clock.

    Every (re)connection is followed by a question to history, so is every fifth minute and the end: what the
    stream did not bring is found there. What was received is committed when the step ends, however it ends.

    Parameters
    ----------
    clock
        The broker's, during a session.
    tell
        Called about once a minute with how much of the time is over (0 .. 1) and one line of figures.

    Returns
    -------
    The report, and how many bars were new or different.

    Raises
    ------
    BrokerError
        The broker refuses key, feed or symbols, or another connection of the account stays.
    """
    stream = _Stream(list(symbols), clock, until, tell)
    return await stream.run()


@dataclass(slots=True)
class _Time:
    """The broker's clock as last looked at; while it does not answer, this machine's counts on."""

    clock: Clock
    looked: float = field(default_factory=time.monotonic)
    failed: str = ""

    async def look(self) -> datetime:
        try:
            self.clock = await asyncio.to_thread(lambda: broker().clock())
            self.looked, self.failed = time.monotonic(), ""
        except (UnavailableError, BrokerError) as error:
            self.failed = str(error)
        return self.now

    @property
    def age(self) -> float:
        return time.monotonic() - self.looked

    @property
    def now(self) -> datetime:
        return self.clock.now + timedelta(seconds=self.age) if self.failed else self.clock.now


class _Stream:
    """One run of the stream: a listener that fills the inbox, and a keeper that empties it into the table."""

    def __init__(self, symbols: list[str], clock: Clock, until: datetime | None, tell: Tell | None) -> None:
        self._symbols, self._tell = symbols, tell
        self._begin, close = open_at(clock.session), close_at(clock.session)
        self._end = min(until or close, close)
        self._time = _Time(clock)
        self._inbox: Inbox[StreamedBar] = Inbox(self._begin, close - MINUTE)
        self._frames: Frames | None = None
        self._verified = self._begin
        self._due, self._retry_at, self._told = False, 0.0, time.monotonic()
        self._heard_before = 0
        self._writing = threading.Lock()
        self._stopped = threading.Event()
        self._run = 0
        self._connections, self._broken, self._written, self._recovered, self._asked = 0, 0, 0, 0, 0
        self._lags: list[float] = []
        self._events: list[dict[str, Any]] = []

    async def run(self) -> tuple[Report, int]:
        with database().begin() as connection:
            self._run = ingestion.begin(
                connection, source="broker", timeframe=TIMEFRAME, symbols=self._symbols, flow_run_id=flow_run_id()
            )
        listener = asyncio.create_task(self._listen())
        status = "failed"
        try:
            await self._keep(listener)
            status = "completed"
        except asyncio.CancelledError:
            status = "completed"
            raise
        finally:
            self._stopped.set()
            listener.cancel()
            self._finish(status)
            with suppress(asyncio.CancelledError, BrokerError):  # raised by _keep, if it was not the end
                await listener
        return self._report(), self._written

    async def _listen(self) -> None:
        """Stay connected: after each loss try again, further and further apart until bars come."""
        from alpaca.common.utils import reconnect_delay

        login, failures, began = credentials(), 0, time.monotonic()
        url = f"{login.data_stream_url.rstrip('/')}/v2/{login.feed}"
        keys = {"key": login.api_key.get_secret_value(), "secret": login.secret_key.get_secret_value()}
        while True:
            heard = self._inbox.received
            try:
                async with subscribed(url, symbols=self._symbols, **keys) as self._frames:
                    self._connections, self._due = self._connections + 1, True
                    async for bars in self._frames:
                        self._inbox.add(bars)
            except (UnavailableError, DataError) as error:
                self._broken += isinstance(error, DataError)
                self._note(str(error))
                if isinstance(error, TakenError) and not self._connections:
                    _give_up_after(TAKEN_SECONDS, began, error)
            finally:
                self._frames = None
            failures = 1 if self._inbox.received > heard else failures + 1
            await asyncio.sleep(reconnect_delay(failures, SHORTEST_WAIT, LONGEST_WAIT))

    async def _keep(self, listener: asyncio.Task[None]) -> None:
        """Store what comes until the time is over, then what is said after it, then what history still has."""
        ended: float | None = None
        while ended is None or time.monotonic() < ended:
            await asyncio.sleep(BATCH_SECONDS)
            if listener.done():
                listener.result()
            await self._store()
            if self._time.age >= CLOCK_SECONDS:
                await self._time.look()
            if self._due or self._time.now >= self._verified + CHECK:
                await self._recover()
            await self._tell_figures()
            if ended is None and (self._time.now >= self._end or not self._time.clock.is_open):
                ended = time.monotonic() + LAST_WORDS_SECONDS
        await self._store()
        self._retry_at = 0.0
        await self._recover()

    async def _store(self) -> None:
        bars = self._inbox.waiting()
        if not bars:
            return
        try:
            await asyncio.to_thread(self._write, bars)
        except (OperationalError, InterfaceError) as error:
            self._note(f"database: {str(error).splitlines()[0]}; {len(bars)} bars wait")
            return
        self._inbox.stored(bars)
        now = await self._time.look()
        self._lags += [(now - bar.ts - MINUTE).total_seconds() for bar in bars if not bar.corrected]

    def _write(self, bars: Sequence[StreamedBar]) -> None:
        with self._writing:
            self._commit(bars)

    def _commit(self, bars: Sequence[StreamedBar]) -> None:
        """Write bars in one transaction."""
        import pandas as pd

        frame = pd.DataFrame(bars).drop(columns="corrected")
        frame["ts"] = pd.to_datetime(frame["ts"], utc=True).astype("datetime64[ns, UTC]")
        with database().begin() as connection:
            self._written += bars_repository.write(
                connection, frame, timeframe=TIMEFRAME, source="broker", run=self._run
            )

    async def _recover(self) -> None:
        """Ask history for what has not been confirmed yet; a stream that brought none of it is connected anew."""
        if time.monotonic() < self._retry_at:
            return
        connections, heard = self._connections, self._inbox.received
        now = await self._time.look()
        try:
            fresh = await asyncio.to_thread(self._ask, self._verified - SETTLING, now)
        except (UnavailableError, BrokerError, DataError, OperationalError, InterfaceError) as error:
            self._retry_at = time.monotonic() + CLOCK_SECONDS
            self._note(f"history: {str(error).splitlines()[0]}")
            return
        self._asked, self._recovered = self._asked + 1, self._recovered + fresh
        mute = fresh and not self._due and heard == self._heard_before
        self._verified, self._heard_before = max(now, self._verified), heard
        self._due = self._connections > connections
        if mute and self._frames is not None:
            self._note(f"the stream was silent while history had {fresh} bars; connecting anew")
            await self._frames.close()

    def _ask(self, since: datetime, now: datetime) -> int:
        """Fetch every bar of a range, stored or not, and return how many were new or different."""
        since = max(since, self._begin)
        planned = chunks(
            dict.fromkeys(self._symbols, since),
            timeframe=TIMEFRAME,
            until=now,
            symbols_a_chunk=SYMBOLS_A_REQUEST,
            bars_a_chunk=BARS_A_CHUNK,
        )
        plan = Plan(self._run, TIMEFRAME, now, True, tuple(map(tuple, planned)))
        fresh = 0
        for chunk in plan.chunks:
            if self._stopped.is_set():
                break
            with self._writing:
                fresh += fetch_chunk.fn(plan, chunk).written
        self._written += fresh
        return fresh

    def _finish(self, status: str) -> None:
        """Commit what waits, once no other transaction of this run does, and close the ingestion run."""
        held = self._writing.acquire(timeout=ENDING_SECONDS)
        try:
            bars = self._inbox.waiting()
            if bars:
                self._commit(bars)
            with database().begin() as connection:
                ingestion.finish(
                    connection,
                    self._run,
                    status=status,
                    range_start=self._begin,
                    range_end=max(self._time.now, self._begin),
                    bars_received=self._inbox.received,
                    bars_written=self._written,
                )
        finally:
            if held:
                self._writing.release()

    async def _tell_figures(self) -> None:
        if self._tell is None or time.monotonic() - self._told < TELL_SECONDS:
            return
        self._told = time.monotonic()
        share = (self._time.now - self._begin) / max(self._end - self._begin, MINUTE)
        line = ", ".join(f"{name} {value}" for name, value in self._figures().items())
        await self._tell(min(max(share, 0.0), 1.0), line)

    def _note(self, what: str) -> None:
        self._events.append({"at": self._time.now, "what": what})
        del self._events[:-MOST_EVENTS]

    def _figures(self) -> dict[str, Any]:
        import numpy as np

        lags = np.array(self._lags or [0.0])
        return {
            "symbols": len(self._symbols),
            "bars received": self._inbox.received,
            "corrections": self._inbox.corrections,
            "outside the session": self._inbox.unwanted,
            "bars written": self._written,
            "of them from history": self._recovered,
            "questions to history": self._asked,
            "connections": self._connections,
            "broken frames": self._broken,
            "lag, median s": round(float(np.median(lags)), 1),
            "lag, worst s": round(float(lags.max()), 1),
        }

    def _report(self) -> Report:
        return Report(f"{TIMEFRAME} bars streamed", self._figures(), self._events)


def _give_up_after(seconds: float, began: float, error: TakenError) -> None:
    if time.monotonic() - began > seconds:
        raise BrokerError(f"{error}; another program listens to this feed with the same key: end it") from None
