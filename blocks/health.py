"""Whether every component does its work, as far as it can be told without the database's tables.

The terminal (`trading verify`), the api (`/health`) and the flow `monitor_system_health` all ask
here, so they never disagree. What concerns the database is asked in `db.health`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from blocks import declared
from trading.config import SERVICES, Settings
from trading.errors import TradingError
from trading.health import Check

HEARTBEAT_LOST = "trading: heartbeat lost"
NEVER_STARTED = "trading: pending and never started"
AUTOMATIONS = (HEARTBEAT_LOST, NEVER_STARTED)
"""Names of the automations that end dead runs."""

DATA_LIMIT = "alpaca-data-requests"
"""Name of the rate limit that every call to the broker takes a slot of."""

BLOCK_TYPES = {
    "trading-postgres": "sqlalchemy-connector",
    "trading-redis": "redis-database",
    "alpaca": "alpaca-credentials",
    "notification-channels": "notification-channels",
}
"""Name of each block that flows load -> slug of its type."""

_PATIENCE = 5.0
_OK = 200

type _Examination = Callable[[], Awaitable[str]]


class UnhealthyError(TradingError):
    """Raised inside an examination with what is wrong."""


async def examine(settings: Settings) -> list[Check]:
    """Examine Redis, Prefect, the services, the broker, the api and the dashboard, all at once.

    Returns
    -------
    list of Check
        One for each fact, always the same ones in the same order; a component that is down is a
        failed check, never an exception.
    """
    auth = _login(settings)
    async with (
        httpx.AsyncClient(timeout=_PATIENCE, trust_env=False) as http,
        httpx.AsyncClient(base_url=settings.prefect.url, auth=auth, timeout=_PATIENCE, trust_env=False) as prefect,
    ):
        wanted = _examinations(settings, http, prefect)
        return list(await asyncio.gather(*(_checked(name, work) for name, work in wanted)))


def _login(settings: Settings) -> httpx.BasicAuth | None:
    user, _, password = settings.prefect.auth.get_secret_value().partition(":")
    return httpx.BasicAuth(user, password) if user else None


def _examinations(
    settings: Settings, http: httpx.AsyncClient, prefect: httpx.AsyncClient
) -> list[tuple[str, _Examination]]:
    web = settings.web
    address = "127.0.0.1" if web.bind in {"0.0.0.0", "::"} else web.bind  # noqa: S104 - translated, not bound
    return [
        ("redis", lambda: _redis(settings)),
        ("prefect", lambda: _answers(prefect, "/ready")),
        *(
            (service, _service(service, f"http://{address}:{web.service(service)}/health", http, prefect))
            for service in SERVICES
        ),
        ("broker", lambda: _broker(settings, http)),
        ("api", lambda: _answers(http, f"http://{address}:{web.api}/live")),
        ("dashboard", lambda: _answers(http, f"http://{address}:{web.dashboard}/_stcore/health")),
        ("deployments", lambda: _deployments(prefect)),
        ("blocks", lambda: _blocks(prefect)),
        ("automations", lambda: _automations(prefect)),
        ("rate limit", lambda: _rate_limit(prefect)),
    ]


async def _checked(name: str, work: _Examination) -> Check:
    began = time.perf_counter()
    try:
        ok, detail = True, await asyncio.wait_for(work(), timeout=2 * _PATIENCE)
    except TimeoutError:
        ok, detail = False, f"no answer within {2 * _PATIENCE:.0f} s"
    except TradingError as error:
        ok, detail = False, str(error)
    except httpx.HTTPError as error:
        ok, detail = False, f"does not answer ({str(error) or type(error).__name__})"
    return Check(name, ok, round(time.perf_counter() - began, 4), detail)


async def _answers(client: httpx.AsyncClient, address: str, headers: dict[str, str] | None = None) -> str:
    answer = await client.get(address, headers=headers)
    if answer.status_code != _OK:
        raise UnhealthyError(f"{answer.request.url} answers {answer.status_code}")
    return str(answer.request.url)


async def _json(client: httpx.AsyncClient, method: str, path: str, body: Any = None) -> Any:
    answer = await client.request(method, path, json=body)
    if answer.status_code == httpx.codes.NOT_FOUND:
        return None
    if answer.is_error:
        raise UnhealthyError(f"{answer.request.url} answers {answer.status_code}")
    return answer.json()


async def _redis(settings: Settings) -> str:
    from redis.asyncio import Redis
    from redis.exceptions import RedisError

    client = Redis.from_url(settings.redis.url(), socket_timeout=_PATIENCE, socket_connect_timeout=_PATIENCE)
    try:
        facts = await client.info("server")
    except RedisError as error:
        raise UnhealthyError(f"{error}; see its log, or run `trading start`") from None
    finally:
        await client.aclose()
    return f"version {facts.get('valkey_version') or facts.get('redis_version')}"


def _service(service: str, address: str, http: httpx.AsyncClient, prefect: httpx.AsyncClient) -> _Examination:
    async def work() -> str:
        await _answers(http, address)
        return await _pool(service.replace("_", "-"), prefect)

    return work


async def _pool(name: str, prefect: httpx.AsyncClient) -> str:
    """Demand a pool that hands out work and a worker that fetches it."""
    pool = await _json(prefect, "GET", f"/work_pools/{name}")
    if pool is None:
        raise UnhealthyError(f"work pool {name} is missing; run `trading start`")
    if pool["is_paused"]:
        raise UnhealthyError(f"work pool {name} is paused; `prefect work-pool resume {name}`")
    workers = await _json(prefect, "POST", f"/work_pools/{name}/workers/filter", {})
    online = [worker["name"] for worker in workers or [] if worker.get("status") == "ONLINE"]
    if not online:
        raise UnhealthyError(f"no worker is online in pool {name}; see its log")
    return f"pool {name} ({pool['type']}), {len(online)} worker online"


async def _broker(settings: Settings, http: httpx.AsyncClient) -> str:
    if settings.simulated:
        return "simulator " + await _answers(http, f"http://127.0.0.1:{settings.simulator.port}/health")
    key, secret = settings.alpaca.api_key, settings.alpaca.secret_key
    headers = {
        "APCA-API-KEY-ID": key.get_secret_value() if key else "",
        "APCA-API-SECRET-KEY": secret.get_secret_value() if secret else "",
    }
    return "Alpaca " + await _answers(http, f"{settings.alpaca.base_url.rstrip('/')}/v2/clock", headers)


async def _deployments(prefect: httpx.AsyncClient) -> str:
    """Compare what prefect.yaml declares with what the server has."""
    wanted = {entry["name"]: declared.wanted(entry) for entry in declared.read()}
    there: list[dict[str, Any]] = []
    while len(page := await _json(prefect, "POST", "/deployments/filter", {"limit": 200, "offset": len(there)})):
        there += page
    found = {entry["name"]: declared.found(entry) for entry in there}
    problems = [f"{name} is missing" for name in sorted(wanted.keys() - found.keys())]
    for name in sorted(wanted.keys() & found.keys()):
        problems += [f"{name}: {difference}" for difference in wanted[name].differences(found[name])]
    ours = {name for name, entry in found.items() if entry.entrypoint.startswith("flows.")}
    problems += [f"{name} is not in prefect.yaml" for name in sorted(ours - wanted.keys())]
    if problems:
        more = f" and {len(problems) - 3} more" if len(problems) > 3 else ""  # noqa: PLR2004 - a line's worth
        raise UnhealthyError(f"{'; '.join(problems[:3])}{more}; run `prefect deploy --all`")
    return f"{len(wanted)} as in prefect.yaml"


async def _blocks(prefect: httpx.AsyncClient) -> str:
    """Read every block with its secrets, which also proves the encryption key."""
    missing = []
    for name, kind in BLOCK_TYPES.items():
        path = f"/block_types/slug/{kind}/block_documents/name/{name}?include_secrets=true"
        if await _json(prefect, "GET", path) is None:
            missing.append(f"{kind}/{name}")
    if missing:
        raise UnhealthyError(f"missing: {', '.join(missing)}; run `trading start`")
    return ", ".join(BLOCK_TYPES)


async def _automations(prefect: httpx.AsyncClient) -> str:
    there = await _json(prefect, "POST", "/automations/filter", {"limit": 200})
    enabled = {entry["name"] for entry in there or [] if entry["enabled"]}
    missing = [name for name in AUTOMATIONS if name not in enabled]
    if missing:
        raise UnhealthyError(f"missing or disabled: {', '.join(missing)}; run `trading start`")
    return ", ".join(name.removeprefix("trading: ") for name in AUTOMATIONS)


async def _rate_limit(prefect: httpx.AsyncClient) -> str:
    limit = await _json(prefect, "GET", f"/v2/concurrency_limits/{DATA_LIMIT}")
    if limit is None or not limit["active"]:
        raise UnhealthyError(f"{DATA_LIMIT} is missing or inactive; run `trading start`")
    return f"{DATA_LIMIT}: {limit['slot_decay_per_second'] * 60:.0f} requests a minute"
