"""Tells the Prefect server everything it must know; `python -m deployments.bootstrap`, harmless to repeat."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from deployments.stack import bootstrapped
from trading.config import Settings, home
from trading.errors import ConfigurationError, TradingError, UnavailableError

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient

_PATIENCE = 300.0


def main() -> int:
    """Run the bootstrap; a failure is one line and exit code 1."""
    try:
        asyncio.run(run(Settings.load(home())))
    except TradingError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


async def run(settings: Settings) -> None:
    """Wait for the server, then ensure pools, limit, automations, blocks, deployments and the profile.

    Raises
    ------
    UnavailableError
        The server does not answer within five minutes.
    ConfigurationError
        prefect.yaml or a flow it names is broken.
    """
    from prefect.client.orchestration import get_client

    from blocks import declared
    from deployments.orchestration.pools import ensure_pools

    began = time.perf_counter()

    def done(what: str) -> None:
        sys.stdout.write(f"{time.perf_counter() - began:6.2f} s  {what}\n")
        sys.stdout.flush()

    entries = declared.read()
    async with get_client() as client:
        await _wait(client)
        done("the server answers")
        await ensure_pools(client)
        done("pools")
        await _ensure_rest(client, settings)
        done("limit, automations, blocks")
        from deployments.orchestration.deploying import deploy

        count = await deploy(client, entries, trading=bootstrapped.trading_switch(settings))
        done(f"{len(entries)} deployments, {count} changed")
        if mark := os.environ.get("TRADING_BOOTSTRAP_MARK"):
            bootstrapped.remember(settings, mark, await _inventory(client))
    _save_profile(settings)


async def _wait(client: PrefectClient) -> None:
    deadline = time.monotonic() + _PATIENCE
    while (problem := await client.api_healthcheck()) is not None:
        if time.monotonic() > deadline:
            raise UnavailableError(f"PREFECT_API_URL: no Prefect server at {client.api_url} ({problem})")
        await asyncio.sleep(0.2)


async def _ensure_rest(client: PrefectClient, settings: Settings) -> None:
    import blocks
    from deployments.orchestration.automations import ensure_automations
    from deployments.orchestration.pools import ensure_broker_limit

    await ensure_broker_limit(client)
    await ensure_automations(client)
    await asyncio.to_thread(blocks.save_all, settings)


async def _inventory(client: PrefectClient) -> dict[str, list[str]]:
    """Return what the server must still know at the next start for this to be skipped."""
    from blocks import health
    from deployments.orchestration import pools
    from deployments.orchestration.deploying import on_server

    return {
        "deployments": [f"{entry['name']}@{entry.get('version')}" for entry in await on_server(client)],
        "pools": [f"{pool.name}@{pool.type}" for pool in pools.wanted()],
        "blocks": list(health.BLOCK_TYPES),
        "automations": list(health.AUTOMATIONS),
        "limits": [health.DATA_LIMIT],
    }


def _save_profile(settings: Settings) -> None:
    from platformdirs import user_data_path

    from deployments.orchestration import profile_file
    from deployments.stack.places import run_directory

    path = os.environ.get("TRADING_USER_PROFILES")
    if not path:
        return
    name = profile_file.profile_name(settings.home, user_data_path("trading-system", appauthor=False))
    try:
        hint = profile_file.save(
            Path(path), name, api_url=settings.prefect.url, auth=settings.prefect.auth.get_secret_value()
        )
    except (OSError, ConfigurationError) as error:  # the stack runs without; the user is told why
        hint = f"no Prefect profile was saved: {error}"
    (run_directory(settings.home) / "profile-hint").write_text(hint, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
