"""`python -m simulator`: serve a market to any Alpaca client."""

from __future__ import annotations

import argparse
import logging
import os
import socket
import sys
import tempfile
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from simulator.access import Keys
from simulator.app import DEFAULT_CASH, DEFAULT_RATE_LIMIT, DEFAULT_START, SimulatorConfig, create_app
from simulator.frictions import Frictions
from trading.errors import ConfigurationError, InvalidValueError, TradingError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Sequence

DEFAULT_PORT = 8010
HIGHEST_PORT = 65535
FASTEST = 100_000
IDLE_SECONDS = 75
"""How long a client's connection may lie idle; clients that do not look at its age lose a post when it is short."""
KEY, SECRET = "SIMULATOR_API_KEY", "SIMULATOR_SECRET_KEY"
ABOUT = """\
A stand-in for Alpaca: the trading and market-data API over HTTP, on real daily bars of AAPL, FB, GOOG,
IBM and MSFT from 2000 to 2013 (or your own with --data), with a clock that stands still until moved."""
EXAMPLES = f"""\
example:
  {KEY}=me {SECRET}=secret python -m simulator --port 8010 --state market.sqlite

then, with alpaca-py:
  TradingClient("me", "secret", url_override="http://127.0.0.1:8010")
  StockHistoricalDataClient("me", "secret", url_override="http://127.0.0.1:8010")

and to move the clock, with the two keys in the headers APCA-API-KEY-ID and APCA-API-SECRET-KEY:
  POST /simulator/clock  {{"advance": "open"}}    to the next open: waiting orders fill at the opening price
  POST /simulator/clock  {{"advance": "close"}}   to the next close: the day's bar appears
  POST /simulator/clock  {{"advance": "session"}} to the close of the next session to open
  POST /simulator/clock  {{"to": "2012-12-14T21:00:00Z"}}
  POST /simulator/bars   {{"symbol": "IBM", "ts": "2012-12-14T14:30:00Z", "open": 190, ...}}   correct a minute bar
  POST /simulator/reset  {{"start": "2010-01-04", "cash": 50000}}   a new account; both are optional

The keys come from the environment so that they show in no process list."""


def parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    made = argparse.ArgumentParser(
        prog="python -m simulator",
        description=ABOUT,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_place(made)
    _add_market(made)
    _add_behaviour(made)
    return made


def _add_place(made: argparse.ArgumentParser) -> None:
    """Add where the state is kept and where the server listens."""
    made.add_argument(
        "--state",
        type=Path,
        metavar="FILE",
        help="SQLite file that keeps clock and account; made if absent. Without it nothing is kept",
    )
    made.add_argument(
        "--port",
        type=_port,
        default=DEFAULT_PORT,
        metavar="P",
        help="port to listen on (%(default)s); 0 takes a free one",
    )
    made.add_argument("--host", default="127.0.0.1", metavar="H", help="address to listen on (%(default)s)")


def _add_market(made: argparse.ArgumentParser) -> None:
    """Add the bars, and what a new state starts with."""
    made.add_argument(
        "--data",
        type=Path,
        metavar="FILE",
        help="CSV or Parquet of daily bars: symbol, date, open, high, low, close, volume[, adj_close]",
    )
    made.add_argument(
        "--minutes",
        type=Path,
        metavar="FILE",
        help="CSV or Parquet of minute bars: symbol, ts (with zone), open, high, low, close, volume",
    )
    made.add_argument(
        "--start",
        type=_day,
        default=DEFAULT_START,
        metavar="DAY",
        help="session at whose close a new state's clock stands (%(default)s)",
    )
    made.add_argument(
        "--cash",
        type=_cash,
        default=DEFAULT_CASH,
        metavar="USD",
        help="opening cash of a new state's account (%(default)s)",
    )
    made.add_argument(
        "--seed",
        metavar="TEXT",
        help="makes account number and ids repeatable; by default each new state has its own",
    )


def _add_behaviour(made: argparse.ArgumentParser) -> None:
    """Add how the market treats its clients: limit of requests, pace and frictions."""
    made.add_argument(
        "--rate-limit",
        type=_count,
        default=DEFAULT_RATE_LIMIT,
        metavar="N",
        help="requests a minute before 429 (%(default)s; Alpaca: 200)",
    )
    made.add_argument(
        "--pace",
        type=_pace,
        default=0.0,
        metavar="FACTOR",
        help="let the clock run by itself, so many times real time; 1 is real time, 0 (default) waits to be stepped",
    )
    made.add_argument(
        "--frictions",
        type=_frictions,
        default=Frictions(),
        metavar="JSON",
        help='slippage, commission, participation, borrow, matching, e.g. {"participation": 0.1}; none by default',
    )


def _pace(text: str) -> float:
    try:
        factor = float(text)
    except ValueError:
        factor = -1.0
    if not 0 <= factor <= FASTEST:
        raise argparse.ArgumentTypeError(f"{text!r} is not a pace; expected 0 to {FASTEST}")
    return factor


def _frictions(text: str) -> Frictions:
    try:
        return Frictions.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "JSON"
        raise argparse.ArgumentTypeError(f"{place}: {first['msg']}") from None


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; expected 0 to {HIGHEST_PORT}")
    return int(text)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of requests; expected 1 or more")
    return int(text)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day; expected YYYY-MM-DD") from None


def _cash(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or amount <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not an amount; expected dollars above 0")
    return amount


def _keys() -> Keys:
    keys = Keys(os.environ.get(KEY, ""), os.environ.get(SECRET, ""))
    if not keys.api_key or not keys.secret_key:
        raise ConfigurationError(f"{KEY} and {SECRET} are not both set; choose a pair and give the same to the client")
    return keys


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket.

    Raises
    ------
    UnavailableError
        The address is taken or not ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's delay off only for sockets that name their protocol: 40 ms a request otherwise
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if sys.platform == "win32":
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
    else:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise UnavailableError(
            f"{host}:{port} cannot be listened on: {error.strerror}; choose another --port"
        ) from None
    return listener


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until interrupted; return 0, 1 for a failure or 2 for a mistake in the arguments."""
    options = parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    if options.state is not None:
        return _run(options, options.state)
    with tempfile.TemporaryDirectory(prefix="simulator-") as folder:
        return _run(options, Path(folder) / "state.sqlite")


def _run(options: argparse.Namespace, state: Path) -> int:
    try:
        config = SimulatorConfig(
            state=state,
            keys=_keys(),
            data=options.data,
            minutes=options.minutes,
            start=options.start,
            cash=options.cash,
            seed=options.seed,
            rate_limit=options.rate_limit,
            pace=options.pace,
            frictions=options.frictions,
        )
        _serve(config, listen(options.host, options.port))
    except TradingError as error:
        sys.stderr.write(f"simulator: {error}\n")
        return 2 if isinstance(error, ConfigurationError | InvalidValueError) else 1
    return 0


def _serve(config: SimulatorConfig, listener: socket.socket) -> None:
    import uvicorn

    with listener:
        app = create_app(config)
        host, port = listener.getsockname()[:2]
        sys.stdout.write(f"simulator: listening on http://{host}:{port}, state in {config.state}\n")
        sys.stdout.flush()
        settings = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            timeout_keep_alive=IDLE_SECONDS,
            timeout_graceful_shutdown=5,
        )
        server = uvicorn.Server(settings)
        try:
            server.run(sockets=[listener])
        except KeyboardInterrupt:
            sys.stdout.write("simulator: stopped\n")


if __name__ == "__main__":
    sys.exit(main())
