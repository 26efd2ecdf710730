from __future__ import annotations

from importlib.metadata import EntryPoint
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from trading.errors import ConfigurationError, DataError, UnknownNameError
from trading.rules import Plugin, plugin

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from trading.bars import Floats, Panel

halves = SimpleNamespace(
    warm_up=lambda parameters: int(parameters.get("bars", 2)),
    weights=lambda panel, parameters: np.full(panel.close.shape, parameters.get("share", 0.5)),
)
broken = SimpleNamespace(warm_up=lambda _: 2, weights=lambda panel, _: np.zeros((1, 1)))
lacking = SimpleNamespace(warm_up=lambda _: 2)


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Entry points as an installed package would have them; installing one in a test would change the environment."""
    points = [EntryPoint(name, f"{__name__}:{name}", plugin.GROUP) for name in ("halves", "broken", "lacking", "gone")]
    values: Mapping[str, Any] = {"halves": halves, "broken": broken, "lacking": lacking}

    def load(point: EntryPoint) -> Any:
        if point.name not in values:
            raise ModuleNotFoundError(f"No module named {point.name!r}")
        return values[point.name]

    monkeypatch.setattr(EntryPoint, "load", load)
    monkeypatch.setattr(plugin, "entry_points", lambda group: points if group == plugin.GROUP else [])


def test_a_plug_in_decides_where_there_are_bars_enough(make_panel: Callable[..., Panel]) -> None:
    panel = make_panel([[1.0, np.nan], [2.0, 1.0], [3.0, 2.0]])
    rule = Plugin(plugin="halves")
    assert rule.weights(panel).tolist() == [[0, 0], [0.5, 0], [0.5, 0.5]]
    assert rule.explain(panel)[0][0] == "plug-in halves decided +50.0% of capital"


def weights_of(rule: Plugin, panel: Panel) -> Floats:
    return rule.weights(panel)


def test_what_a_plug_in_does_wrong_is_one_line(make_panel: Callable[..., Panel]) -> None:
    panel = make_panel([[1.0, 2.0], [2.0, 1.0]])
    with pytest.raises(UnknownNameError, match="unknown strategy plug-in 'halfs'; did you mean 'halves'"):
        weights_of(Plugin(plugin="halfs"), panel)
    with pytest.raises(DataError, match=r"weights of shape \(1, 1\), not \(2, 2\)"):
        weights_of(Plugin(plugin="broken"), panel)
    with pytest.raises(ConfigurationError, match="has no function weights"):
        weights_of(Plugin(plugin="lacking"), panel)
    with pytest.raises(ConfigurationError, match="cannot be loaded: No module named 'gone'"):
        weights_of(Plugin(plugin="gone"), panel)
    with pytest.raises(DataError, match="no numbers from -1 to 1"):
        weights_of(Plugin(plugin="halves", parameters={"share": 3.0}), panel)
    with pytest.raises(ConfigurationError, match="bars, 1 or more"):
        weights_of(Plugin(plugin="halves", parameters={"bars": 0}), panel)
