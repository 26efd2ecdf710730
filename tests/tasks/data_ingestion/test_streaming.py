"""Streaming minute bars from the simulator's websocket into a database of the test's own, over real sockets."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import CancelledError as Cancelled
from concurrent.futures import Future
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgpack
import pytest
from pydantic import SecretStr

from blocks import AlpacaCredentials
from db.repositories import bars as bars_repository
from flows import data_ingestion
from tasks import bar_stream, resources
from tasks.data_ingestion import fetching, streaming
from tasks.data_ingestion.quality import check_quality
from tasks.data_ingestion.streaming import stream_bars
from tasks.execution.clock import read_clock
from tasks.resources import broker
from tests.minute_market import CLOSE, KEYS, MINUTE, OPEN, SYMBOLS, TODAY, Simulated, simulated
from tests.prefect_server import eventually
from tests.wire import garbled, proxied
from trading.errors import BrokerError, InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sqlalchemy import Engine

    from trading.report import Report

FIGURES = ("open", "high", "low", "close", "volume")
STORED = f"SELECT symbol, ts, {', '.join(FIGURES)} FROM data_ingestion.bars WHERE timeframe = '1Min' ORDER BY 1, 2"
QUICK = {"BATCH_SECONDS": 0.05, "CLOCK_SECONDS": 0.1, "LAST_WORDS_SECONDS": 0.3}
QUICK |= {"SHORTEST_WAIT": 0.1, "LONGEST_WAIT": 0.4, "TAKEN_SECONDS": 0.5}


class Unlimited:
    """In place of the budget that all flows share through Prefect: these tests start no Prefect server."""

    def spend(self) -> None:
        """Take a request."""

    def note(self, headers: Any) -> None:
        """Look at an answer."""


@pytest.fixture
def market(tmp_path: Path) -> Iterator[Simulated]:
    with simulated(tmp_path) as served:
        served.to(OPEN + 5 * MINUTE)
        yield served


@pytest.fixture
def login(market: Simulated, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Give the steps this simulator and database; called, another address for the stream."""
    for name, value in QUICK.items():
        monkeypatch.setattr(streaming, name, value)
    for module in (resources, streaming, fetching):
        monkeypatch.setattr(module, "database", lambda: engine)
    budget = Unlimited()
    monkeypatch.setattr(resources, "data_budget", lambda: budget)

    def log_in(stream: str = market.stream_url, secret: str = KEYS.secret_key) -> None:
        found = AlpacaCredentials(
            api_key=SecretStr(KEYS.api_key),
            secret_key=SecretStr(KEYS.secret_key),
            trading_url=market.url,
            data_url=market.url,
            data_stream_url=stream,
        )
        streamed = found.model_copy(update={"secret_key": SecretStr(secret)})
        monkeypatch.setattr(resources, "credentials", lambda: found)
        monkeypatch.setattr(streaming, "credentials", lambda: streamed)

    log_in()
    return log_in


class Running:
    """A stream in a thread of its own, as a worker runs it."""

    def __init__(self, until: datetime | None = None) -> None:
        self.result: Future[tuple[Report, int]] = Future()
        self.lines: list[tuple[float, str]] = []
        self._until = until
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="stream")
        self._thread.start()

    async def _run(self) -> None:
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()

        async def tell(share: float, line: str) -> None:
            self.lines.append((share, line))

        try:
            clock = broker().clock()
            self.result.set_result(await stream_bars.fn(SYMBOLS, clock=clock, until=self._until, tell=tell))
        except asyncio.CancelledError:
            self.result.set_exception(Cancelled())
        except BaseException as error:  # noqa: BLE001 - the test that waits for the result sees it
            self.result.set_exception(error)

    def cancel(self) -> None:
        assert self._task is not None
        self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(15)
        assert not self._thread.is_alive()

    def report(self) -> Report:
        report, _ = self.result.result(20)
        return report


@pytest.fixture
def start(login: Callable[..., None]) -> Iterator[Callable[..., Running]]:  # noqa: ARG001 - what steps work with
    """Start streams that are ended with the test."""
    streams: list[Running] = []

    def begin(until: datetime | None = None) -> Running:
        streams.append(Running(until))
        return streams[-1]

    yield begin
    for stream in streams:
        if not stream.result.done():
            stream.cancel()


Bars = dict[tuple[str, datetime], tuple[int, ...]]


def stored(engine: Engine) -> Bars:
    with engine.connect() as connection:
        return {(row[0], row[1]): tuple(row[2:]) for row in connection.exec_driver_sql(STORED)}


def due(market: Simulated, now: datetime) -> Bars:
    """Return the simulator's own bars of today's regular hours: prices in millionths of a dollar."""
    found = {}
    for symbol, minutes in market.market.minutes.items():
        for number in range(minutes.seen(now)):
            ts = datetime.fromtimestamp(int(minutes.starts[number]), OPEN.tzinfo)
            if OPEN <= ts < CLOSE:
                prices = [round(float(getattr(minutes, name)[number]) * 1e6) for name in FIGURES[:-1]]
                found[symbol, ts] = (*prices, int(minutes.volume[number]))
    return found


def current(engine: Engine, market: Simulated, now: datetime) -> bool:
    eventually(lambda: stored(engine) == due(market, now), seconds=10, what=f"bars until {now}")
    return True


def runs(engine: Engine) -> list[Any]:
    with engine.connect() as connection:
        found = connection.exec_driver_sql("SELECT status, bars_written FROM data_ingestion.ingestion_runs ORDER BY id")
        return [tuple(row) for row in found]


def revisions(engine: Engine) -> list[Any]:
    with engine.connect() as connection:
        asked = "SELECT symbol, ts, old_close, new_close FROM data_ingestion.bar_revisions"
        return [tuple(row) for row in connection.exec_driver_sql(asked)]


def test_bars_are_current_as_the_clock_passes_each_minute_until_the_close(
    engine: Engine, market: Simulated, start: Callable[..., Running]
) -> None:
    stream = start()
    assert current(engine, market, OPEN + 5 * MINUTE)  # what was missing
    for minute in range(6, 10):
        market.to(OPEN + minute * MINUTE)
        assert current(engine, market, OPEN + minute * MINUTE)
    market.to(CLOSE)

    report = stream.report()

    assert stored(engine) == due(market, CLOSE)
    assert len(stored(engine)) == 3 * 390
    assert report.figures["bars received"] == 3 * 385
    assert report.figures["bars written"] == 3 * 390
    assert report.figures["connections"] == 1
    assert report.rows == []
    assert runs(engine) == [("completed", 3 * 390)]
    assert revisions(engine) == []


def test_streamed_bars_are_checked_as_any_other(
    engine: Engine, market: Simulated, start: Callable[..., Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = start()
    assert current(engine, market, OPEN + 5 * MINUTE)
    market.to(CLOSE)
    stream.report()
    monkeypatch.setattr("tasks.data_ingestion.quality.database", lambda: engine)
    monkeypatch.setattr("tasks.data_ingestion.quality.broker", broker)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE data_ingestion.bars SET low = 0 WHERE symbol = 'IBM' AND ts = '2024-03-11 15:00+00'"
        )

    check_quality.fn(list(SYMBOLS), timeframe="1Min", start=TODAY, end=TODAY, on_failure="quarantine")

    with engine.connect() as connection:
        asked = "SELECT quality, count(*), min(symbol) FROM data_ingestion.bars GROUP BY 1 ORDER BY 1"
        verdicts = {row[0]: (row[1], row[2]) for row in connection.exec_driver_sql(asked)}
    assert verdicts["quarantined"] == (1, "IBM")
    assert "unchecked" not in verdicts


def test_a_cut_of_several_bars_loses_nothing(
    engine: Engine, market: Simulated, login: Callable[..., None], start: Callable[..., Running]
) -> None:
    with proxied(int(market.url.rpartition(":")[2])) as proxy:
        login(f"ws://127.0.0.1:{proxy.port}")
        stream = start(until=OPEN + 40 * MINUTE)
        market.to(OPEN + 6 * MINUTE)
        assert current(engine, market, OPEN + 6 * MINUTE)
        for cut in (10, 20):
            proxy.cut()
            proxy.accepted = 0
            for minute in range(cut, cut + 4):
                market.to(OPEN + minute * MINUTE)
            proxy.mend()
            eventually(lambda: proxy.accepted, seconds=10)
            market.to(OPEN + (cut + 4) * MINUTE)
            assert current(engine, market, OPEN + (cut + 4) * MINUTE)
        market.to(OPEN + 40 * MINUTE)
        report = stream.report()

    assert stored(engine) == due(market, OPEN + 40 * MINUTE)
    assert report.figures["connections"] == 3
    assert [row["what"] for row in report.rows if "connection lost" in row["what"]]
    assert report.figures["of them from history"] >= 3 * 8


def test_a_connection_that_carries_nothing_more_is_noticed_and_replaced(
    engine: Engine, market: Simulated, login: Callable[..., None], start: Callable[..., Running],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(bar_stream, "PULSE_SECONDS", 0.3)
    with proxied(int(market.url.rpartition(":")[2])) as proxy:
        login(f"ws://127.0.0.1:{proxy.port}")
        start()
        market.to(OPEN + 6 * MINUTE)
        assert current(engine, market, OPEN + 6 * MINUTE)
        proxy.freeze()
        market.to(OPEN + 9 * MINUTE)
        eventually(lambda: proxy.accepted > 1, seconds=10)
        assert current(engine, market, OPEN + 9 * MINUTE)


def test_a_stream_that_is_alive_and_mute_is_replaced(
    engine: Engine, market: Simulated, login: Callable[..., None], start: Callable[..., Running]
) -> None:
    def swallow(frame: str | bytes) -> list[Any]:
        return [] if b"\xa1T\xa1b" in bytes(frame) else [frame]  # type: ignore[arg-type] # these are bytes

    with garbled(f"{market.stream_url}/v2/iex", swallow) as url:
        login(url)
        stream = start(until=OPEN + 13 * MINUTE)
        assert current(engine, market, OPEN + 5 * MINUTE)
        market.to(OPEN + 11 * MINUTE)
        assert current(engine, market, OPEN + 11 * MINUTE)
        market.to(OPEN + 13 * MINUTE)
        report = stream.report()

    assert "the stream was silent while history had 18 bars; connecting anew" in [row["what"] for row in report.rows]
    assert stored(engine) == due(market, OPEN + 13 * MINUTE)


def test_a_correction_leaves_a_revision_that_a_repeated_original_does_not_undo(
    engine: Engine, market: Simulated, login: Callable[..., None], start: Callable[..., Running]
) -> None:
    original: list[bytes] = []

    def repeat(frame: str | bytes) -> list[Any]:
        """Send every frame twice, and the first bars again after each correction."""
        if b"\xa1T\xa1b" in bytes(frame):  # type: ignore[arg-type] # these are bytes
            original.append(bytes(frame))  # type: ignore[arg-type] # these are bytes
            return [frame, frame]
        return [frame, frame, original[0]] if b"\xa1T\xa1u" in bytes(frame) else [frame]  # type: ignore[arg-type]

    with garbled(f"{market.stream_url}/v2/iex", repeat) as url:
        login(url)
        stream = start(until=OPEN + 7 * MINUTE)
        assert current(engine, market, OPEN + 5 * MINUTE)
        market.to(OPEN + 6 * MINUTE)
        assert current(engine, market, OPEN + 6 * MINUTE)
        was = due(market, CLOSE)["MSFT", OPEN + 5 * MINUTE]
        market.correct("MSFT", OPEN + 5 * MINUTE, close=301.25, high=400.0)
        assert current(engine, market, OPEN + 6 * MINUTE)
        market.to(OPEN + 7 * MINUTE)
        report = stream.report()

    assert revisions(engine) == [("MSFT", OPEN + 5 * MINUTE, was[3], 301_250_000)]
    assert report.figures["corrections"] == 2
    assert report.figures["bars received"] == 2 * 6 + 2 + 3
    assert stored(engine) == due(market, OPEN + 7 * MINUTE)


@pytest.mark.parametrize(
    "rubbish",
    [
        b"\xc1 no msgpack",
        "<html>502 Bad Gateway</html>",
        msgpack.packb([{"T": "b", "S": "IBM", "o": "much"}]),
        msgpack.packb({"T": "b"}),
        msgpack.packb([{"T": "error", "code": 500, "msg": "internal error"}]),
    ],
    ids=["bytes", "html", "bar", "map", "error"],
)
def test_a_frame_that_cannot_be_read_is_recorded_and_connected_anew(
    engine: Engine, market: Simulated, login: Callable[..., None], start: Callable[..., Running], rubbish: str | bytes
) -> None:
    frames = [0]

    def break_one(frame: str | bytes) -> list[Any]:
        frames[0] += 1
        return [rubbish] if frames[0] == 4 else [frame]  # the first after the subscription

    with garbled(f"{market.stream_url}/v2/iex", break_one) as url:
        login(url)
        stream = start(until=OPEN + 8 * MINUTE)
        assert current(engine, market, OPEN + 5 * MINUTE)
        market.to(OPEN + 6 * MINUTE)
        assert current(engine, market, OPEN + 6 * MINUTE)
        market.to(OPEN + 8 * MINUTE)
        report = stream.report()

    assert report.figures["connections"] == 2
    assert len(report.rows) == 1
    assert report.figures["broken frames"] == (0 if b"internal" in str(rubbish).encode() else 1)
    assert stored(engine) == due(market, OPEN + 8 * MINUTE)


def test_a_wrong_key_ends_the_run_in_one_line(
    engine: Engine, login: Callable[..., None], start: Callable[..., Running]
) -> None:
    login(secret="wrong")

    with pytest.raises(BrokerError, match=r"data stream: auth failed \(402\); check the key"):
        start().report()

    assert runs(engine)[-1][0] == "failed"


def test_a_feed_that_another_program_listens_to_is_given_up_in_one_line(
    market: Simulated, start: Callable[..., Running]
) -> None:
    from websockets.sync.client import connect

    headers = {"APCA-API-KEY-ID": KEYS.api_key, "APCA-API-SECRET-KEY": KEYS.secret_key}
    with connect(f"{market.stream_url}/v2/iex", additional_headers=headers) as other:
        assert "authenticated" in f"{other.recv(5)!r}{other.recv(5)!r}"
        with pytest.raises(BrokerError, match="another program listens to this feed with the same key"):
            start().report()


def test_a_cancelled_stream_has_committed_what_it_received_and_leaves_nothing_behind(
    engine: Engine, market: Simulated, start: Callable[..., Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = set(threading.enumerate())
    stream = start()
    assert current(engine, market, OPEN + 5 * MINUTE)
    monkeypatch.setattr(streaming, "BATCH_SECONDS", 60.0)  # nothing is stored any more, but by the end
    time.sleep(0.2)
    market.to(OPEN + 7 * MINUTE)
    time.sleep(0.5)
    assert stored(engine) == due(market, OPEN + 5 * MINUTE)

    stream.cancel()

    assert stored(engine) == due(market, OPEN + 7 * MINUTE)
    assert runs(engine) == [("completed", 21)]
    left = {thread.name for thread in set(threading.enumerate()) - before}
    assert not {name for name in left if name.startswith(("stream", "asyncio_"))}
    with pytest.raises(Cancelled):
        stream.result.result(1)


def test_bars_wait_while_the_database_is_away(
    engine: Engine, market: Simulated, start: Callable[..., Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    from sqlalchemy.exc import OperationalError

    stream = start(until=OPEN + 8 * MINUTE)
    assert current(engine, market, OPEN + 5 * MINUTE)
    write, away = bars_repository.write, [True]

    def unwilling(*args: Any, **options: Any) -> int:
        if away[0]:
            raise OperationalError("COPY", {}, Exception("the server is shutting down"))
        fresh: int = write(*args, **options)
        return fresh

    monkeypatch.setattr(bars_repository, "write", unwilling)
    market.to(OPEN + 7 * MINUTE)
    time.sleep(0.5)
    away[0] = False
    assert current(engine, market, OPEN + 7 * MINUTE)
    market.to(OPEN + 8 * MINUTE)

    assert "6 bars wait" in stream.report().rows[0]["what"]


def test_progress_is_told_with_counts_and_the_lag(
    engine: Engine, market: Simulated, start: Callable[..., Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "TELL_SECONDS", 0.2)
    stream = start(until=OPEN + 65 * MINUTE)
    assert current(engine, market, OPEN + 5 * MINUTE)
    market.to(OPEN + 6.5 * MINUTE)
    assert current(engine, market, OPEN + 6 * MINUTE)
    eventually(lambda: any("bars received 3," in line for _, line in stream.lines), seconds=10)
    market.to(OPEN + 65 * MINUTE)

    report = stream.report()

    share, line = stream.lines[-1]
    assert 0.07 < stream.lines[0][0] <= share <= 1
    assert "lag, median s" in line
    assert report.figures["lag, worst s"] >= 30  # by the broker's clock, which jumped


def test_the_flow_ends_at_once_when_the_market_is_closed(
    engine: Engine, market: Simulated, login: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    login()
    market.to(CLOSE)
    monkeypatch.setattr(data_ingestion, "resolve_universe", lambda _: list(SYMBOLS))
    monkeypatch.setattr(data_ingestion, "read_clock", read_clock.fn)

    state = asyncio.run(data_ingestion.fetch_market_data.fn(mode="stream", timeframe="1Min"))

    assert state is not None
    assert (state.name, state.is_completed()) == ("Market closed", True)
    assert "The market opens at 2024-03-12T" in (state.message or "")
    assert runs(engine) == []


@pytest.mark.parametrize("options", [{}, {"timeframe": "5Min"}, {"timeframe": "1Min", "source": "csv", "path": "a"}])
def test_only_the_brokers_minutes_stream(options: dict[str, Any]) -> None:
    with pytest.raises(InvalidValueError, match="expected history, or timeframe 1Min and source broker"):
        asyncio.run(data_ingestion.fetch_market_data.fn(mode="stream", **options))
