"""How figures and times read on the screen: thousands separators, explicit signs, New York time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")
NOTHING = "–"  # noqa: RUF001 - an en dash is how tables show that there is no figure
MINUS = "−"  # noqa: RUF001 - the typographic minus is as wide as the plus


def money(value: float | None, *, sign: bool = False, places: int = 2) -> str:
    """Return US dollars as `$1,234.50`, with `sign` as `+$1,234.50`."""
    if value is None:
        return NOTHING
    return f"{_sign(value, places=places, plus=sign)}${abs(value):,.{places}f}"


def number(value: float | None, *, sign: bool = False, places: int = 2) -> str:
    """Return a figure with thousands separators and a fixed number of decimal places."""
    if value is None:
        return NOTHING
    return f"{_sign(value, places=places, plus=sign)}{abs(value):,.{places}f}"


def percent(value: float | None, *, sign: bool = False, places: int = 2) -> str:
    """Return a fraction as a percentage: 0.0123 as `1.23 %`."""
    return NOTHING if value is None else f"{number(value * 100, sign=sign, places=places)} %"


def quantity(value: float | None) -> str:
    """Return a number of shares without needless decimals."""
    if value is None:
        return NOTHING
    text = f"{abs(value):,.9f}".rstrip("0").rstrip(".")
    return f"{MINUS if value < 0 else ''}{text}"


def figure(value: Any) -> str:  # noqa: PLR0911 - one line for each type of JSON
    """Return any value of a document (workings, metrics, parameters) shortly."""
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float) and value.is_integer():
        return f"{value:,.0f}".replace("-", MINUS)
    if isinstance(value, float):
        text = f"{value:,.2f}" if abs(value) >= 100 else f"{value:.4g}"  # noqa: PLR2004 - cents matter above 100
        return text.replace("-", MINUS)
    if isinstance(value, list | tuple):
        return ", ".join(figure(item) for item in value) or NOTHING
    if isinstance(value, dict):
        return ", ".join(f"{name} {figure(item)}" for name, item in value.items()) or NOTHING
    return str(value)


def moment(value: str | datetime) -> datetime:
    """Return an ISO time of the api (UTC unless it says otherwise) as New York time."""
    parsed = datetime.fromisoformat(value) if isinstance(value, str) else value
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(NEW_YORK)


def when(value: str | datetime | None) -> str:
    """Return a time as `2012-12-14 16:00 ET`."""
    return NOTHING if not value else f"{moment(value):%Y-%m-%d %H:%M} ET"


def bar_day(value: str | None, timeframe: str = "1Day") -> str:
    """Return the session of a daily bar, or the New York time at which a shorter bar starts."""
    if not value:
        return NOTHING
    return f"{moment(value):%Y-%m-%d}" if timeframe == "1Day" else when(value)


def size(count: int) -> str:
    """Return a file size in units of 1,000 bytes."""
    amount = float(count)
    for unit in ("B", "kB", "MB"):
        if amount < 1000:  # noqa: PLR2004 - the SI step
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"


def words(name: str) -> str:
    """Return a name of the code as words: `max_daily_loss` as `Max daily loss`."""
    text = name.replace("_", " ").replace("-", " ").strip()
    return text[:1].upper() + text[1:]


def _sign(value: float, *, places: int, plus: bool) -> str:
    if round(value, places) < 0:
        return MINUS
    return "+" if plus and round(value, places) > 0 else ""
