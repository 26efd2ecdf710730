"""The language strategies are written in: Python's syntax for what a bar, its past and the universe say.

Numbers and conditions of every symbol's own bars, functions that look back, and a few that compare symbols. There
is no word for a later bar, and nothing of Python but its operators: an expression is parsed, checked and turned
into array operations; it is never executed.
"""

from __future__ import annotations

from trading.expressions.errors import ExpressionError
from trading.expressions.evaluating import Truth, condition, series
from trading.expressions.functions import FUNCTIONS
from trading.expressions.nodes import Node
from trading.expressions.parsing import parse

__all__ = ["FUNCTIONS", "ExpressionError", "Node", "Truth", "condition", "parse", "series"]
