"""Strategies: their definitions, what they decide, the shipped ones, and their text."""

from __future__ import annotations

from trading.strategies.decisions import decided, explanations, needed, target_weights
from trading.strategies.definition import Rule, Strategy, Symbol
from trading.strategies.shipped import ACTIVE, SHIPPED
from trading.strategies.text import Change, difference, from_text, to_yaml

__all__ = [
    "ACTIVE",
    "SHIPPED",
    "Change",
    "Rule",
    "Strategy",
    "Symbol",
    "decided",
    "difference",
    "explanations",
    "from_text",
    "needed",
    "target_weights",
    "to_yaml",
]
