"""The Prefect profile that lets the user's own `prefect` commands reach the stack."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

from deployments.stack.places import write_private
from trading.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

_UNTOUCHED = frozenset({"ephemeral", "local", "default", "", None})


def profile_name(home: Path, default_home: Path) -> str:
    """Return `trading` for the default state directory, `trading-<its name>` for others."""
    return "trading" if home == default_home else f"trading-{home.name}"


def save(path: Path, name: str, *, api_url: str, auth: str) -> str:
    """Write the profile and make it the active one unless the user has one of their own.

    Parameters
    ----------
    path
        The user's `profiles.toml`; created when missing, other profiles are kept.
    name
        Name of the profile.
    api_url, auth
        What it points at.

    Returns
    -------
    str
        Empty when the profile is active, else the command that activates it.
    """
    import toml  # type: ignore[import-untyped]  # comes with Prefect, which writes the same file with it

    content = _read(path)
    profiles: dict[str, dict[str, Any]] = content.setdefault("profiles", {})
    active = content.get("active")
    ours = profiles.get(active or "", {}).get("PREFECT_API_URL") == api_url and str(active).startswith("trading")
    takes_over = ours or active == name or _is_untouched(active, profiles)
    fresh = {"PREFECT_API_URL": api_url, "PREFECT_API_AUTH_STRING": auth}
    if profiles.get(name) != fresh or (takes_over and active != name):
        profiles[name] = fresh
        if takes_over:
            content["active"] = name
        write_private(path, toml.dumps(content))
    return "" if takes_over else f"prefect profile use {name}"


def _is_untouched(active: str | None, profiles: dict[str, dict[str, Any]]) -> bool:
    """Tell whether the active profile is Prefect's own default, with no server chosen."""
    return active in _UNTOUCHED and "PREFECT_API_URL" not in profiles.get(active or "", {})


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path} is no valid TOML ({error}); repair or remove it") from None
