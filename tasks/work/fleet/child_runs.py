"""Let services have triages of their own: runs that a worker starts, each in a process of its own."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Any

from prefect import runtime
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import FlowFilter, FlowRunFilter
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.context import FlowRunContext
from prefect.deployments import arun_deployment
from prefect.exceptions import ObjectNotFound, PrefectException
from prefect.utilities.urls import url_for

from tasks.clients.evidence.history import history_path, remember_observation
from tasks.clients.prefect.errors import API_ERRORS
from tasks.model.fleet.queues import deployment_name
from tasks.model.fleet.sweep import OwnTriage, ServiceSeen, Start, SweepRequest, TriageUnderWay
from tasks.rules.fleet.sweep import need_triage, working_count
from tasks.settings import RunbookSettings

DEPLOYMENT = "triage/one-service"
FLOW = "triage"
# A triage that starts later than this after its minute would check and report, and never act (safety rule 11).
STARTING_FOR_S = 20.0
ASK_EVERY_S = 1.0
LIMIT_COUNT = 200
NOT_ENDED = [StateType.PENDING, StateType.RUNNING, StateType.PAUSED, StateType.CANCELLING]
CANNOT_SAY: tuple[type[Exception], ...] = (TimeoutError, *API_ERRORS, PrefectException)


async def child_runs(
    settings: RunbookSettings, request: SweepRequest, seen: tuple[ServiceSeen, ...]
) -> tuple[OwnTriage, ...]:
    """Start a triage for each service that needs one, the most urgent first, and no more than the machine bears.

    Runbook: §1, for the service that is not plainly well.
    Errors: none; one that could not be started *waits*, says why, and is checked again in the next minute.
    Steps: where no worker ran this run, or the server has no such deployment, all are left to this run.
    """
    wanted = need_triage(seen)
    run = FlowRunContext.get()
    if not wanted or run is None or run.flow_run is None or run.flow_run.deployment_id is None:
        return tuple(OwnTriage(service=one.service, start=Start.HERE) for one in wanted)
    found = await _Starting(settings, request, run.flow_run).started(tuple(one.service for one in wanted))
    _remember(settings, wanted, found)
    return found


class _Starting:
    """The triages that one sweep starts."""

    def __init__(self, settings: RunbookSettings, request: SweepRequest, run: FlowRun) -> None:
        self._settings, self._request, self._run = settings, request, run
        self._found: dict[str, OwnTriage] = {}

    async def started(self, wanted: tuple[str, ...]) -> tuple[OwnTriage, ...]:
        """Start as many as there is room for; as some end, start others, for a while."""
        ends_s, fault = time.monotonic() + STARTING_FOR_S, ""
        try:
            while left := [name for name in wanted if name not in self._found]:
                room = await self._room(left)
                await asyncio.gather(*(self._start(name) for name in left[:room] if name not in self._found))
                if time.monotonic() > ends_s:
                    break
                await asyncio.sleep(ASK_EVERY_S if len(self._found) < len(wanted) else 0)
        except CANNOT_SAY as error:
            fault = f"Prefect could not be asked: {type(error).__name__}"
        waits = fault or f"{self._settings.triages_at_once} others are at work; the next minute checks again"
        return tuple(
            self._found.get(name) or OwnTriage(service=name, start=Start.WAITS, detail=waits) for name in wanted
        )

    async def _room(self, left: list[str]) -> int:
        """Leave out the services that a triage works on already, and say how many may be started."""
        async with get_client() as client:
            under_way = await triages_under_way(client, self._run.work_queue_name)
        for one in under_way:
            if one.service in left:
                since = f" since {one.since:%H:%M:%S}Z" if one.since else ""
                detail = f"a triage of an earlier sweep is at work{since}"
                self._found[one.service] = OwnTriage(
                    service=one.service, start=Start.AT_WORK, detail=detail, run_url=one.run_url
                )
                left.remove(one.service)
        return max(0, self._settings.triages_at_once - working_count(under_way, datetime.now(UTC)))

    async def _start(self, service: str) -> None:
        """Start one, due at the very time of this sweep, so that it is as late as the sweep is."""
        name = deployment_name(DEPLOYMENT, self._settings.queue)
        try:
            run = await arun_deployment(
                name,
                parameters=self._request.parameters(service),
                scheduled_time=runtime.flow_run.scheduled_start_time,
                timeout=0,
                idempotency_key=f"{self._run.id}-{service}",
                work_queue_name=self._run.work_queue_name,
            )
        except ObjectNotFound:
            self._found[service] = OwnTriage(service=service, start=Start.HERE, detail=f"no deployment {name}")
        else:
            self._found[service] = OwnTriage(service=service, start=Start.STARTED, run_url=url_for(run))


async def triages_under_way(client: PrefectClient, queue: str | None) -> tuple[TriageUnderWay, ...]:
    """Find the runs of a host's queue that work on one service each, or are about to; other hosts have room of theirs.

    Errors: those of Prefect's client.
    """
    started = {"any_": NOT_ENDED}
    due = {"any_": [StateType.SCHEDULED]}
    flows = FlowFilter.model_validate({"name": {"any_": [FLOW]}})
    own = {"work_queue_name": {"any_": [queue]}} if queue else {}
    found: list[FlowRun] = []
    for asked in ({"state": {"type": started}}, {"state": {"type": due}, "tags": {"all_": ["one-service"]}}):
        runs = FlowRunFilter.model_validate({**asked, **own})
        found += await client.read_flow_runs(flow_filter=flows, flow_run_filter=runs, limit=LIMIT_COUNT)
    return tuple(one for run in found if (one := _under_way(run)) is not None)


def _under_way(run: FlowRun) -> TriageUnderWay | None:
    parameters: dict[str, Any] = run.parameters or {}
    service = parameters.get("service")
    if not isinstance(service, str) or not service:
        return None
    waits = run.state is not None and run.state.type is StateType.PAUSED
    since = run.start_time or run.created
    return TriageUnderWay(service=service, run_url=url_for(run), since=since, waits_for_a_person=waits)


def _remember(settings: RunbookSettings, seen: tuple[ServiceSeen, ...], found: tuple[OwnTriage, ...]) -> None:
    """Remember the observations of services that only this sweep checks in this minute."""
    waiting = {one.service for one in found if one.start is Start.WAITS}
    for one in seen:
        if one.service in waiting and one.past is not None:
            remember_observation(history_path(settings, one.service), one.past)
