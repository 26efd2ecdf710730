"""Widgets from a JSON schema: how strategies are edited and runs are given their parameters."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard.format import words

if TYPE_CHECKING:
    from dashboard.resources import Row


class FormError(Exception):
    """Raised when a field holds what cannot be read; `str()` of it names the field."""


def given(schema: Row, values: Row) -> Row:
    """Return the values that say something else than the schema's own defaults."""
    properties = schema.get("properties", {})
    return {name: value for name, value in values.items() if value != properties.get(name, {}).get("default")}


@dataclass(frozen=True)
class Form:
    """A form over one schema; `key` keeps its widgets apart from those of other forms."""

    schema: Row
    key: str

    def fields(self, values: Row, *, skip: tuple[str, ...] = (), across: int = 3) -> Row:
        """Draw a widget for every property and return what they hold; absent optional values are None.

        Raises
        ------
        FormError
            A field of free JSON does not parse.
        """
        return self._object(self.schema, values, self.key, skip=skip, across=across)

    def _object(self, schema: Row, values: Row, key: str, *, skip: tuple[str, ...] = (), across: int = 3) -> Row:
        properties = schema.get("properties", {})
        order = sorted(properties, key=lambda name: properties[name].get("position", 0))
        small = [name for name in order if name not in skip and not self._nested(properties[name])]
        large = [name for name in order if name not in skip and self._nested(properties[name])]
        found: Row = {}
        cells = st.columns(across) if small else []
        for position, name in enumerate(small):
            with cells[position % across]:
                found[name] = self._field(name, properties[name], values.get(name), f"{key}.{name}")
        for name in large:
            with st.container(border=True):
                found[name] = self._group(name, properties[name], values.get(name) or {}, f"{key}.{name}", across)
        return {name: found[name] for name in order if name in found}

    def _group(self, name: str, schema: Row, values: Row, key: str, across: int) -> Row:
        """Draw an object, first asking which kind of it when the schema offers several."""
        schema = self._resolved(schema)
        st.markdown(f"**{words(name)}**")
        if "oneOf" in schema:
            kinds = {self._kind(option): option for option in map(self._resolved, schema["oneOf"])}
            current = str(values.get("kind", ""))
            names = list(kinds)
            index = names.index(current) if current in names else 0
            chosen = st.columns(across)[0].selectbox("Kind", names, index=index, key=f"{key}.kind", format_func=words)
            kept = values if chosen == current else {}
            option = kinds[chosen]
            rest = self._object(option, kept, f"{key}.{chosen}", skip=("kind",), across=across)
            return {"kind": chosen, **rest}
        return self._object(schema, values, key, across=across)

    def _field(self, name: str, schema: Row, value: Any, key: str) -> Any:  # noqa: PLR0911 - one line for each type
        schema, optional = self._optional(schema)
        label = words(name)
        about = schema.get("description")
        if value is None and not optional:
            value = schema.get("default")
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return _choice(label, schema["enum"], value, key, about, optional=optional)
        match schema.get("type"):
            case "boolean":
                return st.toggle(label, value=bool(value), key=key, help=about)
            case "integer" | "number":
                return _numeric(label, schema, value, key, about)
            case "array" if self._resolved(schema.get("items", {})).get("type") == "string":
                return _names(label, value, key, about, optional=optional)
            case "string":
                return _text(label, schema, value, key, about, optional=optional)
            case _:
                return _json(label, value, key, about, optional=optional)

    def _nested(self, schema: Row) -> bool:
        schema = self._resolved(schema)
        return "oneOf" in schema or (schema.get("type") == "object" and "properties" in schema)

    def _optional(self, schema: Row) -> tuple[Row, bool]:
        """Return the schema without its null alternative, and whether it had one."""
        schema = self._resolved(schema)
        options = [self._resolved(option) for option in schema.get("anyOf", [])]
        solid = [option for option in options if option.get("type") != "null"]
        if not options:
            return schema, False
        outer = {name: value for name, value in schema.items() if name != "anyOf"}
        if len(solid) == 1:
            return {**solid[0], **outer}, len(solid) < len(options)
        return outer, len(solid) < len(options)

    def _resolved(self, schema: Row) -> Row:
        pointer = schema.get("$ref")
        if pointer is None and len(schema.get("allOf", ())) == 1:
            pointer = schema["allOf"][0].get("$ref")
        if pointer is None:
            return schema
        found: Any = self.schema
        for part in str(pointer).removeprefix("#/").split("/"):
            found = found.get(part, {})
        return {**found, **{name: value for name, value in schema.items() if name not in ("$ref", "allOf")}}

    @staticmethod
    def _kind(option: Row) -> str:
        kind = option.get("properties", {}).get("kind", {})
        return str(kind.get("const", kind.get("default", option.get("title", ""))))


def _choice(label: str, options: list[Any], value: Any, key: str, about: str | None, *, optional: bool) -> Any:
    index = options.index(value) if value in options else (None if optional else 0)
    return st.selectbox(label, options, index=index, key=key, help=about)


def _numeric(label: str, schema: Row, value: Any, key: str, about: str | None) -> Any:
    whole = schema.get("type") == "integer"
    kind = int if whole else float
    least, most = (_bound(schema.get(name), kind) for name in ("minimum", "maximum"))
    small = not whole and (value is None or abs(value) < 10)  # noqa: PLR2004 - fractions move by hundredths
    field: Any = st.number_input  # its overloads cannot say that the kind of number is known at run time only
    return field(
        label,
        value=_bound(value, kind),
        min_value=least,
        max_value=most,
        step=1 if whole else (0.01 if small else 1.0),
        format="%d" if whole else "%g",
        key=key,
        help=about,
    )


def _bound(value: float | None, kind: type[int | float]) -> float | None:
    return None if value is None else kind(value)


def _names(label: str, value: Any, key: str, about: str | None, *, optional: bool) -> list[str] | None:
    current = [str(item) for item in value or ()]
    chosen = st.multiselect(
        label,
        current,
        default=current,
        key=key,
        help=about,
        accept_new_options=True,
        placeholder="type to add",
    )
    return None if optional and not chosen else list(chosen)


def _text(label: str, schema: Row, value: Any, key: str, about: str | None, *, optional: bool) -> str | None:
    if schema.get("format") == "date":
        day = st.date_input(
            label,
            value=date.fromisoformat(value) if value else None,
            key=key,
            help=about,
            min_value=date(1990, 1, 1),
        )
        return day.isoformat() if isinstance(day, date) else None
    hint = "2013-02-28T16:00:00-05:00" if schema.get("format") == "date-time" else None
    text = st.text_input(label, value=value or "", key=key, help=about, placeholder=hint)
    return None if optional and not text.strip() else text


def _json(label: str, value: Any, key: str, about: str | None, *, optional: bool) -> Any:
    text = st.text_area(
        f"{label} (JSON)", value="" if value is None else json.dumps(value), key=key, help=about, height=80
    )
    if not text.strip():
        return None if optional else value
    try:
        return json.loads(text)
    except ValueError as error:
        raise FormError(f'{label}: not JSON ({error}); write for example {{"fast": 20}}') from None
