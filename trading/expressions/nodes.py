"""A checked expression: a tree whose every node knows its type and how far it looks back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Kind = Literal["number", "series", "condition"]
"""A constant; a number for each symbol and bar; a yes or no for each symbol and bar."""

KIND_NAMES: dict[Kind, str] = {"number": "a constant", "series": "a number", "condition": "a condition"}
"""What each kind is called in a message."""

MAX_TEXT = 2000
"""Longest expression, in characters."""
MAX_SIZE = 200
"""Most operations and names in one expression, those of the named ones in it included."""
MAX_DEPTH = 24
"""Deepest nesting."""
MAX_MEMORY = 5000
"""Most bars an expression may look back."""


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A part of an expression.

    Attributes
    ----------
    kind
        What it gives.
    text
        As people read it: a named expression is its name.
    key
        As written out; two nodes with the same key have the same values.
    parts
        What it is made of.
    work
        From the values of the parts, and the panel's figures, to its own.
    warm_up
        Bars before the first value, that bar included.
    memory
        Bars after which a value no longer depends on where the history starts.
    value
        Of a constant.
    across
        Whether a symbol's value depends on the other symbols.
    leaf
        Whether people want to see its value in a reason.
    """

    kind: Kind
    text: str
    key: str
    parts: tuple[Node, ...] = ()
    work: Callable[..., object] | None = None
    warm_up: int = 1
    memory: int = 1
    value: float = 0.0
    across: bool = False
    leaf: bool = False

    @property
    def size(self) -> int:
        """How many nodes it is made of."""
        return 1 + sum(part.size for part in self.parts)

    @property
    def depth(self) -> int:
        """How many nodes are inside each other."""
        return 1 + max((part.depth for part in self.parts), default=0)

    def leaves(self) -> Iterator[Node]:
        """Yield the parts whose values people want to see, from left to right, each once."""
        seen: set[str] = set()
        for node in self._walk():
            if node.key not in seen:
                seen.add(node.key)
                yield node

    def _walk(self) -> Iterator[Node]:
        if self.leaf:
            yield self
            return
        for part in self.parts:
            yield from part._walk()  # noqa: SLF001 - of the same class
