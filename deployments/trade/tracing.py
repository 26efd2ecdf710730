"""`trading trace`: where an order, a fill or a signal came from, and whether its bars are still the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from deployments.command_line import Json, one_line_errors

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.tree import Tree

    from db.results.lineage import Seen, Step, Trace

SHOWN = 12
"""Characters of a hash that people are shown."""


@one_line_errors
def trace(
    reference: Annotated[
        str,
        typer.Argument(
            metavar="ORDER|FILL|SIGNAL",
            help="12 or order:12, fill:3, signal:7, a client_order_id, or the broker's id of an order or fill.",
        ),
    ],
    *,
    as_json: Json = False,
) -> None:
    """Show the chain from the bars over signal, size, risk decision and order to the fills.

    Says as well whether the bars stored now still hash the same as those the decision saw.

    Example:  trading trace 12   or   trading trace fill:3 --json
    """
    from db.results import lineage
    from deployments.data import connection, display

    with connection.database() as opened:
        found = lineage.trace(opened, reference)
    if as_json:
        display.as_json(document(found))
    else:
        from rich.console import Console

        Console(highlight=False).print(_tree(found))


def document(found: Trace) -> dict[str, Any]:
    """Return the chain for programs."""
    return {
        "asked": found.asked,
        "bars": {"own": _seen(found.own), "evaluated": _seen(found.evaluated)},
        "run": _plain(found.run),
        "strategy_version": _plain(found.strategy_version),
        "signal": _plain(found.signal),
        "steps": [
            {
                "target": _plain(step.target),
                "decision": _plain(step.decision),
                "order": _plain(step.order.order) if step.order else None,
                "events": [_plain(row) for row in step.order.events] if step.order else [],
                "fills": [_plain(row) for row in step.order.fills] if step.order else [],
            }
            for step in found.steps
        ],
    }


def _plain(row: Any) -> dict[str, Any] | None:
    return None if row is None else dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public accessor despite its name


def _seen(seen: Seen | None) -> dict[str, Any] | None:
    if seen is None:
        return None
    names = ("symbols", "timeframe", "bars", "first", "last", "sha256", "sha256_now", "unchanged")
    return {name: getattr(seen, name) for name in names}


def _tree(found: Trace) -> Tree:
    from rich.tree import Tree

    root = Tree(_text(found.asked, "bold"))
    signal, version, run = found.signal, found.strategy_version, found.run
    if signal is None or version is None or run is None:
        root.add(_text("no signal: this order was made outside of the strategies"))
    else:
        root.add(_text(_bars(found.own)))
        if found.evaluated is not None and len(found.evaluated.symbols) > 1:
            root.add(_text(_bars(found.evaluated)))
        head = f"signal {signal.id}  {signal.strategy}: {signal.direction} {signal.symbol}, weight "
        said = root.add(_text(f"{head}{signal.target_weight:.1%}", "bold"))
        said.add(_text(signal.reason))
        said.add(_text(f"strategy version {version.version}, run {run.id}, {_by(signal)}"))
    for step in found.steps:
        _add_step(root, step)
    if not found.steps:
        root.add(_text("nothing came of it: no account sized this signal"))
    return root


def _add_step(root: Tree, step: Step) -> None:
    target, decision = step.target, step.decision
    if target is not None:
        change = f"{_number(target.current_quantity)} -> {_number(target.target_quantity)} shares"
        head = f"target {target.id}  {target.symbol} {change} for {target.session}"
        sized = root.add(_text(head, "bold"))
        sized.add(_text(f"{target.method} at {_number(target.price)} USD, {_by(target)}"))
    if decision is not None:
        amount = f"{_number(decision.approved_quantity)} of {_number(decision.requested_quantity)}"
        decided = root.add(_text(f"decision {decision.id}  {decision.verdict}, {decision.side} {amount}", "bold"))
        _add_all(decided, (f"{check['outcome']}: {check['sentence']}" for check in decision.checks))
        decided.add(_text(_by(decision)))
    if step.order is None:
        return
    order = step.order.order
    what = f"{order.side} {_number(order.quantity)} {order.symbol} {order.type} {order.time_in_force}"
    sent = root.add(_text(f"order {order.id}  {what}: {order.status}", "bold"))
    sent.add(_text(f"{order.client_order_id}, {_by(order)}"))
    sent.add(_text(f"the broker's id {order.broker_order_id or 'is not known'}, account {order.account}"))
    if order.problem:
        sent.add(_text(order.problem))
    _add_all(sent, (f"{_when(event.at)}  {event.event} -> {event.status}" for event in step.order.events))
    for fill in step.order.fills:
        what = f"fill {fill.id}  {_number(fill.quantity)} at {_number(fill.price)} USD, {_when(fill.filled_at)}"
        sent.add(_text(what, "bold")).add(_text(f"{fill.execution_id}, {_by(fill)}"))


def _add_all(branch: Tree, lines: Iterable[str]) -> None:
    for line in lines:
        branch.add(_text(line))


def _bars(seen: Seen | None) -> str:
    if seen is None:
        return "no bars"
    whose = seen.symbols[0] if len(seen.symbols) == 1 else f"all {len(seen.symbols)} symbols evaluated with it"
    what = f"{seen.bars} {seen.timeframe} bars of {whose} to {_when(seen.last)}"
    if seen.sha256 is None:
        return f"{what}: what the decision saw was not kept"
    now = "unchanged since" if seen.unchanged else f"CORRECTED SINCE: they hash to {seen.sha256_now[:SHOWN]} now"
    return f"{what}, sha256 {seen.sha256[:SHOWN]}: {now}"


def _by(row: Any) -> str:
    return f"flow run {row.flow_run_id}" if row.flow_run_id else "by hand"


def _when(at: Any) -> str:
    from deployments.data import display

    return display.cell(at)


def _number(value: Any) -> str:
    from deployments.data import display

    return display.cell(value)


def _text(words: str, style: str = "") -> Any:
    from rich.text import Text

    return Text(words, style=style)
