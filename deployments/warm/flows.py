from __future__ import annotations

import importlib
import threading
from typing import Any

from prefect.flows import Flow

from trading.errors import ConfigurationError


class LoadedFlows:
    """The flows of this process by entry point, each imported once.

    Threads that ask for the same entry point wait for one import; different entry points do not wait for
    each other. A failed import is not remembered: the next run tries again.
    """

    def __init__(self) -> None:
        self._flows: dict[str, Flow[..., Any]] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()

    def __len__(self) -> int:
        return len(self._flows)

    def load(self, entrypoint: str) -> Flow[..., Any]:
        """Return the flow at a module path such as `flows.execution.execute_trades`.

        Raises
        ------
        ConfigurationError
            The module has no such flow. Whatever the import of the module raises is passed on.
        """
        with self._guard:
            lock = self._locks.setdefault(entrypoint, threading.Lock())
        with lock:
            if entrypoint not in self._flows:
                self._flows[entrypoint] = _import_flow(entrypoint)
            return self._flows[entrypoint]


def _import_flow(entrypoint: str) -> Flow[..., Any]:
    module, _, name = entrypoint.rpartition(".")
    found = getattr(importlib.import_module(module), name, None)
    if not isinstance(found, Flow):
        what = "has no such name" if found is None else f"holds a {type(found).__name__} there"
        raise ConfigurationError(
            f"entry point {entrypoint!r}: module {module!r} {what}, not a flow; correct it in prefect.yaml"
        )
    return found
