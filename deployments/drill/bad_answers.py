"""The bad answers that the simulator is told to give to posts of orders."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

ANSWERS: Mapping[str, dict[str, Any]] = MappingProxyType(
    {
        "broker-429": {"kind": "error", "status": 429, "when": "before"},
        "broker-500-before": {"kind": "error", "status": 500, "when": "before"},
        "broker-500": {"kind": "error", "status": 500, "when": "after"},
        "broker-504": {"kind": "error", "status": 504, "when": "after"},
        "broker-hang": {"kind": "hang", "seconds": 30, "when": "after"},
        "broker-reset": {"kind": "reset", "when": "after"},
        "broker-garbage": {"kind": "garbage"},
    }
)
"""Name -> the simulator's fault; `before` it took the order, or `after`. Half an answer comes after."""


def words(fault: Mapping[str, Any]) -> str:
    """Return what an answer of `ANSWERS` is, in words."""
    when = f"{fault.get('when', 'after')} the order was taken"
    match fault["kind"]:
        case "error":
            return f"HTTP {fault['status']} {when}"
        case "hang":
            return f"no answer {when}"
        case "reset":
            return f"the connection reset {when}"
        case _:
            return f"half an answer {when}"
