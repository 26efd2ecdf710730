"""`trading explain`: why a strategy wanted what it wanted, of one stored signal."""

from __future__ import annotations

from typing import Annotated

import typer

from deployments.command_line import Json, one_line_errors


@one_line_errors
def explain(
    signal: Annotated[int, typer.Argument(metavar="SIGNAL", min=1, help="Number of a signal, as the api lists them.")],
    *,
    as_json: Json = False,
) -> None:
    """Explain a signal: the reason in words, the figures, the rule, and the bars it was decided on.

    Example:  trading explain 12
    """
    from db.results import signals
    from deployments.data import connection, display
    from trading.errors import DataError
    from trading.report import Report
    from trading.strategies import Strategy, to_yaml

    with connection.database() as opened:
        found = signals.explained(opened, signal)
    if found is None:
        raise DataError(f"there is no signal {signal}; GET /api/signals and the dashboard list them")
    figures = {
        "signal": found.id,
        "strategy": f"{found.strategy} {found.strategy_version}",
        "symbol": found.symbol,
        "bar": found.bar_ts,
        "direction": found.direction,
        "weight": found.target_weight,
        "strength": found.strength,
        "decided": found.created_at,
        "flow run": str(found.flow_run_id or ""),
        "bars": f"sha256 {found.bars_sha256}",
    }
    if as_json:
        display.as_json({**figures, "reason": found.reason, "values": found.values, "definition": found.definition})
        return
    rows = [{"figure": name, "value": value} for name, value in found.values.items()]
    display.show_report(Report(found.reason, figures, rows), most=len(rows))
    display.say(f"\n{to_yaml(Strategy.model_validate(found.definition))}")
