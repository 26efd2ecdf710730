from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboard import facts, lineage
from dashboard.schema_form import FormError
from dashboard.views.analysis.backtests import sentences
from dashboard.views.analysis.research import luck, varying, window
from dashboard.views.analysis.trades import summary
from dashboard.views.author.editor import in_order, parsed, written
from dashboard.views.author.versions import difference
from dashboard.views.screener import passes
from dashboard.views.settings import single_bar
from dashboard.views.settings.deployments import resting, schedule_words
from dashboard.views.settings.limits import why
from dashboard.views.settings.universe import changes


def test_what_other_people_wrote_is_escaped() -> None:
    def script() -> None:
        from dashboard.lineage import show_lineage

        order = {
            "id": 1,
            "client_order_id": "<script>alert(1)</script>",
            "side": "buy",
            "quantity": 1.0,
            "symbol": "<b>X</b>",
            "type": "market",
            "time_in_force": "day",
            "status": "new",
        }
        show_lineage({"order": order, "events": [], "fills": [], "lineage": {}}, {})

    app = AppTest.from_function(script, default_timeout=20).run()
    assert not app.exception
    bodies = "".join(item.proto.body for item in app.get("html"))
    assert "&lt;script&gt;" in bodies
    assert "<script>" not in bodies
    assert "<b>X" not in bodies


def test_a_summary_counts_gains_and_losses() -> None:
    found = summary([{"pnl": 30.0}, {"pnl": -10.0}, {"pnl": 10.0}])
    assert found["Won"] == "67 %"
    assert found["Profit"] == "+$30.00"
    assert found["Average gain"] == "+$20.00"
    assert found["Profit factor"] == "4.00"
    assert summary([{"pnl": 1.0}])["Profit factor"] == "no losses"


def test_metrics_read_as_people_write_them() -> None:
    found = facts.grouped({"total_return": 0.1, "sharpe": 1.234, "max_drawdown": 0.05, "sessions": 60, "trades": 12})
    assert found["Return"] == {"Total return": "+10.00 %"}
    assert found["Risk"] == {"Max drawdown": "5.00 %"}
    assert found["Ratios"] == {"Sharpe": "1.23"}
    assert found["Further"] == {"Trades": "12"}
    assert facts.metric("sharpe", None) == "\u2013"


def test_assumptions_come_as_sentences_in_any_shape() -> None:
    assert sentences(["Fills at the open."]) == ["Fills at the open."]
    assert sentences({"fills": ["At the open."], "fill_price": "next open"}) == [
        "At the open.",
        "Fill price: next open",
    ]
    assert sentences("one") == ["one"]


def test_only_parameters_that_vary_make_axes() -> None:
    results = [{"parameters": {"fast": fast, "slow": 50}} for fast in (5, 10)]
    assert varying(results) == ["fast"]


def test_the_sessions_of_a_try_and_what_it_is_worth_are_told_in_words() -> None:
    assert window({"start": "2008-01-02", "train_end": None, "end": "2012-12-31"}) == "2008-01-02 to 2012-12-31"
    walked = {"start": "2008-01-02", "train_end": "2009-12-31", "end": "2010-06-30"}
    assert window(walked) == "2008-01-02 to 2009-12-31, judged to 2010-06-30"
    assert "57.00 %, counting the 1,200 tries recorded for rsi" in luck(
        {"deflated_sharpe": 0.57, "tries_recorded": 1200, "strategy": "rsi"}
    )
    assert luck({"deflated_sharpe": None, "tries_recorded": 1, "strategy": "rsi"}) == ""


def test_no_value_passes_no_filter() -> None:
    assert passes(31.0, "above", 30)
    assert not passes(31.0, "below", 30)
    assert not passes(None, "above", -1)


@pytest.mark.parametrize("language", ["YAML", "JSON"])
def test_a_definition_survives_its_text(language: str) -> None:
    definition = {"name": "x", "rule": {"kind": "momentum", "hold": 2}, "universe": ["IBM"]}
    assert parsed(written(definition, language), language) == definition


def test_text_that_does_not_parse_is_one_line() -> None:
    with pytest.raises(FormError, match=r"^this is not YAML: ") as caught:
        parsed("a: [1,\nb: }", "YAML")
    assert "\n" not in str(caught.value)
    with pytest.raises(FormError, match="names and values, not list"):
        parsed("[1]", "JSON")


def test_a_definition_reads_in_the_schemas_order() -> None:
    schema: dict[str, Any] = {"properties": {"name": {}, "rule": {}}}
    assert list(in_order({"extra": 1, "rule": {}, "name": "x"}, schema)) == ["name", "rule", "extra"]


def test_the_difference_of_two_versions_shows_the_changed_line() -> None:
    old = {"version": "a", "definition": {"name": "x", "capital_fraction": 0.4}}
    new = {"version": "b", "definition": {"name": "x", "capital_fraction": 0.5}}
    lines = difference(old, new)
    assert lines[:2] == ["--- a", "+++ b"]
    assert lines[-2:] == ["-capital_fraction: 0.4", "+capital_fraction: 0.5"]
    assert difference(old, old) == []


def test_only_what_was_edited_is_saved() -> None:
    before = pd.DataFrame(
        [
            {"symbol": "IBM", "tracked": True, "sector": "", "tags": ["demo"]},
            {"symbol": "FB", "tracked": True, "sector": "Media", "tags": []},
        ]
    )
    after = before.copy()
    after.loc[0, "sector"] = " Services "
    after.loc[1, "tracked"] = False
    assert changes(before, after) == {"IBM": {"sector": "Services"}, "FB": {"tracked": False}}
    assert changes(before, before.copy()) == {}


def test_schedules_read_as_words() -> None:
    scheduled = {"schedules": [{"schedule": "20 9 * * 1-5", "timezone": None, "active": True}], "paused": False}
    assert schedule_words(scheduled) == "20 9 * * 1-5 (UTC)"
    assert not resting(scheduled)
    assert resting({**scheduled, "paused": True})
    assert schedule_words({"schedules": []}) == "on demand"


def test_a_decision_names_the_limits_that_made_it() -> None:
    passed = {"outcome": lineage.PASSED, "sentence": "fine"}
    cut = {"outcome": "reduce", "sentence": "weight cut to 60 %"}
    assert why([passed, cut]) == "weight cut to 60 %"
    assert why([passed, passed]) == "all 2 limits passed"


def changed(**other: Any) -> dict[str, Any]:
    """Return a change of a bar that touches its close alone."""
    figures = {"open": 10.0, "high": 12.0, "low": 9.0, "close": 11.0, "volume": 1000}
    old, new = ({f"{when}_{name}": value for name, value in figures.items()} for when in ("old", "new"))
    return {**old, **new, "new_close": 11.5, **other}


def test_the_history_of_a_bar_lists_a_correction_once() -> None:
    corrected = changed(decision="correct", who="ann", why="seen", at="2012-06-20T10:00:00Z")
    kept = changed(ingestion_run_id=None, revised_at="2012-06-20T10:00:00Z", new_source="person")
    delivered = changed(ingestion_run_id=4, revised_at="2012-06-21T10:00:00Z", new_source="broker")
    found = single_bar.history({"decisions": [corrected], "revisions": [delivered, kept]})
    assert [(row["what"], row["who"]) for row in found] == [("delivered", "broker"), ("correct", "ann")]
    assert (found[0]["close"], found[0]["volume"]) == ("11.00 → 11.50", "1,000")


def test_prices_are_written_with_the_places_they_need() -> None:
    assert single_bar.places(10.0, 10.5, 9.1234, None) == 4
    assert single_bar.places(None) == single_bar.places() == 2
    assert single_bar.change(changed(old_open=29.955, new_open=30.0))["open"] == "29.955 → 30.000"


def test_a_bars_quality_has_a_sign_beside_its_word() -> None:
    assert single_bar.sign("quarantined") == "■ quarantined"
    assert single_bar.sign(None) == "✕ missing"
