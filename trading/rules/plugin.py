"""Strategies in Python, from installed packages: code that runs with full trust, as everything installed does."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Literal, Protocol, cast

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from trading.errors import ConfigurationError, DataError, UnknownNameError
from trading.rules.readiness import Values, enough

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from trading.bars import Floats, Panel

GROUP = "trading_system.strategies"
"""The entry point group that names plug-ins."""


class PythonStrategy(Protocol):
    """What an entry point has to give: a module or an object with these two functions."""

    def warm_up(self, parameters: Mapping[str, JsonValue]) -> int:
        """Return the bars of a symbol that a decision needs."""
        ...

    def weights(self, panel: Panel, parameters: Mapping[str, JsonValue]) -> Floats:
        """Return (T, N) weights, signed; row t may depend on rows up to t only."""
        ...


class Plugin(BaseModel):
    """A strategy in Python: the entry point of the group `trading_system.strategies` with this name.

    It is imported and run with full trust, and nothing keeps it from looking ahead. Its code is not part of the
    strategy's version: give it a parameter that changes with it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["plugin"] = "plugin"
    plugin: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_.-]{0,59}$", description="name of the entry point")
    parameters: dict[str, JsonValue] = Field(default_factory=dict, max_length=50, description="handed to its functions")

    @property
    def warm_up(self) -> int:
        """Bars needed for a decision, as the plug-in says."""
        bars = loaded(self.plugin).warm_up(self.parameters)
        if not isinstance(bars, int) or bars < 1:
            raise ConfigurationError(f"plug-in {self.plugin!r}: warm_up gave {bars!r}; it has to give bars, 1 or more")
        return bars

    def decided(self, panel: Panel) -> NDArray[np.bool_]:
        """Return (T, N), where a symbol has bars enough."""
        return enough(panel, self.warm_up)

    def weights(self, panel: Panel) -> Floats:
        """Return the plug-in's weights where a symbol has bars enough, else 0."""
        given = np.asarray(loaded(self.plugin).weights(panel, self.parameters), dtype=np.float64)
        if given.shape != panel.close.shape:
            raise DataError(f"plug-in {self.plugin!r} gave weights of shape {given.shape}, not {panel.close.shape}")
        if not (np.abs(given) <= 1).all():
            raise DataError(f"plug-in {self.plugin!r} gave weights that are no numbers from -1 to 1")
        return np.where(self.decided(panel), given, 0.0)

    def explain(self, panel: Panel) -> list[tuple[str, Values]]:
        """Return the weight as the reason: what led to it is in the plug-in's code."""
        ready, weights = self.decided(panel)[-1], self.weights(panel)[-1]
        return [
            (f"plug-in {self.plugin} decided {weight:+.1%} of capital", {"weight": weight, "strength": abs(weight)})
            if known
            else (f"fewer than {self.warm_up} bars", {"strength": 0.0})
            for known, weight in zip(ready.tolist(), weights.tolist(), strict=True)
        ]


def loaded(name: str) -> PythonStrategy:
    """Return an installed plug-in.

    Raises
    ------
    UnknownNameError
        No installed package has an entry point of that name.
    ConfigurationError
        It cannot be imported, or lacks a function.
    """
    points = {point.name: point for point in entry_points(group=GROUP)}
    if name not in points:
        raise UnknownNameError("strategy plug-in", name, points)
    try:
        found = points[name].load()
    except Exception as error:
        raise ConfigurationError(f"plug-in {name!r} cannot be loaded: {' '.join(str(error).split())}") from error
    for function in ("warm_up", "weights"):
        if not callable(getattr(found, function, None)):
            raise ConfigurationError(f"plug-in {name!r} ({points[name].value}) has no function {function}")
    return cast("PythonStrategy", found)
