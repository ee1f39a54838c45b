"""What a work pool or a deployment may set for a run of the warm worker: all that the stock process worker takes."""

from typing import Any

from prefect.workers.process import ProcessJobConfiguration, ProcessVariables
from pydantic import Field, PrivateAttr

RUN_LIMIT = "Seconds after which a run that has not ended is ended with all its processes; empty waits for ever."


class WarmVariables(ProcessVariables):
    """The form of the work pool."""

    run_limit_s: float | None = Field(default=None, gt=0, title="Run limit", description=RUN_LIMIT)


class WarmJobConfiguration(ProcessJobConfiguration):
    """The configuration of one run. Units: `run_limit_s` in seconds."""

    run_limit_s: float | None = Field(default=None, gt=0)

    _entrypoint: str | None = PrivateAttr(default=None)

    def prepare_for_flow_run(self, flow_run: Any, deployment: Any = None, *rest: Any, **named: Any) -> None:
        """Keep the entrypoint where a fork can run it: a module path, nothing to be pulled, no command of its own."""
        super().prepare_for_flow_run(flow_run, deployment, *rest, **named)
        found = getattr(deployment, "entrypoint", None)
        pulls = getattr(deployment, "pull_steps", None) or getattr(deployment, "storage_document_id", None)
        if found and ":" not in found and not pulls and not self._command_configured:
            self._entrypoint = found

    def over_limit(self) -> str:
        """Say that a run took too long."""
        return over_limit(self.run_limit_s or 0)

    @property
    def entrypoint(self) -> str | None:
        """The module path of the flow, or None where only a process of its own can run it."""
        return self._entrypoint


def over_limit(run_limit_s: float) -> str:
    """Say that a run took too long."""
    return f"RUN_LIMIT: expected an end within run_limit_s={run_limit_s:g} was none; see the run's log"
