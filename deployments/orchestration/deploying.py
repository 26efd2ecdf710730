"""Registers the deployments of prefect.yaml, in one process and only when something changed."""

from __future__ import annotations

import asyncio
import io
from typing import TYPE_CHECKING, Any

from prefect.context import AsyncClientContext
from prefect.flows import load_flow_from_entrypoint
from rich.console import Console

from blocks import declared
from deployments.stack.bootstrapped import code_version
from trading.errors import ConfigurationError, TradingError

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient

    from blocks.declared import Declared

_AT_ONCE = 4
TRADES = "trades"
"""Tag of the deployments whose schedules send orders or decide on them."""


def load_flows(entries: list[dict[str, Any]]) -> None:
    """Import every flow, once.

    Raises
    ------
    ConfigurationError
        An entry point cannot be imported; the message names it and the cause.
    """
    for entry in entries:
        try:
            load_flow_from_entrypoint(entry["entrypoint"], use_placeholder_flow=False)
        except Exception as error:
            cause = str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__
            raise ConfigurationError(
                f"prefect.yaml: {entry['name']}: cannot load {entry.get('entrypoint')}: {type(error).__name__}: {cause}"
            ) from error


async def on_server(client: PrefectClient) -> list[dict[str, Any]]:
    """Return all deployments of ours on the server: those whose flow is in the `flows` room."""
    there: list[dict[str, Any]] = []
    while True:
        answer = await client.request(
            "POST", "/deployments/filter", json={"limit": 200, "offset": len(there), "sort": "NAME_ASC"}
        )
        page = answer.json()
        there += page
        if len(page) < 200:  # noqa: PLR2004 - the page size asked for
            break
    return [entry for entry in there if str(entry.get("entrypoint")).startswith("flows.")]


def stale(entries: list[dict[str, Any]], there: list[dict[str, Any]], version: str) -> list[dict[str, Any]]:
    """Return the entries that the server lacks, or has in another version or form."""
    known: dict[str, tuple[str, Declared]] = {
        entry["name"]: (entry.get("version") or "", declared.found(entry)) for entry in there
    }
    return [
        entry
        for entry in entries
        if entry["name"] not in known
        or known[entry["name"]][0] != version
        or declared.wanted(entry).differences(known[entry["name"]][1])
    ]


def trades(entry: dict[str, Any]) -> bool:
    """Return whether the schedules of an entry send orders or decide on them."""
    return TRADES in (entry.get("tags") or [])


def with_states(entry: dict[str, Any], there: dict[str, Any] | None, trading: bool | None) -> dict[str, Any]:
    """Return the entry, its schedules active or paused: as `trading` says where it trades, else as on the server."""
    states = {declared.schedule_text(each): each["active"] for each in (there or {}).get("schedules") or []}

    def active(schedule: dict[str, Any]) -> bool:
        if trading is not None and trades(entry):
            return trading
        return bool(states.get(declared.schedule_text(schedule), schedule.get("active", True)))

    schedules = [{**schedule, "active": active(schedule)} for schedule in entry.get("schedules") or []]
    return {**entry, "schedules": schedules} if schedules else entry


async def deploy(client: PrefectClient, entries: list[dict[str, Any]], *, trading: bool | None = None) -> int:
    """Make the server's deployments equal to the declaration; return how many were written or deleted.

    Schedules paused or resumed by hand stay so, but for those that trade when `trading` switches them all
    on or off: the broker has changed.
    """
    version = code_version()
    there = await on_server(client)
    changed = stale(entries, there, version)
    if trading is not None:
        changed += [entry for entry in entries if trades(entry) and entry not in changed]
    names = {entry["name"] for entry in entries}
    gone = [entry for entry in there if entry["name"] not in names]
    for entry in gone:
        await client.delete_deployment(entry["id"])
    if changed:
        load_flows(changed)
        by_name = {entry["name"]: entry for entry in there}
        turnstile = asyncio.Semaphore(_AT_ONCE)

        async def one(entry: dict[str, Any]) -> None:
            async with turnstile:
                await _deploy_one(client, with_states(entry, by_name.get(entry["name"]), trading), version)

        async with AsyncClientContext.get_or_create():  # one connection for what Prefect opens by itself
            await asyncio.gather(*(one(entry) for entry in changed))
    return len(changed) + len(gone)


async def _deploy_one(client: PrefectClient, entry: dict[str, Any], version: str) -> None:
    """Deploy one entry through the code behind `prefect deploy`, so that both leave the same."""
    from prefect.cli.deploy._core import _run_single_deploy
    from prefect.cli.deploy._models import DeploymentConfig

    config = DeploymentConfig.model_validate({**entry, "version": version})
    output = io.StringIO()
    try:
        await _run_single_deploy(
            config.model_dump(exclude_unset=True, mode="json"),
            {"build": [], "push": [], "pull": []},
            client=client,
            console=Console(file=output, width=200),
            is_interactive=lambda: False,
        )
    except ValueError as error:
        raise TradingError(f"prefect.yaml: {entry['name']}: {' '.join(str(error).split())}") from error
