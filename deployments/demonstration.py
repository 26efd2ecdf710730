"""The demonstration: past sessions traded against the simulator through the system's own deployments."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from deployments.stack import endpoints, journal, launch, probes
from deployments.stack.plan import settings_in_use
from trading.calendar import sessions as trading_sessions
from trading.config import Settings
from trading.errors import ConfigurationError, TradingError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_ENDED = frozenset({"COMPLETED", "FAILED", "CRASHED", "CANCELLED"})
_POLL = 0.5
SPARE = 2
"""Sessions of the data that a replay leaves: the one it begins after, and one still to come when it has ended."""


class DemonstrationError(TradingError):
    """Raised when the replay does not complete; says where its logs are."""


@dataclass(frozen=True, slots=True)
class Demonstration:
    """What came out: the figures by name, and the Prefect run to look at."""

    run_url: str
    figures: dict[str, Any] = field(default_factory=dict)


def demonstrate(home: Path, sessions: int) -> Demonstration:
    """Start the stack if need be, reset the simulator, replay, and return the figures.

    Raises
    ------
    ConfigurationError
        Real Alpaca keys are set: a demonstration must not touch a real account.
    DemonstrationError
        The replay failed.
    """
    refuse_real_account(Settings.load(home))
    _ensure_running(home)
    settings = settings_in_use(home)
    refuse_real_account(settings)
    _reset_simulator(settings, sessions)
    run = _start_replay(settings, sessions)
    address = f"{settings.prefect.ui_url}/runs/flow-run/{run['id']}"
    state = _follow(settings, run["id"], sessions)
    if state["type"] != "COMPLETED":
        raise DemonstrationError(
            f"the replay ended {state['name']}: {state.get('message') or 'see its logs'}; {address}"
        )
    return Demonstration(address, _figures(settings, sessions))


def refuse_real_account(settings: Settings) -> None:
    """Refuse to run against anything but the simulator."""
    if not settings.simulated:
        raise ConfigurationError(
            "ALPACA_API_KEY: it is set, and the demonstration trades only on the simulator; "
            "unset ALPACA_API_KEY, or use another TRADING_HOME without it"
        )


def _ensure_running(home: Path) -> None:
    from deployments import terminal

    record = journal.read(home)
    if record.alive and record.phase == "running":
        return
    with terminal.Progress() as progress:
        launch.start_detached(home, on_change=progress)


def _figures(settings: Settings, sessions: int) -> dict[str, Any]:
    """Return what the books say of the replay, as the api tells it."""
    portfolio = _api(settings, "/api/portfolio")
    performance = _api(settings, "/api/performance?scope=portfolio")
    if portfolio is None or performance is None:
        raise DemonstrationError("the replay completed, but the api does not tell its figures; see `trading verify`")
    counts = {name: portfolio[name] for name in ("orders", "fills")}
    return {**performance["metrics"], **counts, "sessions": sessions}


def _start_session(settings: Settings, sessions: int) -> str:
    """Return the session at whose close the replay begins: the usual one, or early enough for a long replay."""
    usual = date.fromisoformat(settings.simulator.start)
    clock = _simulator(settings, "GET", "clock")
    days = trading_sessions(date.fromisoformat(clock["first_session"]), date.fromisoformat(clock["last_session"]))
    if len(days) < sessions + SPARE:
        raise ConfigurationError(f"--sessions: {sessions} is more than the {len(days) - SPARE} that the data has")
    return min(usual, days[-(sessions + SPARE)]).isoformat()


def _reset_simulator(settings: Settings, sessions: int) -> None:
    _simulator(settings, "POST", "reset", {"start": _start_session(settings, sessions)})


def _simulator(settings: Settings, method: str, route: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    headers = {
        "APCA-API-KEY-ID": settings.simulator.api_key.get_secret_value(),
        "APCA-API-SECRET-KEY": settings.simulator.secret_key.get_secret_value(),
    }
    address = f"http://127.0.0.1:{settings.simulator.port}/simulator/{route}"
    status, answer = _asked(lambda: probes.http_send(method, address, body, headers, timeout=30), "the simulator")
    if status >= 400:  # noqa: PLR2004 - HTTP's errors
        raise UnavailableError(f"the simulator refuses {route} (HTTP {status}): {answer}; see its log")
    return dict(answer)


def _start_replay(settings: Settings, sessions: int) -> dict[str, Any]:
    headers, api = endpoints.authorization(settings), settings.prefect.url
    status, deployment = _asked(
        lambda: probes.http_send("GET", f"{api}/deployments/name/replay/replay", None, headers), "Prefect"
    )
    if status != 200:  # noqa: PLR2004 - HTTP's OK
        raise UnavailableError("the deployment replay/replay is missing; run `trading start` or `prefect deploy --all`")
    body = {"parameters": {"sessions": sessions}, "state": {"type": "SCHEDULED"}}
    address = f"{api}/deployments/{deployment['id']}/create_flow_run"
    status, run = _asked(lambda: probes.http_send("POST", address, body, headers, timeout=30), "Prefect")
    if status >= 400:  # noqa: PLR2004 - HTTP's errors
        raise DemonstrationError(f"Prefect refuses the replay (HTTP {status}): {run}")
    return dict(run)


def _asked(question: Callable[[], tuple[int, Any]], whom: str) -> tuple[int, Any]:
    try:
        return question()
    except OSError as error:
        raise UnavailableError(f"{whom} does not answer ({error}); see `trading status`") from None


def _follow(settings: Settings, run: str, sessions: int) -> dict[str, Any]:
    """Show progress until the run has ended; return its final state."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    headers, address = endpoints.authorization(settings), f"{settings.prefect.url}/flow_runs/{run}"
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("replaying sessions", total=sessions)
        while True:
            _, answer = _asked(lambda: probes.http_send("GET", address, None, headers, timeout=10), "Prefect")
            state: dict[str, Any] = (answer or {}).get("state") or {"type": "PENDING", "name": "Pending"}
            bar.update(task, completed=_completed(settings, sessions, state))
            if state["type"] in _ENDED:
                return state
            time.sleep(_POLL)


def _completed(settings: Settings, sessions: int, state: dict[str, Any]) -> float:
    if state["type"] == "COMPLETED":
        return sessions
    curve = _api(settings, "/api/portfolio/equity")
    return min(sessions, max(0, len(curve["points"]) - 1)) if curve else 0


def _api(settings: Settings, path: str) -> dict[str, Any] | None:
    """Ask our own api; None when it has no answer."""
    headers = {"Authorization": f"Bearer {settings.web.token.get_secret_value()}"}
    try:
        status, answer = probes.http_send(
            "GET", f"http://127.0.0.1:{settings.web.api}{path}", None, headers, timeout=10
        )
    except OSError:
        return None
    return answer if status == 200 and isinstance(answer, dict) else None  # noqa: PLR2004 - HTTP's OK
