"""Flows that behave well or badly, for a real worker to run; found through PYTHONPATH as `warm_flows`."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

import prefect.runtime
from prefect import flow, get_run_logger, task
from pydantic import BaseModel, Field

IMPORTED_BY = threading.current_thread().name


def mark(path: str, text: str = "") -> None:
    Path(path).write_text(text, encoding="utf-8")


class Order(BaseModel):
    """A parameter with a constraint."""

    quantity: int = Field(gt=0)


@flow
async def empty() -> None:
    pass


@flow
def empty_sync() -> None:
    pass


@task
def double(number: int) -> int:
    return number * 2


def note_end(flow: Any, flow_run: Any, state: Any) -> None:  # noqa: ARG001 - Prefect's signature
    Path(flow_run.parameters["path"]).write_text(f"hook saw {state.name}", encoding="utf-8")


@flow(flow_run_name="order of {order.quantity}", on_completion=[note_end])
async def orders(order: Order, path: str) -> int:
    get_run_logger().info("process %d doubles %d, hook writes %s", os.getpid(), order.quantity, path)
    return double(order.quantity)


@flow
async def fails() -> None:
    raise ValueError("no such symbol")


@flow
async def leaves(how: str) -> None:
    if how == "exit":
        sys.exit(3)
    if how == "interrupt":
        raise KeyboardInterrupt
    raise BaseException("out of everything")  # noqa: TRY002 - the worst a flow can raise


@flow
def leaves_sync() -> None:
    sys.exit("done for today")


@flow
async def blocks(path: str, release: str) -> None:
    mark(path)
    while not os.path.exists(release):  # noqa: ASYNC240, PTH110 - the point is to block
        time.sleep(0.01)  # noqa: ASYNC251 - the same


@flow(timeout_seconds=1)
async def too_slow() -> None:
    await asyncio.sleep(60)


@flow(timeout_seconds=1)
def too_slow_sync() -> None:
    spin(60)


def spin(seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.01)


def note_cancellation(flow: Any, flow_run: Any, state: Any) -> None:  # noqa: ARG001 - Prefect's signature
    Path(flow_run.parameters["path"] + ".cancelled").write_text(state.name, encoding="utf-8")


@flow
async def child(seconds: float) -> None:
    await asyncio.sleep(seconds)


@flow(on_cancellation=[note_cancellation])
async def waits(path: str, seconds: float = 60) -> None:
    mark(path)
    await child(seconds)


@flow
def spins(path: str) -> None:
    mark(path)
    spin(60)


@flow
async def spins_in_async(path: str) -> None:
    mark(path)
    spin(60)


@flow
def sleeps_in_c(path: str, seconds: float) -> None:
    mark(path)
    time.sleep(seconds)


@flow
async def tells_itself(path: str) -> None:
    before = prefect.runtime.flow_run.id
    await asyncio.sleep(0.5)
    names = [before, prefect.runtime.flow_run.id, prefect.runtime.flow_run.parameters["path"]]
    mark(path, " ".join(map(str, names)))


@flow
async def leaks(path: str) -> None:
    threading.Thread(target=time.sleep, args=(600,), name="leaked").start()
    task_left = asyncio.create_task(asyncio.sleep(600))
    mark(path, f"{IMPORTED_BY} {task_left.done()}")
