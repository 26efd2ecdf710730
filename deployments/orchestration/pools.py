"""Work pools and the rate limit towards the broker."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING, Any

from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate, WorkPoolCreate
from prefect.exceptions import ObjectNotFound

from blocks.health import DATA_LIMIT
from deployments.stack.environment import pool_of
from deployments.stack.services import WARM_SERVICES
from trading.config import SERVICES

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient

_BROKER_REQUESTS_PER_MINUTE = 200


def _process_template() -> dict[str, Any]:
    """Return the template of the process pools, whose flow runs skip Prefect's slow launcher."""
    from prefect.workers.process import ProcessWorker

    template: dict[str, Any] = ProcessWorker.get_default_base_job_template()
    template["variables"]["properties"]["command"]["default"] = shlex.join([sys.executable, "-m", "prefect.engine"])
    return template


def _warm_template() -> dict[str, Any]:
    from deployments.warm_worker import WarmWorker

    template: dict[str, Any] = WarmWorker.get_default_base_job_template()
    return template


def wanted() -> list[WorkPoolCreate]:
    """Return the six pools."""
    process, warm = _process_template(), _warm_template()
    return [
        WorkPoolCreate(
            name=pool_of(service),
            type="trading-warm" if service in WARM_SERVICES else "process",
            description=f"The {service.replace('_', ' ')} service.",
            base_job_template=warm if service in WARM_SERVICES else process,
            is_paused=False,
        )
        for service in SERVICES
    ]


async def ensure_pools(client: PrefectClient) -> None:
    """Create or update the six pools; a pool of another type is made anew.

    A pool that the last stop paused is resumed.
    """
    existing = {pool.name: pool for pool in await client.read_work_pools(limit=200)}
    for pool in wanted():
        there = existing.get(pool.name)
        if there is not None and there.type != pool.type:
            await client.delete_work_pool(pool.name)
        elif there is not None and there.base_job_template == pool.base_job_template and not there.is_paused:
            continue
        await client.create_work_pool(pool, overwrite=True)


async def ensure_broker_limit(client: PrefectClient) -> None:
    """Create the rate limit unless it is there; one changed in the UI stays as it is."""
    try:
        await client.read_global_concurrency_limit_by_name(DATA_LIMIT)
    except ObjectNotFound:
        await client.create_global_concurrency_limit(
            GlobalConcurrencyLimitCreate(
                name=DATA_LIMIT,
                limit=_BROKER_REQUESTS_PER_MINUTE,
                slot_decay_per_second=_BROKER_REQUESTS_PER_MINUTE / 60,
            )
        )
