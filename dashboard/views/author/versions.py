"""The versions of a strategy and what changed between two of them."""

from __future__ import annotations

from difflib import unified_diff
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.format import when
from dashboard.frame import section
from dashboard.views.author.editor import written

if TYPE_CHECKING:
    from dashboard.resources import Row


def draw(found: Row) -> None:
    """Draw a choice of two versions and the lines that differ."""
    versions = {str(version["version"]): version for version in found["versions"]}
    current = str(found["version"])
    section(str(found["name"]), f"{len(versions)} versions, current {current}")
    names = list(versions)

    def label(name: str) -> str:
        mark = " (current)" if name == current else ""
        return f"{name}{mark}, {when(versions[name]['created_at'])}"

    if len(names) < 2:  # noqa: PLR2004 - a difference needs two
        st.caption("There is one version only; saving a change under Definition makes the next.")
        st.code(written(found["definition"], "YAML"), language="yaml")
        return
    left, right = st.columns(2)
    new = right.selectbox("To", names, index=names.index(current) if current in names else 0, format_func=label)
    earlier = [name for name in names if name != new]
    old = left.selectbox("From", earlier, format_func=label)
    lines = difference(versions[old], versions[new])
    if lines:
        st.code("\n".join(lines), language="diff")
    else:
        st.caption("The two definitions say the same.")


def difference(old: Row, new: Row) -> list[str]:
    """Return the unified difference of two versions' definitions as YAML."""
    before, after = (written(version["definition"], "YAML").splitlines() for version in (old, new))
    return list(unified_diff(before, after, str(old["version"]), str(new["version"]), lineterm=""))
