"""`trading indicators`: the catalogue, as a list or one entry of it in full."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from deployments.command_line import Json, one_line_errors

if TYPE_CHECKING:
    from trading.indicators import Indicator


@one_line_errors
def indicators(
    name: Annotated[str | None, typer.Argument(help="One indicator, in full; without: all of them.")] = None,
    *,
    as_json: Json = False,
) -> None:
    """List the indicators: parameters with bounds, what they read, warm-up and where the formula is from."""
    from deployments.data import display
    from trading.indicators import CATALOGUE
    from trading.indicators.catalogue import named

    if name is not None:
        entry = _entry(named(name))
        if as_json:
            display.as_json(entry)
            return
        words = entry | {
            "parameters": "; ".join(_bounds(one) for one in entry["parameters"]) or "none",
            "inputs": ", ".join(entry["inputs"]),
            "outputs": ", ".join(entry["outputs"]),
            "warm_up": f"{entry['warm_up']} bars",
            "memory": "endless" if entry["memory"] is None else f"{entry['memory']} bars",
        }
        for label, value in words.items():
            display.say(f"{label.replace('_', '-'):<12} {value}")
        return
    entries = [_entry(one) for one in CATALOGUE.values()]
    if as_json:
        display.as_json(entries)
        return
    display.table(
        [
            {
                "indicator": entry["name"],
                "parameters": ", ".join(f"{one['name']}={one['default']:g}" for one in entry["parameters"]),
                "reads": " ".join(entry["inputs"]),
                "warm-up": entry["warm_up"],
                "what": entry["description"],
            }
            for entry in entries
        ]
    )


def _entry(indicator: Indicator) -> dict[str, Any]:
    """Return an entry as plain values; warm-up and memory, in bars, with the parameters' defaults."""
    from trading.indicators import CATALOGUE, parse

    _, defaults = parse(indicator.name)
    return {
        "name": indicator.name,
        "description": indicator.description,
        "parameters": [
            {"name": one.name, "default": one.default, "least": one.least, "most": one.most, "whole": one.whole}
            for one in indicator.parameters
        ],
        "inputs": list(indicator.inputs),
        "outputs": [
            one.name for one in CATALOGUE.values() if (one.kernel, one.inputs) == (indicator.kernel, indicator.inputs)
        ],
        "warm_up": int(indicator.warm_up(*defaults)),
        "memory": None if indicator.anchored else int(indicator.memory(*defaults)),
        "settles": _settles(indicator),
        "source": indicator.source,
    }


def _settles(indicator: Indicator) -> str:
    if indicator.anchored:
        return "never: it depends on where the history starts, and no strategy may read it"
    if indicator.as_a_rule:
        return "as a rule when its memory is over; no bound can be proved"
    if indicator.memory is indicator.warm_up:
        return "with its first value"
    return "to 1e-9 when its memory is over"


def _bounds(parameter: dict[str, Any]) -> str:
    kind = "whole, " if parameter["whole"] else ""
    return f"{parameter['name']} {parameter['default']:g} ({kind}{parameter['least']:g} to {parameter['most']:g})"
