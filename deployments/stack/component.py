"""What the supervisor runs: long-lived components, and steps that end."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

type Probe = Callable[[], str | None]
"""Returns None when healthy, else one line saying what is wrong; must answer within seconds."""


@dataclass(frozen=True, slots=True)
class Account:
    """An operating-system account that a component runs under."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A TCP port that a component listens on, and the variable that moves it."""

    host: str
    port: int
    variable: str


@dataclass(frozen=True, kw_only=True)
class Component:
    """A process that runs as long as the stack does.

    Attributes
    ----------
    needs
        Names of the components and steps that must be healthy or done first.
    uses
        Names of what it talks to and waits for by itself; like what it needs, that outlives it.
    prepare
        Runs before each start: writes configuration, removes what a crash left.
    drain
        Runs before the stop signal, with the process id; lets work in progress finish.
    stop_signal
        What asks the process to end; after `grace` seconds it is killed.
    startup
        Seconds within which `probe` must be content.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    probe: Probe = field(repr=False)
    needs: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    endpoint: Endpoint | None = None
    url: str = ""
    directory: Path | None = None
    account: Account | None = None
    prepare: Callable[[], Any] | None = field(default=None, repr=False)
    drain: Callable[[int], Any] | None = field(default=None, repr=False)
    stop_signal: signal.Signals = signal.SIGTERM
    grace: float = 10.0
    startup: float = 240.0


@dataclass(frozen=True, kw_only=True)
class Step:
    """Something done once per start: a function, or a command that ends with exit code 0.

    `unless` is asked first: True means that there is nothing to do, and the command is not run.
    """

    name: str
    needs: tuple[str, ...] = ()
    action: Callable[[], object] | None = None
    command: tuple[str, ...] = ()
    unless: Callable[[], bool] | None = None
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    directory: Path | None = None
    timeout: float = 300.0


type Unit = Component | Step
