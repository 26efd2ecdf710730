from __future__ import annotations

from typing import TYPE_CHECKING

from prefect.workers.base import BaseJobConfiguration, BaseVariables
from pydantic import Field, PrivateAttr

from trading.errors import ConfigurationError

if TYPE_CHECKING:
    from uuid import UUID

    from prefect.client.schemas.objects import Flow, FlowRun, WorkPool
    from prefect.client.schemas.responses import DeploymentResponse


class WarmVariables(BaseVariables):
    """What a deployment may set; environment and command exist only to be refused with a reason."""

    env: dict[str, str | None] = Field(
        default_factory=dict,
        title="Environment Variables",
        description="Must stay empty: all runs share the environment of the worker.",
    )
    command: str | None = Field(
        default=None, description="Must stay empty: runs are threads of the worker, not commands."
    )


class WarmConfiguration(BaseJobConfiguration):
    """A deployment's job as this worker needs it: the module path of the flow."""

    _entrypoint: str = PrivateAttr(default="")

    @property
    def entrypoint(self) -> str:
        """Module path of the flow, such as `flows.execution.execute_trades`."""
        return self._entrypoint

    def prepare_for_flow_run(  # noqa: PLR0917 - the signature is Prefect's
        self,
        flow_run: FlowRun,
        deployment: DeploymentResponse | None = None,
        flow: Flow | None = None,
        work_pool: WorkPool | None = None,
        worker_name: str | None = None,
        worker_id: UUID | None = None,  # noqa: ARG002 - the signature is Prefect's
    ) -> None:
        """Take the entry point from the deployment.

        Unlike the base class it builds no environment for a child process (40 ms of settings).

        Raises
        ------
        ConfigurationError
            The deployment asks for what threads of one process cannot have.
        """
        if deployment is None:
            raise ConfigurationError(
                "a trading-warm pool runs deployments only, this run has none; use `prefect deployment run`"
            )
        self._entrypoint = _module_path(deployment)
        if self.env or self.command:
            asked = f"job_variables.env sets {', '.join(sorted(self.env))}" if self.env else "it sets a command"
            raise ConfigurationError(
                f"deployment {deployment.name!r}: {asked}, but its runs share one process; "
                "set it in the worker's environment, or use a process pool"
            )
        self._related_objects = {"deployment": deployment, "flow": flow, "flow-run": flow_run}
        self.labels = {
            **self._base_flow_run_labels(flow_run),
            **self._base_work_pool_labels(work_pool),
            **self._base_worker_name_label(worker_name),
            **self._base_flow_labels(flow),
            **self._base_deployment_labels(deployment),
            **self.labels,
        }
        self.name = self.name or flow_run.name


def _module_path(deployment: DeploymentResponse) -> str:
    entrypoint = deployment.entrypoint or ""
    if ":" in entrypoint or "." not in entrypoint:
        raise ConfigurationError(
            f"deployment {deployment.name!r}: entry point {entrypoint!r} is not a module path; "
            "write it as package.module.flow in prefect.yaml"
        )
    if deployment.pull_steps:
        raise ConfigurationError(
            f"deployment {deployment.name!r} has pull steps, but a trading-warm pool runs installed code; "
            "set `pull: []` in prefect.yaml"
        )
    return entrypoint
