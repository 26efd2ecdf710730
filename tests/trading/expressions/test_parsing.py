from __future__ import annotations

import ast
import contextlib
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trading.expressions import FUNCTIONS, ExpressionError, Node, parse
from trading.expressions.nodes import MAX_DEPTH, MAX_MEMORY, MAX_SIZE

GOLDEN = "crossed_above(sma(close, 20), sma(close, 50)) and rsi(close, 14) < 70"


def test_an_expression_knows_its_type_and_how_far_it_looks_back() -> None:
    node = parse(GOLDEN)
    assert (node.kind, node.text) == ("condition", GOLDEN)
    assert node.warm_up == 51  # the cross needs the bar before the 50th
    assert node.memory == 295  # rsi's seed is forgotten to 1e-9 then: 15 + ln(1e-9) / ln(13/14)
    assert [leaf.text for leaf in node.leaves()] == ["sma(close, 20)", "sma(close, 50)", "rsi(close, 14)"]


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("crosed_above(close, open)", 1, "unknown function 'crosed_above'; did you mean crossed_above?"),
        ("close > smaa(close, 20)", 9, "did you mean sma?"),
        ("clse > open", 1, "unknown name 'clse'; did you mean close?"),
        ("sma > 3", 1, "sma is a function; write sma(series, length=20)"),
        ("sma(close, 0) > 3", 12, "a whole number from 1 to 5000"),
        ("sma(close, 2.5) > 3", 12, "a whole number from 1 to 5000"),
        ("sma(close, open) > 3", 12, "has to be a constant, not a number"),
        ("sma(5, 20) > 3", 5, "a series such as close first"),
        ("sma(close, 20, 30) > 3", 1, "at most 2 argument(s)"),
        ("sma() > 3", 1, "sma lacks an argument; write sma(series, length=20)"),
        ("ago(close) > 3", 1, "ago lacks bars; write ago(series, bars)"),
        ("sma(close, span=20) > 3", 17, "has no parameter 'span'"),
        ("sma(close, 20, length=20) > 3", 23, "length twice"),
        ("close + (open > 3) > 2", 10, "+ takes numbers, and open > 3 is a condition"),
        ("close and open > 3", 1, "and takes conditions, and close is a number; compare it"),
        ("not close", 5, "not takes conditions"),
        ("close", 1, "this is a number, and a condition is needed"),
        ("3 < 4", 1, "are constants; compare a series"),
        ("ago(close, -1) > 3", 12, "from 1 to 5000"),  # the future
        ("rank(5) > 1", 6, "a series such as close first"),
        ("rank(close > 3) > 1", 6, "rank takes numbers"),
        ("breadth(close) > 0.5", 9, "breadth takes conditions"),
        ("obv() > 3", 1, "depends on where the history starts"),
        ("close == 3", 1, "the comparison == is not part of the language"),
        ("close ** 2 > 3", 1, "the operator ** is not part of the language"),
        ("close % 2 > 3", 1, "the operator % is not part"),
        ("close > 9**9**9**9", 9, "the operator ** is not part"),
        ("close > 1e400", 9, "a constant is at most 1e+15"),
        ("close > 1e15 * 1e15", 9, "a constant is at most"),
        ("close / (2 - 2) > 1 / 0", 19, "a division by zero"),
        ("close.real > 3", 1, "a dot is not part of the language"),
        ("close[1] > 3", 1, "square brackets is not part"),
        ("(lambda: 3)() > 3", 1, "only the language's own functions"),
        ("[x for x in close] > 3", 1, "a loop is not part"),
        ("(x := 3) > 3", 2, "an assignment is not part"),
        ("close if open else high", 1, "if ... else is not part"),
        ("'close' > 3", 1, "'close' is no number"),
        ("f'{close}' > 3", 1, "text is not part"),
        ("True", 1, "'True' is no number"),
        ("__import__('os').system('true')", 1, "only the language's own functions can be called"),
        ("__import__('os')", 1, "unknown function '__import__'"),
        ("import os", 1, "this cannot be read"),
        ("close >", 8, "this cannot be read"),
        ("", 1, "the expression is empty"),
        ("close > \u0661", 9, "write plain ASCII"),
        ("close > 3\x00", 10, "write plain ASCII"),
        ("sma(*close) > 3", 5, "a star is not part"),
        ("sma(close, **open) > 3", 14, "has no parameter None"),
    ],
)
def test_what_is_not_in_the_language_is_refused_at_its_column(text: str, column: int, words: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    if "cannot be read" not in words:
        assert caught.value.column == column


@pytest.mark.parametrize(
    "text",
    [
        "close > " + "1 + " * 2500 + "1",
        "(" * 900 + "close" + ")" * 900 + " > 1",
        "-" * 1900 + "close > 1",
        "not " * 450 + "close > 1",
        "close > " + " + ".join(["open"] * MAX_SIZE),
        "close > " + "abs(" * (MAX_DEPTH + 1) + "open" + ")" * (MAX_DEPTH + 1),
        "close > sma(sma(close, 3000), 3000)",
    ],
)
def test_work_is_bounded(text: str) -> None:
    started = time.perf_counter()
    with pytest.raises(ExpressionError):
        parse(text)
    assert time.perf_counter() - started < 1


def test_named_expressions_cannot_grow_without_bound() -> None:
    named: dict[str, Node] = {"a": parse("close + open", gives="series")}
    for one, other in zip("abc", "bcd", strict=True):
        named[other] = parse(f"{one} + {one} + {one}", gives="series", named=named)
    with pytest.raises(ExpressionError, match=f"more than {MAX_SIZE} operations"):
        parse("d + d + d > 0", named=named)


def test_names_and_constants_of_a_strategy_can_be_used() -> None:
    fast = parse("sma(close, n)", gives="series", parameters={"n": 7})
    assert (fast.text, fast.warm_up) == ("sma(close, 7)", 7)
    node = parse("close > fast * k", named={"fast": fast}, parameters={"k": 1.5})
    assert node.warm_up == 7
    with pytest.raises(ExpressionError, match="did you mean fast"):
        parse("close > fats", named={"fast": fast})


SYMBOLS = "open high low close volume and or not ( ) ( ) , , < > <= >= + - * / 1 14 20 0.5 length= bars="
FOREIGN = "lambda import __class__ . [ ] { } : = := ** if else for in x 'a' yield await @ % ~ == ; \\ # 1e999 None"
WORDS = [*FUNCTIONS, *SYMBOLS.split(), *FOREIGN.split()]


@given(st.lists(st.sampled_from(WORDS), max_size=40).map(" ".join) | st.text(max_size=200))
@example("close.__class__.__mro__[1].__subclasses__() > 1")
@example("(yield close) > 1")
@example("sma(close, length=20) > (await close)")
def test_nothing_but_the_language_is_accepted(text: str) -> None:
    node = None
    with contextlib.suppress(ExpressionError):  # anything else is a failure
        node = parse(text)
    if node is None:
        return
    assert node.kind == "condition"
    assert node.size <= MAX_SIZE
    assert 1 <= node.warm_up <= node.memory <= MAX_MEMORY
    allowed = (ast.Expression, ast.BoolOp, ast.UnaryOp, ast.BinOp, ast.Compare, ast.Call, ast.Name, ast.Constant)
    harmless = (ast.expr_context, ast.operator, ast.unaryop, ast.cmpop, ast.boolop, ast.keyword)
    for part in ast.walk(ast.parse(" ".join(text.split("\n")).strip(), mode="eval")):
        assert isinstance(part, (*allowed, *harmless))
