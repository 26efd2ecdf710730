"""Provoking faults one after another; one that breaks the drill itself has failed, and the next ones go on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from deployments.drill.verdict import Verdict
from trading.errors import UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from deployments.drill.catalogue import Fault
    from deployments.drill.ground import Ground


def chosen(known: Mapping[str, Fault], names: Iterable[str]) -> list[Fault]:
    """Return the faults of the names, or all of them where none is named.

    Raises
    ------
    UnknownNameError
        There is no such fault.
    """
    wanted = list(names)
    for name in wanted:
        if name not in known:
            raise UnknownNameError("fault", name, known)
    return [fault for fault in known.values() if not wanted or fault.name in wanted]


def provoke(ground: Ground, faults: Sequence[Fault], *, on_step: Callable[[Fault], None]) -> Iterator[Verdict]:
    """Yield the verdict on each fault as it comes; `on_step` is called as often as a fault has `steps`."""
    for fault in faults:
        began = time.monotonic()
        try:
            yield fault.provoke(ground, lambda fault=fault: on_step(fault))  # type: ignore[misc] # bound per fault
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a fault that was not survived
            ground.recover()
            line = (str(error) or type(error).__name__).splitlines()[0]
            yield Verdict(fault.name, fault.about, 0, 0, 0, 0, False, "not judged", time.monotonic() - began, (line,))
