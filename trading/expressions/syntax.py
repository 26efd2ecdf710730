"""From text to Python's syntax tree, and what its parts are called in a message."""

from __future__ import annotations

import ast
import warnings

from trading.expressions.errors import ExpressionError
from trading.expressions.nodes import MAX_DEPTH, MAX_TEXT

_NOT_HERE: dict[type[ast.AST], str] = {
    ast.Attribute: "a dot",
    ast.Subscript: "square brackets",
    ast.Lambda: "lambda",
    ast.IfExp: "if ... else",
    ast.List: "a list",
    ast.Tuple: "a comma outside a function",
    ast.Dict: "a dictionary",
    ast.Set: "a set",
    ast.ListComp: "a loop",
    ast.SetComp: "a loop",
    ast.DictComp: "a loop",
    ast.GeneratorExp: "a loop",
    ast.NamedExpr: "an assignment",
    ast.Starred: "a star",
    ast.JoinedStr: "text",
    ast.Await: "await",
    ast.Yield: "yield",
    ast.YieldFrom: "yield",
}


def syntax_tree(text: str) -> ast.expr:
    """Return the syntax tree of a text on one line; ExpressionError where it is none, with the column."""
    if not text:
        raise ExpressionError(1, "the expression is empty")
    if len(text) > MAX_TEXT:
        raise ExpressionError(MAX_TEXT + 1, f"the expression has {len(text):,} characters; {MAX_TEXT:,} are the most")
    strange = next((at for at, letter in enumerate(text) if not " " <= letter <= "~"), None)
    if strange is not None:
        raise ExpressionError(strange + 1, f"{text[strange]!r} is no letter of the language; write plain ASCII")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            return ast.parse(text, mode="eval").body
    except SyntaxError as error:
        column = min(max(error.offset or 1, 1), len(text) + 1)
        raise ExpressionError(column, f"this cannot be read: {error.msg}") from None
    except (RecursionError, MemoryError, ValueError):
        raise ExpressionError(1, f"the expression is nested too deeply; {MAX_DEPTH} levels are the most") from None


def column(tree: ast.expr) -> int:
    """Return where a part of the text starts, from 1 on."""
    return tree.col_offset + 1


def form(tree: ast.expr) -> str:
    """Return what a form that the language does not have is called."""
    return _NOT_HERE.get(type(tree), type(tree).__name__.lower())


def symbol(sign: ast.operator | ast.unaryop | ast.cmpop) -> str:
    """Return an operator that the language does not have as it is written."""
    signs: dict[type[ast.AST], str] = {
        ast.Pow: "**",
        ast.Mod: "%",
        ast.FloorDiv: "//",
        ast.MatMult: "@",
        ast.BitAnd: "&",
        ast.BitOr: "|",
        ast.BitXor: "^",
        ast.LShift: "<<",
        ast.RShift: ">>",
        ast.Invert: "~",
        ast.Eq: "==",
        ast.NotEq: "!=",
        ast.In: "in",
        ast.NotIn: "not in",
        ast.Is: "is",
        ast.IsNot: "is not",
    }
    return signs.get(type(sign), type(sign).__name__)
