"""The colours of charts, signed figures and badges, for a light and a dark screen.

Gains and losses are bluish green and vermilion after Okabe and Ito (2008), which people with any of the
common colour-vision deficiencies tell apart; a sign, an arrow or a word always says the same.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import streamlit as st


@dataclass(frozen=True)
class Palette:
    """The colours of one screen, as CSS hex values."""

    name: str
    ink: str
    muted: str
    line: str
    surface: str
    accent: str
    accent_soft: str
    up: str
    down: str
    down_soft: str
    caution: str
    series: tuple[str, ...]


LIGHT = Palette(
    name="light",
    ink="#1d2229",
    muted="#667080",
    line="#e4e7ea",
    surface="#ffffff",
    accent="#2457c5",
    accent_soft="rgba(36,87,197,0.10)",
    up="#00795c",
    down="#b8420f",
    down_soft="rgba(184,66,15,0.16)",
    caution="#8a6100",
    series=("#2457c5", "#c77b0a", "#00795c", "#a3478b", "#4a9cc9", "#667080", "#b8420f", "#8a7a1f"),
)
DARK = Palette(
    name="dark",
    ink="#dfe3e8",
    muted="#929ba8",
    line="#282e36",
    surface="#171b21",
    accent="#7aa2ff",
    accent_soft="rgba(122,162,255,0.14)",
    up="#2fc79a",
    down="#ff8a5c",
    down_soft="rgba(255,138,92,0.18)",
    caution="#e3b341",
    series=("#7aa2ff", "#f0a83c", "#2fc79a", "#d98cc5", "#74c0e6", "#929ba8", "#ff8a5c", "#cfc04d"),
)


def current() -> Palette:
    """Return the palette of the theme that the browser shows."""
    return DARK if st.context.theme.type == "dark" else LIGHT


def variables(palette: Palette) -> str:
    """Return the colours as CSS custom properties for style.css."""
    names = [field.name for field in fields(palette) if field.name not in ("name", "series")]
    listed = "".join(f"--{name.replace('_', '-')}:{getattr(palette, name)};" for name in names)
    return f":root{{{listed}}}"
