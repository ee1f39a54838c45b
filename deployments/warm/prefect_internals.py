"""All that the warm worker uses of Prefect's private parts: a Prefect that changes one of them is met here alone.

`tests/deployments/warm/test_prefect_internals.py` names each part that a Prefect at hand no longer has.
"""

import functools
import logging
import ssl
import sys
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from types import ModuleType, SimpleNamespace
from typing import Any
from uuid import UUID

import certifi
from anyio.abc import TaskStatus
from prefect import flow_engine, flows, results, task_engine
from prefect._internal import version_checking
from prefect.client import orchestration
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.responses import WorkerFlowRunResponse
from prefect.context import SettingsContext, get_settings_context, refresh_global_settings_context
from prefect.events.clients import EventsClient
from prefect.events.related import RESOURCE_CACHE
from prefect.events.schemas.events import Event, RelatedResource
from prefect.events.worker import EventsWorker
from prefect.logging.configuration import setup_logging
from prefect.logging.handlers import PrefectConsoleHandler
from prefect.runner._cancellation_manager import CancellationManager
from prefect.runner._control_channel import ControlChannel
from prefect.runner._event_emitter import EventEmitter
from prefect.runner._flow_run_executor import FlowRunExecutionResult, FlowRunExecutor, ProcessStarter
from prefect.runner._hook_runner import FlowRunHookRunner, HookRunner
from prefect.runner._process_manager import ProcessHandle, ProcessManager
from prefect.runner._state_proposer import StateProposer
from prefect.settings import PREFECT_API_SSL_CERT_FILE, PREFECT_CLIENT_MAX_RETRIES, Settings, get_current_settings
from prefect.types._datetime import now
from prefect.utilities import engine
from prefect.utilities.engine import propose_state
from prefect.workers.base import BaseVariables, BaseWorker, BaseWorkerResult
from prefect.workers.process import ProcessWorkerResult
from pydantic import BaseModel

from deployments.warm.configuration import WarmJobConfiguration
from deployments.warm.lasting import Steps, once_it_lasts
from deployments.warm.protocol import Known
from tasks.clients.prefect.errors import API_ERRORS
from tasks.model.values import Value

__all__ = [
    "CancellationManager",
    "ControlChannel",
    "EventEmitter",
    "FlowRunExecutionResult",
    "FlowRunExecutor",
    "FlowRunHookRunner",
    "HookRunner",
    "ProcessHandle",
    "ProcessManager",
    "ProcessStarter",
    "StateProposer",
    "propose_state",
]

# What a run's process reads from its environment.
ENTRYPOINT = "PREFECT__FLOW_ENTRYPOINT"
CONTROL_PORT, CONTROL_TOKEN = "PREFECT__CONTROL_PORT", "PREFECT__CONTROL_TOKEN"
# The hooks for a run that ends badly are ours, and the worker has asked which version the server is.
RUNS_ONLY = {
    "PREFECT__ENABLE_CANCELLATION_AND_CRASHED_HOOKS": "false",
    "PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED": "false",
}
# What every run imports, whatever its flow: the engine, and what Prefect itself imports late.
ENGINE = "prefect.engine"
LATE_IMPORTS = (
    ENGINE,
    "prefect.flow_engine",
    "prefect.utilities.visualization",
    "anyio._backends._asyncio",
    "anyio.streams.memory",
    "anyio.streams.tls",
    # What writes the parameters of a flow within a flow: 0.2 s between a diagnosis and its restart.
    "fastapi.encoders",
    "rich._emoji_codes",
    "runpy",
    "websockets.asyncio.client",
)
# Each of them loads the roots of trust (22 ms) for every client that it makes, also where the server speaks plain HTTP.
CLIENTS: tuple[ModuleType, ...] = (orchestration, version_checking)
# A probe within an observation within the evidence of an incident.
WALK_DEPTH = 4

SubmitRuns = Callable[[list[FlowRun]], Awaitable[list[FlowRun]]]


class WorkerInternals(BaseWorker[WarmJobConfiguration, BaseVariables, ProcessWorkerResult], ABC):
    """The private steps of Prefect's worker, under names of our own.

    `unsure` are the runs that may be *Pending* and nobody's: Prefect did not answer, or the base class does not say.
    """

    def __init__(self, work_pool_name: str, **options: Any) -> None:
        super().__init__(work_pool_name, **options)
        self.unsure: set[UUID] = set()
        self.log = self._logger
        self.pool_name: str = self._work_pool_name

    @property
    def pool_id(self) -> UUID | None:
        """The work pool, once it is known."""
        return self._work_pool.id if self._work_pool else None

    @property
    def queues(self) -> tuple[str, ...]:
        return tuple(sorted(self._work_queues))

    @property
    def submitting(self) -> set[UUID]:
        """The runs that are taken and have no process yet."""
        return self._submitting_flow_run_ids

    async def close_at_teardown(self, resource: AbstractAsyncContextManager[Any]) -> None:
        await self._exit_stack.enter_async_context(resource)

    @abstractmethod
    async def submit_due(self, runs: list[FlowRun], submit: SubmitRuns) -> list[FlowRun]:
        """Choose among the runs that are due, and submit those."""

    @abstractmethod
    def forgive(self, error: Exception) -> None:
        """Raise the error, unless it passes by itself."""

    async def _get_scheduled_flow_runs(self) -> list[WorkerFlowRunResponse]:
        with asked_once():
            return await super()._get_scheduled_flow_runs()

    async def _submit_scheduled_flow_runs(self, flow_run_response: list[WorkerFlowRunResponse]) -> list[FlowRun]:
        entries = {entry.flow_run.id: entry for entry in flow_run_response}
        submit = super()._submit_scheduled_flow_runs
        return await self.submit_due(
            [entry.flow_run for entry in flow_run_response if entry.flow_run.id not in self.submitting],
            lambda runs: submit([entries[run.id] for run in runs]),
        )

    async def _setup_cancellation_observer(self) -> None:
        # Our own listener hears of cancels of runs in every state, with one subscription for all of them.
        return

    async def _submit_run(self, flow_run: FlowRun) -> None:
        try:
            await super()._submit_run(flow_run)
        except API_ERRORS as error:
            self.unsure.add(flow_run.id)
            self._release_limit_slot(flow_run.id)
            self.forgive(error)
        finally:
            self._submitting_flow_run_ids.discard(flow_run.id)

    async def _propose_submitting_state(self, flow_run: FlowRun) -> None:
        """Leave it *Pending*: *Submitting* is a tenth of a second here, and a state, an event and a call less."""

    async def _give_worker_labels_to_flow_run(self, flow_run_id: UUID) -> None:
        """Give none: neither of Prefect's UIs shows them, and the run's log and events name the worker."""

    async def _propose_pending_state(self, flow_run: FlowRun) -> bool:
        ready = await super()._propose_pending_state(flow_run)
        if not ready:
            self.unsure.add(flow_run.id)
        return ready

    async def _submit_run_and_capture_errors(
        self, flow_run: FlowRun, task_status: TaskStatus[Any] | None = None
    ) -> BaseWorkerResult | Exception:
        result = await super()._submit_run_and_capture_errors(flow_run, task_status)
        if isinstance(result, Exception):
            self.unsure.add(flow_run.id)
        return result


class EventsThroughWorker(EventsClient):
    """Send events through the connection that this process has already, in place of one more."""

    async def _emit(self, event: Event) -> None:
        EventsWorker.instance().send(event)


@contextmanager
def asked_once() -> Iterator[None]:
    """Ask Prefect once, and not again after ever longer pauses: the next poll does that, and sooner."""
    context = get_settings_context()
    with SettingsContext(profile=context.profile, settings=_without_retries()):
        yield


@functools.cache
def _without_retries() -> Settings:
    return get_current_settings().copy_with_update({PREFECT_CLIENT_MAX_RETRIES: 0})


def read_settings_again() -> None:
    refresh_global_settings_context()
    setup_logging(incremental=False)


def make_ready() -> None:
    """Do once, before the fork, what every run would do again: two thirds of the CPU of a small run, as measured."""
    share_trust()
    tell_less()
    validate_by_what_is_made()
    for model in _subclasses(BaseModel):
        # A validator that pydantic leaves to the first use; one that cannot be built yet is left as it is.
        if not model.__pydantic_complete__:
            model.model_rebuild(raise_errors=False)


def tell_less() -> None:
    """Spare a run what is of use to longer ones: a word of each beginning, a heartbeat, an ear for being suspended."""
    shallow = functools.partial(functools.partial, walk_no_deeper)
    for module, name, instead in (
        (task_engine, "emit_task_run_state_change_event", Steps),
        (flow_engine, "_send_heartbeats", once_it_lasts),
        (flow_engine, "observe_flow_run_suspension", once_it_lasts),
        # Both walk through the arguments of every task.
        (task_engine, "visit_collection", shallow),
        (engine, "visit_collection", shallow),
        (results, "_read_server_default_result_storage_block_id", functools.cache),
    ):
        if (theirs := getattr(module, name, None)) is not None:
            module.__dict__[name] = instead(theirs)
    if not sys.stderr.isatty():
        # The same words: asking for colors and a terminal with each line costs a run an eighth of its CPU.
        PrefectConsoleHandler.emit = logging.StreamHandler.emit  # type: ignore[method-assign]
    results.__dict__["_aread_server_default_result_storage_block_id"] = _asked_already


async def _asked_already() -> UUID | None:
    return results._read_server_default_result_storage_block_id()  # noqa: SLF001 - kept, as the table above says


def validate_by_what_is_made() -> None:
    """Keep what validates the parameters of each flow, which Prefect makes again for each run."""
    make = functools.partial(flows.__dict__["ValidatedFunction"], config={"arbitrary_types_allowed": True})
    made = functools.cache(make)
    flows.__dict__["ValidatedFunction"] = lambda function, config: made(function)  # noqa: ARG005 - it is one and the same
    for one in [one for module in list(sys.modules.values()) for one in list(vars(module).values())]:
        if isinstance(one, flows.Flow) and one.should_validate_parameters:
            made(one.fn)


def begin_with(flow_run: str, around: Iterable[Known]) -> None:
    """Let a run begin with what its worker has just read of it, and not ask again."""
    if flow_run:
        run = FlowRun.model_validate_json(flow_run)
        flow_engine.__dict__["load_flow_run"] = lambda *_, **__: run
    for one in around:
        entry: Any = ({"kind": one.key.partition(".")[0], "object": Around(one)}, now("UTC"))
        RESOURCE_CACHE[one.key] = entry


class Around:
    """One thing around a run, as Prefect's events ask it for its name."""

    def __init__(self, known: Known) -> None:
        self.tags = known.tags
        self._labels = known.labels

    def as_related_resource(self, role: str) -> RelatedResource:
        return RelatedResource({**self._labels, "prefect.resource.role": role})


def share_trust() -> None:
    """Let Prefect's clients share one TLS context for each file of roots; a context that they change is not shared."""
    shared = functools.cache(ssl.create_default_context)

    def create_default_context(*words: Any, **named: Any) -> ssl.SSLContext:
        # Without a file of roots the caller goes on to switch verification off, in a context of its own.
        return shared(*words, **named) if named.get("cafile") else ssl.create_default_context(*words, **named)

    for module in CLIENTS:
        if getattr(module, "ssl", None) is ssl:
            names = {name: getattr(ssl, name) for name in dir(ssl) if not name.startswith("__")}
            module.__dict__["ssl"] = SimpleNamespace(**{**names, "create_default_context": create_default_context})
    create_default_context(cafile=PREFECT_API_SSL_CERT_FILE.value() or certifi.where())


def walk_no_deeper(walk: Callable[..., Any], expr: Any, *words: Any, **named: Any) -> Any:
    """Spare Prefect the walk through thousands of numbers, for each task that is given our evidence.

    It searches a task's arguments for results of other tasks: to wait for them, and to draw the arrows of its graph. A
    frozen value of ours holds such results near its top, and never a future; what is deeper is plain data.
    """
    if isinstance(expr, Value) and named.get("max_depth", -1) < 0:
        named["max_depth"] = WALK_DEPTH
    return walk(expr, *words, **named)


def _subclasses(base: type[BaseModel]) -> list[type[BaseModel]]:
    return [one for found in base.__subclasses__() for one in (found, *_subclasses(found))]
