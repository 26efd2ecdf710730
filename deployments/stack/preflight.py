"""What would make a start fail half-way, found before anything is started."""

from __future__ import annotations

import shutil
import socket
from typing import TYPE_CHECKING

from deployments.stack import probes, processes
from deployments.stack.component import Component
from trading.errors import ConfigurationError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from deployments.stack.component import Endpoint, Unit
    from trading.config import Settings

NEEDED_BYTES = 1024**3
"""Free space asked for: an empty stack takes 150 MB, its write-ahead log up to 512 MB more."""

_REFUSED = frozenset({401, 403})


def check(settings: Settings, units: Sequence[Unit], directories: Iterable[Path]) -> None:
    """Refuse a start that cannot succeed.

    Raises
    ------
    ConfigurationError, UnavailableError
        The first obstacle: ports, disk space, the broker's keys or the simulator's data.
    """
    check_ports([(unit.name, unit.endpoint) for unit in units if isinstance(unit, Component) and unit.endpoint])
    for directory in directories:
        check_space(directory)
    check_broker(settings)


def check_ports(wanted: Sequence[tuple[str, Endpoint]]) -> None:
    """Refuse ports that are taken, or wanted twice."""
    seen: dict[int, str] = {}
    problems = []
    for name, endpoint in wanted:
        if endpoint.port in seen:
            problems.append(
                f"port {endpoint.port} is set for both {seen[endpoint.port]} and {name}: change {endpoint.variable}"
            )
        elif not _free(endpoint.host, endpoint.port):
            holder = processes.listener(endpoint.port)
            problems.append(
                f"port {endpoint.port} for {name} is in use by {holder}: stop that or set {endpoint.variable}"
            )
        seen[endpoint.port] = name
    if problems:
        raise UnavailableError("; ".join(problems))


def _free(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as probe:
        # On POSIX this lets a port in TIME_WAIT count as free, as the servers themselves do.
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def check_space(directory: Path) -> None:
    """Refuse a nearly full disk."""
    place = next(parent for parent in (directory, *directory.parents) if parent.exists())
    free = shutil.disk_usage(place).free
    if free < NEEDED_BYTES:
        raise UnavailableError(
            f"{place} has {free // 1024**2} MB free and the stack needs {NEEDED_BYTES // 1024**2} MB; "
            "free some space or set TRADING_HOME to another disk"
        )


def check_broker(settings: Settings) -> None:
    """Refuse Alpaca keys that Alpaca refuses, or a simulator without its data.

    A broker out of reach is no obstacle to starting.
    """
    alpaca, simulator = settings.alpaca, settings.simulator
    if alpaca.api_key is None:
        for name, length, data in (("DATA", "daily", simulator.data), ("MINUTES", "minute", simulator.minutes)):
            if data is not None and not data.is_file():
                wanted = f"give a CSV or Parquet file of {length} bars, or unset it"
                raise ConfigurationError(f"SIMULATOR_{name}: {data} does not exist; {wanted}")
        return
    if alpaca.secret_key is None:
        raise ConfigurationError("ALPACA_SECRET_KEY: not set, though ALPACA_API_KEY is; set both or neither")
    headers = {
        "APCA-API-KEY-ID": alpaca.api_key.get_secret_value(),
        "APCA-API-SECRET-KEY": alpaca.secret_key.get_secret_value(),
    }
    try:
        status, _ = probes.http_get(f"{alpaca.base_url.rstrip('/')}/v2/account", headers, timeout=10)
    except OSError:
        return
    if status in _REFUSED:
        raise ConfigurationError(
            f"ALPACA_API_KEY: {alpaca.base_url} refuses the key (HTTP {status}); paper and live keys differ: "
            "check the key and ALPACA_BASE_URL, or unset it to use the simulator"
        )
