"""From a syntax tree to typed nodes: a list of what may be written, and everything else an error."""

from __future__ import annotations

import ast
import operator
from typing import TYPE_CHECKING

from trading.bars import FIELDS
from trading.errors import InvalidValueError
from trading.expressions.composing import all_of, bracketed, combined, field, finite, folded, number
from trading.expressions.errors import ExpressionError, unknown
from trading.expressions.evaluating import Truth
from trading.expressions.functions import FUNCTIONS, Function, Takes
from trading.expressions.nodes import KIND_NAMES, MAX_DEPTH, MAX_MEMORY, MAX_SIZE, Node
from trading.expressions.syntax import column, form, symbol
from trading.indicators.catalogue import CATALOGUE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from trading.bars import Floats
    from trading.indicators import BySymbol
    from trading.indicators.catalogue import Parameter

_ARITHMETIC: dict[type[ast.operator], tuple[str, Callable[..., Floats]]] = {
    ast.Add: ("+", operator.add),
    ast.Sub: ("-", operator.sub),
    ast.Mult: ("*", operator.mul),
    ast.Div: ("/", operator.truediv),
}
_COMPARISONS: dict[type[ast.cmpop], tuple[str, Callable[..., NDArray[np.bool_]], type[ast.cmpop]]] = {
    ast.Lt: ("<", operator.lt, ast.GtE),
    ast.LtE: ("<=", operator.le, ast.Gt),
    ast.Gt: (">", operator.gt, ast.LtE),
    ast.GtE: (">=", operator.ge, ast.Lt),
}


class Checker:
    """Turns a syntax tree into nodes; whatever it does not know is an error."""

    def __init__(self, named: Mapping[str, Node], parameters: Mapping[str, float]) -> None:
        self._named = named
        self._parameters = parameters
        self._level = 0

    def check(self, tree: ast.expr) -> Node:
        """Return the node of a syntax tree; ExpressionError for what is not in the language, with the column."""
        self._level += 1
        if self._level > MAX_DEPTH:
            raise ExpressionError(column(tree), f"nested too deeply; {MAX_DEPTH} levels are the most")
        node = self._node(tree)
        self._level -= 1
        if node.size > MAX_SIZE:
            raise ExpressionError(column(tree), f"more than {MAX_SIZE} operations; split the strategy")
        if node.memory > MAX_MEMORY:
            raise ExpressionError(
                column(tree), f"{node.text} looks back {node.memory:,} bars; {MAX_MEMORY:,} are the most"
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
        raise ExpressionError(column(tree), f"{form(tree)} is not part of the language")

    def _constant(self, tree: ast.Constant) -> Node:
        value = tree.value
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ExpressionError(column(tree), f"{str(value)[:40]!r} is no number")
        return number(value, column(tree))

    def _name(self, tree: ast.Name) -> Node:
        name = tree.id
        if name in self._named:
            return self._named[name]
        if name in self._parameters:
            return number(self._parameters[name], column(tree))
        if name in FIELDS:
            return field(next(one for one in FIELDS if one == name))
        if name in FUNCTIONS:
            raise ExpressionError(column(tree), f"{name} is a function; write {FUNCTIONS[name].usage(name)}")
        raise unknown(column(tree), "name", name, [*FIELDS, *self._named, *self._parameters])

    def _arithmetic(self, tree: ast.BinOp) -> Node:
        known = _ARITHMETIC.get(type(tree.op))
        if known is None:
            raise ExpressionError(
                column(tree), f"the operator {symbol(tree.op)} is not part of the language; there are + - * /"
            )
        sign, work = known
        parts = [self._numeric(side, f"{sign} takes") for side in (tree.left, tree.right)]
        if all(part.kind == "number" for part in parts):
            return number(folded(work, parts, column(tree)), column(tree))
        return combined("series", tuple(parts), f" {sign} ", lambda _, one, other: finite(work, one, other))

    def _unary(self, tree: ast.UnaryOp) -> Node:
        if isinstance(tree.op, ast.Not):
            held = self._condition(tree.operand, "not takes")
            return Node(
                "condition",
                f"not {bracketed(held, within='series')}",
                f"not ({held.key})",
                (held,),
                lambda _, truth: ~truth,
                held.warm_up,
                held.memory,
                across=held.across,
            )
        if not isinstance(tree.op, ast.USub | ast.UAdd):
            raise ExpressionError(column(tree), f"{symbol(tree.op)} is not part of the language")
        part = self._numeric(tree.operand, "- takes")
        if isinstance(tree.op, ast.UAdd):
            return part
        if part.kind == "number":
            return number(-part.value, column(tree))
        return Node(
            "series",
            f"-{bracketed(part, within='series')}",
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

        return combined("condition", parts, f" {word} ", work)

    def _comparison(self, tree: ast.Compare) -> Node:
        sides = [self._numeric(side, "a comparison takes") for side in (tree.left, *tree.comparators)]
        pairs = [
            self._compared(tree, how, one, other) for how, one, other in zip(tree.ops, sides, sides[1:], strict=False)
        ]
        if len(pairs) == 1:
            return pairs[0]
        return combined("condition", tuple(pairs), " and ", all_of)

    def _compared(self, tree: ast.Compare, how: ast.cmpop, one: Node, other: Node) -> Node:
        known = _COMPARISONS.get(type(how))
        if known is None:
            raise ExpressionError(
                column(tree), f"the comparison {symbol(how)} is not part of the language; there are < <= > >="
            )
        if one.kind == other.kind == "number":
            raise ExpressionError(column(tree), f"{one.text} and {other.text} are constants; compare a series")
        sign, work, opposite = known
        against = _COMPARISONS[opposite][1]
        return combined("condition", (one, other), f" {sign} ", lambda _, a, b: Truth(work(a, b), against(a, b)))

    def _call(self, tree: ast.Call) -> Node:
        if not isinstance(tree.func, ast.Name):
            raise ExpressionError(column(tree), "only the language's own functions can be called")
        name = tree.func.id
        if name not in FUNCTIONS:
            if name in CATALOGUE:
                raise ExpressionError(
                    column(tree), f"{name} depends on where the history starts, so no strategy may read it"
                )
            raise unknown(column(tree), "function", name, FUNCTIONS)
        function = FUNCTIONS[name]
        arguments, constants = self._arguments(tree, name, function)
        if function.takes and all(part.kind == "number" for part in arguments):
            raise ExpressionError(column(tree), f"{name} of constants is a constant; give it a series such as close")
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
                raise ExpressionError(column(keyword.value), f"{name} has no parameter {keyword.arg!r}; {usage}")
        most = len(function.takes) + len(function.parameters)
        if len(tree.args) > most:
            raise ExpressionError(column(tree), f"{name} takes at most {most} argument(s); {usage}")
        if len(tree.args) < len(function.takes):
            raise ExpressionError(column(tree), f"{name} lacks an argument; {usage}")
        arguments = tuple(
            self._argument(value, takes, f"{name} takes")
            for value, (_, takes) in zip(tree.args, function.takes, strict=False)
        )
        rest = tree.args[len(function.takes) :]
        given = {parameter.name: value for parameter, value in zip(function.parameters, rest, strict=False)}
        for keyword in tree.keywords:
            if keyword.arg in given:
                raise ExpressionError(column(keyword.value), f"{name} is given {keyword.arg} twice; {usage}")
            given[str(keyword.arg)] = keyword.value
        constants = []
        for parameter in function.parameters:
            if parameter.name not in given and not function.optional:
                raise ExpressionError(column(tree), f"{name} lacks {parameter.name}; {usage}")
            constants.append(self._parameter(given.get(parameter.name), parameter, name))
        return arguments, tuple(constants)

    def _parameter(self, tree: ast.expr | None, parameter: Parameter, name: str) -> float:
        if tree is None:
            return int(parameter.default) if parameter.whole else float(parameter.default)
        node = self.check(tree)
        if node.kind != "number":
            raise ExpressionError(
                column(tree), f"{parameter.name} of {name} has to be a constant, not {KIND_NAMES[node.kind]}"
            )
        try:
            return parameter.checked(node.value, name)
        except InvalidValueError as error:
            raise ExpressionError(column(tree), str(error)) from None

    def _argument(self, tree: ast.expr, takes: Takes, who: str) -> Node:
        if takes == "condition":
            return self._condition(tree, who)
        node = self._numeric(tree, who)
        if takes == "series" and node.kind == "number":
            raise ExpressionError(column(tree), f"{who} a series such as close first, not the constant {node.text}")
        return node

    def _numeric(self, tree: ast.expr, who: str) -> Node:
        node = self.check(tree)
        if node.kind == "condition":
            raise ExpressionError(column(tree), f"{who} numbers, and {node.text} is a condition")
        return node

    def _condition(self, tree: ast.expr, who: str) -> Node:
        node = self.check(tree)
        if node.kind != "condition":
            raise ExpressionError(
                column(tree), f"{who} conditions, and {node.text} is {KIND_NAMES[node.kind]}; compare it, such as > 0"
            )
        return node
