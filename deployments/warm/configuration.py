"""What a run of the warm worker may set: whether its output is shown, and how long it may take.

No command, no environment and no working directory, whoever sets it (run, deployment or work pool): each of them is a
way to run what one likes as the user who watches trading, and may halt it. What the runs need is in the worker's own
environment.
"""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, Self

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun
from prefect.events.related import object_as_related_resource
from prefect.logging.loggers import flow_run_logger
from prefect.workers.process import ProcessJobConfiguration
from pydantic import BaseModel, Field, PrivateAttr

from deployments.warm.protocol import Known
from tasks.model.errors import Code

RUN_LIMIT = "Seconds after which a run that has not ended is ended with all its processes; empty waits for ever."


class WarmVariables(BaseModel):
    stream_output: bool = Field(default=True, description="Show the output of the runs in the worker's own.")
    run_limit_s: float | None = Field(default=None, gt=0, title="Run limit", description=RUN_LIMIT)


class WarmJobConfiguration(ProcessJobConfiguration):
    """The configuration of one run. Units: `run_limit_s` in seconds."""

    run_limit_s: float | None = Field(default=None, gt=0)
    # The job variables that were set and are not taken.
    ignored: tuple[str, ...] = ()

    _entrypoint: str | None = PrivateAttr(default=None)
    _around: tuple[Known, ...] = PrivateAttr(default=())

    @classmethod
    def json_template(cls) -> dict[str, Any]:
        """Give a new work pool a place for what may be set, and for nothing else."""
        return {name: f"{{{{ {name} }}}}" for name in WarmVariables.model_fields}

    @classmethod
    async def from_template_and_values(
        cls,
        base_job_template: dict[str, Any],
        values: dict[str, Any],
        client: PrefectClient | None = None,  # noqa: ARG003 - the signature is Prefect's own
    ) -> Self:
        """Take what may be set, and note what else was; nothing of it is looked up on the server."""
        fixed = {name: one for name, one in base_job_template["job_configuration"].items() if not _is_place(one)}
        properties = base_job_template["variables"].get("properties", {})
        defaults = {name: one.get("default") for name, one in properties.items()}
        layers = [{name: one for name, one in layer.items() if one} for layer in (defaults, fixed, values)]
        may_be_set = WarmVariables.model_fields.keys()
        taken = {**defaults, **fixed, **values}
        ignored = sorted({name for layer in layers for name in layer} - may_be_set)
        made = {name: one for name, one in taken.items() if name in may_be_set and one is not None}
        return cls.model_validate({**made, "ignored": ignored})

    def prepare_for_flow_run(
        self,
        flow_run: FlowRun,
        deployment: Any = None,
        flow: Any = None,
        work_pool: Any = None,
        *rest: Any,
        **named: Any,
    ) -> None:
        """Keep the entrypoint where a fork can run it: a module path, and nothing to be pulled."""
        self.command, self.working_dir, self.env = None, None, {}
        super().prepare_for_flow_run(flow_run, deployment, flow, work_pool, *rest, **named)
        self._around = tuple(_around(flow_run, deployment, flow, work_pool))
        if self.ignored:
            flow_run_logger(flow_run).warning(ignored_words(self.ignored))
        found = getattr(deployment, "entrypoint", None)
        pulls = getattr(deployment, "pull_steps", None) or getattr(deployment, "storage_document_id", None)
        if found and ":" not in found and not pulls:
            self._entrypoint = found

    def over_limit(self) -> str:
        return over_limit(self.run_limit_s or 0)

    @property
    def entrypoint(self) -> str | None:
        """The module path of the flow, or None where only a process of its own can run it."""
        return self._entrypoint

    @property
    def around(self) -> tuple[Known, ...]:
        """What stands around the run: its flow, its deployment, its queue and its pool, for its own events."""
        return self._around


def _around(flow_run: FlowRun, deployment: Any, flow: Any, work_pool: Any) -> Iterator[Known]:
    queue_id, queue = getattr(deployment, "work_queue_id", None), None
    if queue_id is not None and queue_id == flow_run.work_queue_id:
        queue = SimpleNamespace(id=queue_id, name=deployment.work_queue_name)
    for kind, key, one in (
        ("flow", flow_run.flow_id, flow),
        ("deployment", flow_run.deployment_id, deployment),
        ("work-queue", queue_id, queue),
        ("work-pool", getattr(work_pool, "name", None), work_pool),
    ):
        if one is not None:
            labels = dict(object_as_related_resource(kind, kind, one))
            yield Known(key=f"{kind}.{key}", labels=labels, tags=tuple(getattr(one, "tags", ())))


def _is_place(value: object) -> bool:
    return isinstance(value, str) and value.startswith("{{")


def ignored_words(names: tuple[str, ...]) -> str:
    """Say which job variables were not taken; the run goes on without them."""
    known = ", ".join(WarmVariables.model_fields)
    was = ", ".join(names)
    return f"{Code.JOB_VARIABLE_IGNORED}: expected the job variables {known} alone was {was}; set it at the worker"


def over_limit(run_limit_s: float) -> str:
    return f"RUN_LIMIT: expected an end within run_limit_s={run_limit_s:g} was none; see the run's log"
