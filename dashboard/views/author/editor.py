"""Editing a definition: as a form made from the api's schema, as YAML, or as JSON."""

from __future__ import annotations

import json
from typing import Any

import streamlit as st
import yaml

from dashboard import resources
from dashboard.frame import attempt, section
from dashboard.schema_form import Form, FormError

FORMATS = ("Form", "YAML", "JSON")
EDITOR_HEIGHT = 420


def edit(found: resources.Row) -> None:
    """Draw the editor of a strategy's current definition; saving makes a new version of it."""
    name, version = str(found["name"]), str(found["version"])
    section(name, f"version {version}; saving a change makes a new version, history is kept")
    definition = _edited(found["definition"], key=f"edit-{name}-{version}", fixed_name=name)
    same = definition == found["definition"]
    if st.button(
        "Save as new version", type="primary", icon=":material/save:", key="save", disabled=definition is None
    ):
        if definition is None or same:
            st.info("Nothing has been changed.")
        else:
            _save(name, definition)


def create(names: list[str]) -> None:
    """Draw the editor of a strategy that does not exist yet; it starts from a copy of another."""
    section("New strategy", "starts paused until you make it active")
    left, right = st.columns(2)
    name = left.text_input("Name", placeholder="lower_case_words", key="new-name").strip()
    template = right.selectbox("Start from", [*names, "an empty definition"], key="new-template")
    base: dict[str, Any] = {}
    if template in names:
        base = {**resources.strategy(str(template))["definition"], "description": ""}
    definition = _edited({**base, "name": name}, key=f"new-{template}", fixed_name=name)
    if st.button("Create strategy", type="primary", icon=":material/add:", key="create"):
        if not name:
            st.warning("Give the strategy a name first, for example `slow_crossover`.")
        elif name in names:
            st.warning(f"There is a strategy {name} already: choose it above to edit it, or take another name.")
        elif definition is not None:
            _save(name, definition)


def parsed(text: str, language: str) -> dict[str, Any]:
    """Return the definition that a text holds.

    Raises
    ------
    FormError
        The text is not YAML or JSON, or does not hold names and values.
    """
    try:
        found = yaml.safe_load(text) if language == "YAML" else json.loads(text)
    except (yaml.YAMLError, ValueError) as error:
        raise FormError(f"this is not {language}: {' '.join(str(error).split())}") from None
    if not isinstance(found, dict):
        raise FormError(f"the definition has to be names and values, not {type(found).__name__}")
    return found


def written(definition: dict[str, Any], language: str) -> str:
    """Return a definition as YAML or JSON text, its names in their own order."""
    if language == "JSON":
        return json.dumps(definition, indent=2)
    return yaml.safe_dump(definition, sort_keys=False, allow_unicode=True)


def in_order(definition: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """Return a definition with its names in the schema's order, which is the order people read them in."""
    known = [name for name in schema.get("properties", {}) if name in definition]
    return {name: definition[name] for name in [*known, *(name for name in definition if name not in known)]}


def _edited(definition: dict[str, Any], *, key: str, fixed_name: str) -> dict[str, Any] | None:
    """Draw the chosen editor and return what it holds, or None with a line that says what is wrong."""
    language = st.segmented_control(
        "Edit as", FORMATS, default="Form", required=True, label_visibility="collapsed", key=f"{key}-format"
    )
    try:
        if language == "Form":
            form = Form(resources.strategy_schema(), key)
            return {"name": fixed_name, **form.fields(definition, skip=("name",))}
        ordered = in_order(definition, resources.strategy_schema())
        text = st.text_area(
            f"Definition as {language}",
            written(ordered, str(language)),
            height=EDITOR_HEIGHT,
            key=f"{key}-{language}",
        )
        return parsed(text, str(language))
    except FormError as error:
        st.error(str(error), icon=":material/error:")
        return None


def _save(name: str, definition: dict[str, Any]) -> None:
    if attempt(lambda: resources.save_strategy(name, definition), done=f"{name} has a new version."):
        st.session_state["author-strategy"] = name
        st.rerun()
