"""What a check says: pass, warn or fail, the figure it rests on, and a sentence."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

Verdict = Literal["pass", "warn", "fail"]
_ORDER: tuple[Verdict, ...] = ("pass", "warn", "fail")


@dataclass(frozen=True, slots=True)
class Check:
    """One answer to "can this result be believed?".

    Attributes
    ----------
    name
        What was checked.
    verdict
        A fail means that the result is not to be believed, a warn that it leans on something.
    figure
        The number the verdict rests on; None where there was too little to compute it.
    sentence
        What it means, in words.
    """

    name: str
    verdict: Verdict
    figure: float | None
    sentence: str

    def as_dict(self) -> dict[str, Any]:
        """Return the fields, JSON-ready."""
        return asdict(self)


def overall(checks: Iterable[Check]) -> Verdict:
    """Return the worst verdict; of nothing, a warning, since nothing was proved."""
    return max((check.verdict for check in checks), key=_ORDER.index, default="warn")


def graded(value: float, *, warn: float, fail: float) -> Verdict:
    """Return the verdict on a value that is the worse the higher it is."""
    return "fail" if value >= fail else "warn" if value >= warn else "pass"
