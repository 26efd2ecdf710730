from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.schema_form import given

SCHEMA: dict[str, Any] = {
    "$defs": {
        "Sma": {
            "type": "object",
            "properties": {
                "kind": {"const": "sma", "default": "sma"},
                "fast": {"type": "integer", "default": 20, "minimum": 2},
            },
        },
        "Momentum": {
            "type": "object",
            "properties": {
                "kind": {"const": "momentum", "default": "momentum"},
                "hold": {"type": "integer", "default": 2},
            },
        },
    },
    "properties": {
        "universe": {"type": "array", "items": {"type": "string"}},
        "fraction": {"type": "number", "default": 0.5, "minimum": 0, "maximum": 1},
        "start": {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}], "default": None},
        "mode": {"enum": ["poll", "stream"], "default": "poll"},
        "whole": {"type": "boolean", "default": True},
        "grid": {"type": "object", "additionalProperties": True, "default": {}},
        "rule": {
            "oneOf": [{"$ref": "#/$defs/Sma"}, {"$ref": "#/$defs/Momentum"}],
            "discriminator": {"propertyName": "kind"},
        },
    },
}
VALUES = {"universe": ["IBM", "FB"], "fraction": 0.25, "start": "2012-11-30", "rule": {"kind": "sma", "fast": 10}}


def script(schema: dict[str, object], values: dict[str, object]) -> None:
    import streamlit as st

    from dashboard.schema_form import Form, FormError

    try:
        st.session_state["found"] = Form(schema, "form").fields(values)
    except FormError as error:
        st.session_state["problem"] = str(error)


@pytest.fixture
def form() -> AppTest:
    app = AppTest.from_function(script, args=(SCHEMA, VALUES), default_timeout=20).run()
    assert not app.exception
    return app


def test_a_form_holds_the_values_it_was_given_and_the_defaults(form: AppTest) -> None:
    assert form.session_state["found"] == {
        "universe": ["IBM", "FB"],
        "fraction": 0.25,
        "start": "2012-11-30",
        "mode": "poll",
        "whole": True,
        "grid": {},
        "rule": {"kind": "sma", "fast": 10},
    }


def test_choosing_another_kind_asks_for_its_own_fields(form: AppTest) -> None:
    form.selectbox(key="form.rule.kind").set_value("momentum").run()
    assert form.session_state["found"]["rule"] == {"kind": "momentum", "hold": 2}


def test_an_optional_date_can_be_left_empty(form: AppTest) -> None:
    form.date_input(key="form.start").set_value(None).run()
    assert form.session_state["found"]["start"] is None


def test_free_json_that_does_not_parse_names_its_field(form: AppTest) -> None:
    form.text_area(key="form.grid").set_value("{oops").run()
    assert form.session_state["problem"].startswith("Grid: not JSON")


def test_only_what_differs_from_the_defaults_is_sent() -> None:
    assert given(SCHEMA, {"fraction": 0.5, "mode": "stream", "start": None}) == {"mode": "stream"}
