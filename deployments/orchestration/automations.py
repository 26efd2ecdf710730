"""The two automations that end runs whose process is gone; Prefect itself leaves them Running for ever."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from prefect.client.schemas.objects import StateType
from prefect.events.actions import ChangeFlowRunState
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.events.schemas.events import ResourceSpecification

from blocks.health import HEARTBEAT_LOST, NEVER_STARTED
from deployments.stack.environment import HEARTBEAT_SECONDS

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient

_PENDING_SECONDS = 120

_ENDED = {"Completed", "Failed", "Crashed", "Cancelled", "Cancelling", "TimedOut", "Market closed"}
_WAITING = {"Paused", "Suspended", "AwaitingRetry", "Scheduled", "Late", "AwaitingConcurrencySlot"}


def _events(names: set[str]) -> set[str]:
    return {f"prefect.flow-run.{name}" for name in names}


def _automation(
    name: str, text: str, *, after: set[str], expect: set[str], seconds: int, message: str
) -> AutomationCore:
    return AutomationCore(
        name=name,
        description=text,
        trigger=EventTrigger(
            match=ResourceSpecification.model_validate({"prefect.resource.id": "prefect.flow-run.*"}),
            after=_events(after),
            expect=_events(expect),
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            threshold=1,
            within=timedelta(seconds=seconds),
        ),
        actions=[ChangeFlowRunState(state=StateType.CRASHED, message=message)],
    )


def wanted() -> list[AutomationCore]:
    """Return both automations; a run that ended or waits on purpose satisfies them."""
    lost = 3 * HEARTBEAT_SECONDS
    return [
        _automation(
            HEARTBEAT_LOST,
            f"A running flow sends a heartbeat every {HEARTBEAT_SECONDS} s; {lost} s without, and its process is gone.",
            after={"heartbeat"},
            expect={"heartbeat"} | _ENDED | _WAITING,
            seconds=lost,
            message=f"no heartbeat for {lost} s: the process of this run is gone",
        ),
        _automation(
            NEVER_STARTED,
            f"A worker took the run, and {_PENDING_SECONDS} s later it does not run.",
            after={"Pending", "Submitting", "InfrastructurePending"},
            expect={"Running", "heartbeat"} | _ENDED | _WAITING,
            seconds=_PENDING_SECONDS,
            message=f"taken by a worker and not started within {_PENDING_SECONDS} s",
        ),
    ]


async def ensure_automations(client: PrefectClient) -> None:
    """Create or update both by name, and drop duplicates."""
    for automation in wanted():
        there = await client.read_automations_by_name(automation.name)
        if not there:
            await client.create_automation(automation)
            continue
        await client.update_automation(there[0].id, automation)
        for duplicate in there[1:]:
            await client.delete_automation(duplicate.id)
