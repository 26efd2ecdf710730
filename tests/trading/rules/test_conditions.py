from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from pydantic import ValidationError

from trading.calendar import session_dates
from trading.rules import Conditions
from trading.signals import decide
from trading.strategies import SHIPPED, Strategy, decided, explanations, target_weights

if TYPE_CHECKING:
    from collections.abc import Callable

    from trading.bars import Panel


def test_a_position_lasts_from_its_entry_to_its_exit(make_panel: Callable[..., Panel]) -> None:
    close = [1.0, 5.0, 3.0, 3.0, 9.0, 3.0, 1.0, 5.0]
    rule = Conditions(entry="close > 4", exit="close < 2 or close > 8", hold_bars=100)
    held = rule.model_copy(update={"hold_bars": 1})
    panel = make_panel([[price] for price in close])
    enough = Conditions.model_validate({**rule.model_dump(), "hold_bars": 1})
    assert enough.weights(panel)[:, 0].tolist() == [0, 1, 0, 0, 0, 0, 0, 1]  # closed one bar after its entry
    padded = make_panel([[3.0]] * 100 + [[price] for price in close])
    assert rule.weights(padded)[100:, 0].tolist() == [0, 1, 1, 1, 0, 0, 0, 1]  # at 9 both happen: nothing is held
    assert held.warm_up == 2


def test_without_an_exit_a_position_lasts_as_long_as_its_entry(make_panel: Callable[..., Panel]) -> None:
    panel = make_panel([[1.0], [5.0], [6.0], [np.nan], [3.0], [5.0]])
    assert Conditions(entry="close > 4").weights(panel)[:, 0].tolist() == [0, 1, 1, 1, 0, 1]
    assert decided(Strategy(name="x", rule=Conditions(entry="close > 4")), panel)[3, 0] is np.False_


def test_short_is_the_other_way_round(make_panel: Callable[..., Panel]) -> None:
    panel = make_panel([[1.0], [5.0], [6.0], [3.0], [1.0]])
    rule = Conditions(entry="close > 4", short="close < 2")
    assert rule.weights(panel)[:, 0].tolist() == [-1, 1, 1, 0, -1]
    signals, _ = decide(Strategy(name="x", rule=rule), panel)
    assert (signals[0].direction, signals[0].target_weight) == ("short", -1.0)


def test_the_best_ranked_are_chosen_when_positions_are_limited(make_panel: Callable[..., Panel]) -> None:
    panel = make_panel([[10.0, 10.0, 10.0], [11.0, 13.0, 12.0]])
    rule = Conditions(entry="roc(close, 1) > 0", rank_by="roc(close, 1)", positions=2)
    assert rule.weights(panel)[-1].tolist() == [0.0, 0.5, 0.5]
    reason, _ = rule.explain(panel)[0]
    assert reason.endswith("but 2 others rank higher: flat")


def test_rsi_reversion_agrees_with_a_loop_in_plain_python(real: Panel) -> None:
    strategy = SHIPPED["rsi_reversion"]
    close = real.frame("close")["IBM"]
    change = close.diff()
    up = change.clip(lower=0).ewm(alpha=1 / 2, adjust=False).mean()
    down = (-change.clip(upper=0)).ewm(alpha=1 / 2, adjust=False).mean()
    rsi = 100 * up / (up + down)
    slow, fast = close.rolling(200).mean(), close.rolling(5).mean()
    held, since, expected = False, 0, []
    for row, price in enumerate(close):
        enter, leave = rsi.iloc[row] < 10 and price > slow.iloc[row], price > fast.iloc[row]
        if leave:
            held = False
        elif enter:
            held, since = True, row
        expected.append(held and row - since < 20)
    ours = target_weights(strategy, real)[:, 3] > 0
    np.testing.assert_array_equal(ours[300:], expected[300:])
    assert 50 < ours.sum() < 1000


def test_reasons_say_since_when_and_with_which_figures(real: Panel) -> None:
    strategy = SHIPPED["donchian_trend"]
    panel = real.rows(slice(0, 2700))
    weights = target_weights(strategy, panel)[-1]
    column = int(np.flatnonzero(weights)[0])
    reason, values = explanations(strategy, panel)[column]
    since = str(values["since"])
    row = int(np.flatnonzero(session_dates(panel.timestamps) == np.datetime64(since))[0])
    assert panel.close[row, column] > panel.high[row - 55 : row, column].max()
    assert reason.startswith(f"long since {since}, when close > ago(donchian_upper(55), 1) (close ")
    assert reason.endswith(f"long {weights[column]:.1%} of capital")
    assert values["close"] == panel.close[-1, column]
    flat = int(np.flatnonzero(weights == 0)[0])
    assert explanations(strategy, panel)[flat][0].endswith(("flat", "bars"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({}, "needs an entry or a short"),
        ({"exit": "close > 1", "short": "close < 1"}, "exit without entry"),
        ({"entry": "close > 1", "positions": 3}, "positions and rank_by go together"),
        ({"entry": "clsoe > 1"}, "entry: column 1: unknown name 'clsoe'; did you mean close?"),
        ({"entry": "close > 1", "exit": "sma(close, 5)"}, "exit: column 1: this is a number"),
        ({"entry": "close > a", "indicators": {"a": "smaa(close, 5)"}}, "indicators.a: column 1: unknown function"),
        (
            {"entry": "close > b", "indicators": {"a": "close + b", "b": "close"}},
            "indicators.a: column 9: unknown name 'b'",
        ),
        ({"entry": "close > 1", "indicators": {"sma": "close"}}, "'sma' is a word of the language"),
        (
            {"entry": "close > a", "parameters": {"a": 1}, "indicators": {"a": "close"}},
            "both a parameter and an indicator",
        ),
        ({"entry": "close > " + "1+" * 5000 + "1"}, "at most 2000 characters"),
        ({"entry": "__import__('os').system('x') > 1"}, "only the language's own functions"),
        ({"entry": "close > 1", "hold_bars": 0}, "greater than or equal to 1"),
    ],
)
def test_impossible_rules_are_refused_in_one_line(content: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Conditions.model_validate(content)
    message = caught.value.errors()[0]["msg"]
    assert words in message
    assert "\n" not in message
