"""Tells Prefect's engine, per run, that an interruption is a cancellation.

The engine asks one function why it was interrupted, and that function knows one answer for the whole
process: it was written for one run per process. Here the answer comes from a context variable first, so
that the cancelled run and its sub-flows go Cancelling -> Cancelled with their hooks, as in a process of
their own, and its neighbours are told nothing.
"""

from __future__ import annotations

import ctypes
import signal
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from prefect.exceptions import TerminationSignal

from trading.errors import ConfigurationError

if TYPE_CHECKING:
    import threading

Reason = Literal["cancel", "shutdown"]
"""Why a run is stopped: somebody cancelled it, or its worker is stopping."""


@dataclass(slots=True)
class StopRequest:
    """Whether a run was asked to stop, and why; contexts outlive runs, so they hold this and not the run."""

    reason: Reason | None = None


request_of_this_run: ContextVar[StopRequest | None] = ContextVar("warm_run", default=None)
"""The request to the run that the calling code belongs to; tasks and sub-flows inherit it."""


class RunStopped(TerminationSignal):
    """Raised in the thread of a run that was asked to stop while it executed synchronous code."""

    def __init__(self, signum: int = signal.SIGTERM) -> None:
        super().__init__(signum)


def install() -> None:
    """Make the engine of this process ask the run itself; calling it again changes nothing.

    Raises
    ------
    ConfigurationError
        This release of Prefect has no such question.
    """
    from prefect import flow_engine

    original: Any = getattr(flow_engine, "_termination_intent", None)
    if original is None:
        raise ConfigurationError(
            "prefect.flow_engine: no _termination_intent in this Prefect, the warm worker could not cancel "
            "runs; install the release that pyproject.toml pins"
        )
    if getattr(original, "asks_the_run", False):
        return

    def intent() -> Any:
        request = request_of_this_run.get()
        return "cancel" if request is not None and request.reason == "cancel" else original()

    intent.asks_the_run = True  # type: ignore[attr-defined] # a mark on our own function
    flow_engine._termination_intent = intent  # noqa: SLF001 - the engine has no public way to be told


def interrupt(thread: threading.Thread) -> None:
    """Raise RunStopped in a thread at its next Python instruction; a call into C runs to its end first."""
    if thread.ident is not None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(RunStopped))
