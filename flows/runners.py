"""Where the chunks of a research run are evaluated: threads, processes, or a Dask cluster."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import urlsplit

from prefect.task_runners import ProcessPoolTaskRunner, ThreadPoolTaskRunner
from pydantic import Field

from trading.errors import ConfigurationError, UnavailableError

if TYPE_CHECKING:
    from prefect.task_runners import TaskRunner

Runner = Annotated[
    Literal["inline", "threads", "processes", "dask"],
    Field(description="Where the tries are evaluated; dask: on workers of their own, or on a cluster."),
]
Workers = Annotated[int, Field(ge=1, le=64, description="How many threads, processes or local Dask workers.")]
Cluster = Annotated[
    str | None,
    Field(description="Address of a running Dask scheduler, such as tcp://10.0.0.5:8786; empty: workers here."),
]
PATIENCE = 5.0
ONE_CORE = {"NUMBA_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
"""What keeps a Dask worker to one core: there are as many workers as cores to be used."""


def task_runner(kind: Runner, *, workers: int, cluster: str | None) -> TaskRunner[Any]:
    """Return the task runner of a kind.

    Raises
    ------
    ConfigurationError
        A cluster was named for another runner, or is no address.
    UnavailableError
        Nothing answers at the cluster's address.
    """
    if cluster and kind != "dask":
        raise ConfigurationError(f"cluster: {cluster} is for the runner dask, and the runner is {kind}")
    if kind == "threads":
        return ThreadPoolTaskRunner(max_workers=workers)
    if kind == "processes":
        return ProcessPoolTaskRunner(max_workers=workers)
    from prefect_dask.task_runners import DaskTaskRunner

    if cluster:
        _require_answer(cluster)
        return DaskTaskRunner(address=cluster)
    local = {"n_workers": workers, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0", "env": ONE_CORE}
    return DaskTaskRunner(cluster_kwargs=local)


def _require_answer(address: str) -> None:
    try:
        parts = urlsplit(address if "://" in address else f"tcp://{address}")
        place = (parts.hostname, parts.port)
    except ValueError:
        place = (None, None)
    if place[0] is None or place[1] is None:
        raise ConfigurationError(f"cluster: {address!r} is no address; give one such as tcp://10.0.0.5:8786")
    try:
        socket.create_connection((place[0], place[1]), timeout=PATIENCE).close()
    except OSError as error:
        raise UnavailableError(f"cluster: no Dask scheduler answers at {address} ({error})") from None
