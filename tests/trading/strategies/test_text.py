from __future__ import annotations

import pytest

from trading.errors import TradingError
from trading.strategies import SHIPPED, Strategy, difference, from_text, to_yaml

MINE = """
name: mine
universe: [AAPL, MSFT]
rule:
  kind: conditions
  parameters: {n: 20}
  indicators: {fast: "sma(close, n)"}
  entry: crossed_above(close, fast)
costs: {commission_bps: 5}
"""


@pytest.mark.parametrize("name", SHIPPED)
def test_yaml_out_and_in_is_the_same_strategy(name: str) -> None:
    again = from_text(to_yaml(SHIPPED[name]))
    assert again == SHIPPED[name]
    assert again.version == SHIPPED[name].version


def test_costs_and_parameters_are_part_of_the_version() -> None:
    mine = from_text(MINE)
    assert mine.costs.commission_bps == 5
    assert from_text(MINE.replace("n: 20", "n: 21")).version != mine.version
    assert from_text(MINE.replace("5}", "6}")).version != mine.version
    assert from_text(MINE + "description: words\n").version == mine.version


def test_the_long_tail_is_written_as_the_core_is_and_takes_nobodys_name() -> None:
    mine = MINE.replace('"sma(close, n)"', '"fwma(close, n)", slope: "slope(close, 5) + 1", psar: "psar(0.01, 0.1)"')
    stored = from_text(mine.replace("crossed_above(close, fast)", "crossed_above(close, fast) and slope > psar"))
    assert from_text(to_yaml(stored)).version == stored.version
    with pytest.raises(TradingError, match=r"indicators.psar: column 6: af0 of psar is 3.0; expected a number from"):
        from_text(mine.replace("0.01, 0.1", "3"))


def test_a_difference_names_every_place_that_changed() -> None:
    changed = from_text(MINE.replace("n: 20", "n: 21").replace("kind: conditions", "kind: conditions\n  hold_bars: 9"))
    assert [str(change) for change in difference(from_text(MINE), changed)] == [
        "rule.parameters.n: 20.0 -> 21.0",
        "rule.hold_bars: 100 -> 9",
    ]
    assert difference(from_text(MINE), from_text(MINE)) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name: [", "line 1, column 8"),
        ("- 1", "expected names and values"),
        ("", "the definition is 'NoneType'"),
        (MINE.replace("crossed_above", "crosed_above"), "did you mean crossed_above?"),
        (MINE.replace("entry:", "entri:"), "did you mean 'rule.conditions.entry'"),
        (MINE.replace("costs:", "cost:"), "unknown field 'cost'; did you mean 'costs'?"),
        (MINE.replace("commission_bps", "comission_bps"), "did you mean 'costs.commission_bps'"),
        (MINE.replace("AAPL, MSFT", "AAPL, AAPL"), "more than once"),
        (MINE.replace("[AAPL, MSFT]", "[apple]"), "pattern"),
        (MINE.replace("sma(close, n)", "sma(close, n / 3)"), "a whole number from 1 to 5000"),
        (MINE + "timeframe: 3Min\n", "1Min"),
        (MINE + "capital_fraction: 0\n", "greater than 0"),
        ("&a [" + "*a," * 10 + "]", "the definition"),
        ("x" * 200_000, "at most 100,000 characters"),
        ("!!python/object/apply:os.system ['true']", "expected YAML"),
    ],
)
def test_bad_text_is_one_line_that_says_where(text: str, words: str) -> None:
    with pytest.raises(TradingError) as caught:
        from_text(text)
    assert words in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_weekly_and_monthly_rules_need_daily_bars() -> None:
    with pytest.raises(ValueError, match="1Day bars"):
        Strategy.model_validate({"name": "x", "timeframe": "1Hour", "rule": {"kind": "ranking", "score": "close"}})
