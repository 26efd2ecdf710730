"""An order's way from the bar to the fills, as a row of cards."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard.format import bar_day, figure, money, number, percent, quantity, when
from dashboard.frame import section

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dashboard.resources import Row

PASSED = "pass"
SHOWN = 12
"""Characters of a hash that people are shown."""
MARKS = {PASSED: "✓", "reduce": "▼", "reject": "✕"}


def show_lineage(found: Row, chain: Row) -> None:
    """Draw the bars, signal, sizing, risk decision, order and fills of an order; other people's text is escaped."""
    order = found["order"]
    lineage = found.get("lineage") or {}
    section(f"Order {order['id']}", str(order["client_order_id"]))
    cards = [
        _bars(chain.get("own"), chain.get("evaluated")),
        _signal(lineage.get("signal")),
        _target(lineage.get("target")),
        _decision(lineage.get("decision")),
        _order(order, found.get("events") or []),
        _fills(found.get("fills") or []),
    ]
    st.html(f'<ol class="lineage">{"".join(cards)}</ol>')


def _bars(own: Row | None, evaluated: Row | None) -> str:
    if own is None:
        return _card("0 Bars", "None", [])
    lead = f"{own['bars']} {own['timeframe']} bars of {own['symbols'][0]}"
    facts = [_sameness(own)]
    if evaluated is not None and len(evaluated["symbols"]) > 1:
        facts.append(f"with those of all {len(evaluated['symbols'])} symbols: {_sameness(evaluated)}")
    return _card("0 Bars", lead, facts)


def _sameness(seen: Row) -> str:
    if seen["sha256"] is None:
        return "what the decision saw was not kept"
    if seen["unchanged"]:
        return f"sha256 {seen['sha256'][:SHOWN]}, unchanged since"
    return f"sha256 {seen['sha256'][:SHOWN]}, corrected since: {seen['sha256_now'][:SHOWN]} now"


def _signal(signal: Row | None) -> str:
    if signal is None:
        return _card("1 Signal", "None", ["This order was not made by one of our strategies."])
    weight = percent(signal["target_weight"], places=1)
    facts = [
        signal["reason"],
        f"bar {bar_day(signal.get('bar_ts'), signal.get('timeframe', '1Day'))}",
        f"version {signal.get('strategy_version', '')}",
    ]
    return _card("1 Signal", f"{signal['direction']}, {weight}", facts, _pairs(signal.get("values")))


def _target(target: Row | None) -> str:
    if target is None:
        return _card("2 Size", "None", [])
    change = f"{quantity(target['current_quantity'])} → {quantity(target['target_quantity'])} shares"
    facts = [f"{target['method']} at {money(target['price'])}"]
    return _card("2 Size", change, facts, _pairs(target.get("workings")))


def _decision(decision: Row | None) -> str:
    if decision is None:
        return _card("3 Risk", "None", [])
    amount = f"{quantity(decision['approved_quantity'])} of {quantity(decision['requested_quantity'])}"
    checks = decision.get("checks") or []
    decided = [check for check in checks if check.get("outcome") != PASSED]
    sentences = [
        f"{MARKS.get(str(check.get('outcome')), '·')} {check.get('sentence', '')}" for check in decided or checks[:3]
    ]
    note = f"{len(checks) - len(decided)} of {len(checks)} limits passed" if checks else "no limits were recorded"
    return _card("3 Risk", f"{decision['verdict']}, {amount}", [note], sentences)


def _order(order: Row, events: list[Row]) -> str:
    head = f"{order['side']} {quantity(order['quantity'])} {order['symbol']}"
    price = f" {number(order['limit_price'])}" if order.get("limit_price") is not None else ""
    facts = [f"{order['type']}{price}, {order['time_in_force']}: {order['status']}"]
    if order.get("problem"):
        facts.append(str(order["problem"]))
    steps = [f"{when(event['at'])} {event['event']} → {event['status']}" for event in events]
    return _card("4 Order", head, facts, steps)


def _fills(fills: list[Row]) -> str:
    total = sum(float(fill["quantity"]) for fill in fills)
    head = f"{quantity(total)} filled" if fills else "Not filled"
    steps = [
        f"{when(fill['filled_at'])} {quantity(float(fill['quantity']))} at {money(fill['price'])}" for fill in fills
    ]
    return _card("5 Fills", head, [], steps)


def _card(title: str, lead: str, facts: Iterable[Any], points: Iterable[str] = ()) -> str:
    paragraphs = "".join(f"<p>{escape(str(fact))}</p>" for fact in facts)
    items = "".join(f"<li>{escape(point)}</li>" for point in points)
    listed = f"<ul>{items}</ul>" if items else ""
    return f'<li><h3>{escape(title)}</h3><p class="lead">{escape(lead)}</p>{paragraphs}{listed}</li>'


def _pairs(document: Row | None) -> list[str]:
    return [f"{name} {figure(value)}" for name, value in (document or {}).items()]
