"""From text to a checked expression: Python's parser, a list of what may be written, and types."""

from __future__ import annotations

import ast
import math
import operator
import warnings
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from trading.bars import FIELDS
from trading.errors import InvalidValueError
from trading.expressions.errors import ExpressionError, unknown
from trading.expressions.evaluating import Truth
from trading.expressions.functions import FUNCTIONS, Function, Takes
from trading.expressions.nodes import MAX_DEPTH, MAX_MEMORY, MAX_SIZE, MAX_TEXT, Kind, Node
from trading.indicators.catalogue import CATALOGUE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from trading.bars import Field, Floats
    from trading.indicators import BySymbol
    from trading.indicators.catalogue import Parameter

LARGEST = 1e15
"""Largest constant."""

NOTHING: Mapping[str, Node] = MappingProxyType({})
NO_NUMBERS: Mapping[str, float] = MappingProxyType({})

_ARITHMETIC: dict[type[ast.operator], tuple[str, Callable[..., Floats]]] = {
    ast.Add: ("+", operator.add),
    ast.Sub: ("-", operator.sub),
    ast.Mult: ("*", operator.mul),
    ast.Div: ("/", operator.truediv),
}
_COMPARISONS: dict[type[ast.cmpop], tuple[str, Callable[..., np.typing.NDArray[np.bool_]], type[ast.cmpop]]] = {
    ast.Lt: ("<", operator.lt, ast.GtE),
    ast.LtE: ("<=", operator.le, ast.Gt),
    ast.Gt: (">", operator.gt, ast.LtE),
    ast.GtE: (">=", operator.ge, ast.Lt),
}
_NAMES: dict[Kind, str] = {"number": "a constant", "series": "a number", "condition": "a condition"}
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


def parse(
    text: str,
    *,
    gives: Kind = "condition",
    named: Mapping[str, Node] = NOTHING,
    parameters: Mapping[str, float] = NO_NUMBERS,
) -> Node:
    """Return the checked expression that a text holds.

    Parameters
    ----------
    text
        Such as "crossed_above(sma(close, 20), sma(close, 50)) and rsi(close, 14) < 70".
    gives
        The type it has to have.
    named
        Expressions that may be used by name.
    parameters
        Constants that may be used by name.

    Raises
    ------
    ExpressionError
        It is not in the language, has another type, or is too large; with the column.
    """
    flat = " ".join(text.split("\n")).strip()
    node = _Checker(named, parameters).check(_syntax(flat))
    if node.kind != gives and not (gives == "series" and node.kind == "number"):
        example = "write a comparison, such as close > sma(close, 50)" if gives == "condition" else "write a number"
        raise ExpressionError(1, f"this is {_NAMES[node.kind]}, and {_NAMES[gives]} is needed; {example}")
    return node


def _syntax(text: str) -> ast.expr:
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


class _Checker:
    """Turns a syntax tree into nodes; whatever it does not know is an error."""

    def __init__(self, named: Mapping[str, Node], parameters: Mapping[str, float]) -> None:
        self._named = named
        self._parameters = parameters
        self._level = 0

    def check(self, tree: ast.expr) -> Node:
        self._level += 1
        if self._level > MAX_DEPTH:
            raise ExpressionError(_column(tree), f"nested too deeply; {MAX_DEPTH} levels are the most")
        node = self._node(tree)
        self._level -= 1
        if node.size > MAX_SIZE:
            raise ExpressionError(_column(tree), f"more than {MAX_SIZE} operations; split the strategy")
        if node.memory > MAX_MEMORY:
            raise ExpressionError(
                _column(tree), f"{node.text} looks back {node.memory:,} bars; {MAX_MEMORY:,} are the most"
            )
        return node

    def _node(self, tree: ast.expr) -> Node:  # noqa: PLR0911 - one line for each form
        match tree:
            case ast.Constant():
                return self._constant(tree)
            case ast.Name():
                return self._name(tree)
            case ast.BinOp():
                return self._arithmetic(tree)
            case ast.UnaryOp():
                return self._unary(tree)
            case ast.BoolOp():
                return self._joined(tree)
            case ast.Compare():
                return self._comparison(tree)
            case ast.Call():
                return self._call(tree)
        what = _NOT_HERE.get(type(tree), type(tree).__name__.lower())
        raise ExpressionError(_column(tree), f"{what} is not part of the language")

    def _constant(self, tree: ast.Constant) -> Node:
        value = tree.value
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ExpressionError(_column(tree), f"{str(value)[:40]!r} is no number")
        return _number(value, _column(tree))

    def _name(self, tree: ast.Name) -> Node:
        name = tree.id
        if name in self._named:
            return self._named[name]
        if name in self._parameters:
            return _number(self._parameters[name], _column(tree))
        if name in FIELDS:
            return _field(next(one for one in FIELDS if one == name))
        if name in FUNCTIONS:
            raise ExpressionError(_column(tree), f"{name} is a function; write {FUNCTIONS[name].usage(name)}")
        raise unknown(_column(tree), "name", name, [*FIELDS, *self._named, *self._parameters])

    def _arithmetic(self, tree: ast.BinOp) -> Node:
        known = _ARITHMETIC.get(type(tree.op))
        if known is None:
            raise ExpressionError(
                _column(tree), f"the operator {_symbol(tree.op)} is not part of the language; there are + - * /"
            )
        sign, work = known
        parts = [self._numeric(side, f"{sign} takes") for side in (tree.left, tree.right)]
        if all(part.kind == "number" for part in parts):
            return _number(_constants(work, parts, tree), _column(tree))
        return _combined("series", tuple(parts), f" {sign} ", lambda _, one, other: _finite(work, one, other))

    def _unary(self, tree: ast.UnaryOp) -> Node:
        if isinstance(tree.op, ast.Not):
            held = self._condition(tree.operand, "not takes")
            return Node(
                "condition",
                f"not {_bracketed(held, within='series')}",
                f"not ({held.key})",
                (held,),
                lambda _, truth: ~truth,
                held.warm_up,
                held.memory,
                across=held.across,
            )
        if not isinstance(tree.op, ast.USub | ast.UAdd):
            raise ExpressionError(_column(tree), f"{_symbol(tree.op)} is not part of the language")
        part = self._numeric(tree.operand, "- takes")
        if isinstance(tree.op, ast.UAdd):
            return part
        if part.kind == "number":
            return _number(-part.value, _column(tree))
        return Node(
            "series",
            f"-{_bracketed(part, within='series')}",
            f"-({part.key})",
            (part,),
            lambda _, values: -values,
            part.warm_up,
            part.memory,
            across=part.across,
        )

    def _joined(self, tree: ast.BoolOp) -> Node:
        word = "and" if isinstance(tree.op, ast.And) else "or"
        parts = tuple(self._condition(value, f"{word} takes") for value in tree.values)

        def work(_: BySymbol, first: Truth, *others: Truth) -> Truth:
            for other in others:
                first = first & other if word == "and" else first | other
            return first

        return _combined("condition", parts, f" {word} ", work)

    def _comparison(self, tree: ast.Compare) -> Node:
        sides = [self._numeric(side, "a comparison takes") for side in (tree.left, *tree.comparators)]
        pairs = [
            self._compared(tree, how, one, other) for how, one, other in zip(tree.ops, sides, sides[1:], strict=False)
        ]
        if len(pairs) == 1:
            return pairs[0]
        return _combined("condition", tuple(pairs), " and ", _all_of)

    def _compared(self, tree: ast.Compare, how: ast.cmpop, one: Node, other: Node) -> Node:
        known = _COMPARISONS.get(type(how))
        if known is None:
            raise ExpressionError(
                _column(tree), f"the comparison {_symbol(how)} is not part of the language; there are < <= > >="
            )
        if one.kind == other.kind == "number":
            raise ExpressionError(_column(tree), f"{one.text} and {other.text} are constants; compare a series")
        sign, work, opposite = known
        against = _COMPARISONS[opposite][1]
        return _combined("condition", (one, other), f" {sign} ", lambda _, a, b: Truth(work(a, b), against(a, b)))

    def _call(self, tree: ast.Call) -> Node:
        if not isinstance(tree.func, ast.Name):
            raise ExpressionError(_column(tree), "only the language's own functions can be called")
        name = tree.func.id
        if name not in FUNCTIONS:
            if name in CATALOGUE:
                raise ExpressionError(
                    _column(tree), f"{name} depends on where the history starts, so no strategy may read it"
                )
            raise unknown(_column(tree), "function", name, FUNCTIONS)
        function = FUNCTIONS[name]
        arguments, constants = self._arguments(tree, name, function)
        if function.takes and all(part.kind == "number" for part in arguments):
            raise ExpressionError(_column(tree), f"{name} of constants is a constant; give it a series such as close")
        bars = max((part.warm_up for part in arguments), default=1)
        past = max((part.memory for part in arguments), default=1)
        own = int(function.warm_up(*constants))
        written = [f"{value:.15g}" for value in constants]
        text, key = (
            f"{name}({', '.join([*(getattr(part, which) for part in arguments), *written])})"
            for which in ("text", "key")
        )
        work = function.work
        return Node(
            function.gives,
            text,
            key,
            arguments,
            lambda data, *values: work(data, *values, *constants),
            bars + own - 1,
            past + int((function.memory or function.warm_up)(*constants)) - 1,
            across=function.across or any(part.across for part in arguments),
            leaf=function.gives == "series",
        )

    def _arguments(self, tree: ast.Call, name: str, function: Function) -> tuple[tuple[Node, ...], tuple[float, ...]]:
        usage = f"write {function.usage(name)}"
        for keyword in tree.keywords:
            if keyword.arg not in {parameter.name for parameter in function.parameters}:
                raise ExpressionError(_column(keyword.value), f"{name} has no parameter {keyword.arg!r}; {usage}")
        most = len(function.takes) + len(function.parameters)
        if len(tree.args) > most:
            raise ExpressionError(_column(tree), f"{name} takes at most {most} argument(s); {usage}")
        if len(tree.args) < len(function.takes):
            raise ExpressionError(_column(tree), f"{name} lacks an argument; {usage}")
        arguments = tuple(
            self._argument(value, takes, f"{name} takes")
            for value, (_, takes) in zip(tree.args, function.takes, strict=False)
        )
        rest = tree.args[len(function.takes) :]
        given = {parameter.name: value for parameter, value in zip(function.parameters, rest, strict=False)}
        for keyword in tree.keywords:
            if keyword.arg in given:
                raise ExpressionError(_column(keyword.value), f"{name} is given {keyword.arg} twice; {usage}")
            given[str(keyword.arg)] = keyword.value
        constants = []
        for parameter in function.parameters:
            if parameter.name not in given and not function.optional:
                raise ExpressionError(_column(tree), f"{name} lacks {parameter.name}; {usage}")
            constants.append(self._parameter(given.get(parameter.name), parameter, name))
        return arguments, tuple(constants)

    def _parameter(self, tree: ast.expr | None, parameter: Parameter, name: str) -> float:
        if tree is None:
            return int(parameter.default) if parameter.whole else float(parameter.default)
        node = self.check(tree)
        if node.kind != "number":
            raise ExpressionError(
                _column(tree), f"{parameter.name} of {name} has to be a constant, not {_NAMES[node.kind]}"
            )
        try:
            return parameter.checked(node.value, name)
        except InvalidValueError as error:
            raise ExpressionError(_column(tree), str(error)) from None

    def _argument(self, tree: ast.expr, takes: Takes, who: str) -> Node:
        if takes == "condition":
            return self._condition(tree, who)
        node = self._numeric(tree, who)
        if takes == "series" and node.kind == "number":
            raise ExpressionError(_column(tree), f"{who} a series such as close first, not the constant {node.text}")
        return node

    def _numeric(self, tree: ast.expr, who: str) -> Node:
        node = self.check(tree)
        if node.kind == "condition":
            raise ExpressionError(_column(tree), f"{who} numbers, and {node.text} is a condition")
        return node

    def _condition(self, tree: ast.expr, who: str) -> Node:
        node = self.check(tree)
        if node.kind != "condition":
            raise ExpressionError(
                _column(tree), f"{who} conditions, and {node.text} is {_NAMES[node.kind]}; compare it, such as > 0"
            )
        return node


def _column(tree: ast.expr) -> int:
    return tree.col_offset + 1


def _symbol(sign: ast.operator | ast.unaryop | ast.cmpop) -> str:
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


def _number(value: float, column: int) -> Node:
    if not abs(value) <= LARGEST:
        raise ExpressionError(column, f"a constant is at most {LARGEST:g} in size")
    return Node("number", f"{value:g}", repr(float(value)), value=float(value))


def _constants(work: Callable[..., object], parts: list[Node], tree: ast.BinOp) -> float:
    try:
        value = float(work(*(part.value for part in parts)))  # type: ignore[arg-type]  # of floats
    except ZeroDivisionError:
        raise ExpressionError(_column(tree), "a division by zero") from None
    return value if math.isfinite(value) else math.inf


def _field(name: Field) -> Node:
    return Node("series", name, name, (), lambda data: data.field(name), leaf=True)


def _finite(work: Callable[..., Floats], one: Floats | float, other: Floats | float) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        values = work(one, other)
    return np.where(np.isfinite(values), values, np.nan) if work is operator.truediv else values


def _all_of(_: BySymbol, first: Truth, *others: Truth) -> Truth:
    for other in others:
        first &= other
    return first


def _bracketed(part: Node, *, within: Kind) -> str:
    """Return a part's text, in brackets where it is made with operators that would be read otherwise without."""
    joined = part.key.startswith("(") and " " in part.text
    if within == "condition":
        joined = joined and all(inner.kind == "condition" for inner in part.parts)
    return f"({part.text})" if joined else part.text


def _combined(kind: Kind, parts: tuple[Node, ...], sign: str, work: Callable[..., object]) -> Node:
    return Node(
        kind,
        sign.join(_bracketed(part, within=kind) for part in parts),
        "(" + sign.join(part.key for part in parts) + ")",
        parts,
        work,
        max(part.warm_up for part in parts),
        max(part.memory for part in parts),
        across=any(part.across for part in parts),
    )
