from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx
from prefect.utilities.dispatch import get_registry_for_type
from prefect.workers.base import BaseWorker
from prefect.workers.process import ProcessWorker

from deployments.warm_worker import WarmWorker
from deployments.worker import KINDS, RESYNC_SECONDS, AttentiveProcessWorker

if TYPE_CHECKING:
    import pytest
    from prefect.client.schemas.responses import WorkerFlowRunResponse

type Runs = list[WorkerFlowRunResponse]


def asked(monkeypatch: pytest.MonkeyPatch, answers: list[Runs | Exception]) -> tuple[AttentiveProcessWorker, list[int]]:
    """Return a worker whose server gives these answers, and the list its questions are noted in."""
    questions: list[int] = []

    async def answer(_: ProcessWorker) -> Runs:
        questions.append(len(questions))
        given = answers[len(questions) - 1]
        if isinstance(given, Exception):
            raise given
        return given

    monkeypatch.setattr(ProcessWorker, "_get_scheduled_flow_runs", answer)
    return AttentiveProcessWorker(work_pool_name="analytics"), questions


def test_a_worker_asks_once_at_first_and_then_when_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    worker, questions = asked(monkeypatch, [[], []])
    worker._connected = True
    for _ in range(5):
        assert asyncio.run(worker._get_scheduled_flow_runs()) == []
    assert len(questions) == 1
    worker._told = True
    asyncio.run(worker._get_scheduled_flow_runs())
    asyncio.run(worker._get_scheduled_flow_runs())
    assert len(questions) == 2


def test_a_worker_asks_by_itself_when_events_may_have_been_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    worker, questions = asked(monkeypatch, [[], [], []])
    worker._connected = True
    asyncio.run(worker._get_scheduled_flow_runs())
    worker._asked_at -= RESYNC_SECONDS
    asyncio.run(worker._get_scheduled_flow_runs())
    worker._connected = False
    worker._asked_at -= 1.0
    asyncio.run(worker._get_scheduled_flow_runs())
    assert len(questions) == 3


def test_a_server_that_is_away_ends_no_worker_and_shows_in_its_health(monkeypatch: pytest.MonkeyPatch) -> None:
    worker, _ = asked(monkeypatch, [httpx.ConnectError("refused"), []])
    assert asyncio.run(worker._get_scheduled_flow_runs()) == []
    assert not worker.is_worker_still_polling(0.25)
    worker._told = True
    asyncio.run(worker._get_scheduled_flow_runs())
    assert worker.is_worker_still_polling(0.25)


def test_the_listening_workers_take_no_other_workers_place_in_prefect() -> None:
    registry = get_registry_for_type(BaseWorker)
    assert registry is not None
    assert registry["process"] is ProcessWorker
    assert registry["trading-warm"] is WarmWorker
    assert {kind: worker.type for kind, worker in KINDS.items()} == {kind: kind for kind in KINDS}
