"""Report what became of a run to Prefect, and keep at it while Prefect is away: no run is lost in silence."""

import asyncio
from typing import Any

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.events.clients import EventsClient
from prefect.events.schemas.events import Event
from prefect.events.worker import EventsWorker
from prefect.exceptions import Abort, ObjectNotFound
from prefect.logging import get_logger
from prefect.runner._state_proposer import StateProposer
from prefect.states import Cancelled, Crashed
from prefect.utilities.engine import propose_state

from tasks.clients.prefect_api import API_ERRORS, is_away

AGAIN_S = 3.0


class PatientProposer(StateProposer):
    """Propose the end of a run until Prefect has answered, however long that takes."""

    def __init__(self, *, client: PrefectClient) -> None:
        super().__init__(client=client)
        self._api = client
        self._log = get_logger("warm_worker.reporting")

    async def propose_crashed(self, flow_run: FlowRun, message: str) -> State[Any] | None:
        """Report a crash. None where the run has reported an end of its own, or is no longer known."""
        while True:
            try:
                state = await propose_state(self._api, Crashed(message=message), flow_run_id=flow_run.id)
            except (Abort, ObjectNotFound):
                return None
            except API_ERRORS as error:
                await self._wait(flow_run, error)
            else:
                return state if state.is_crashed() else None

    async def propose_cancelled(self, flow_run: FlowRun, state_updates: dict[str, Any] | None = None) -> bool:
        """Report a cancel that was carried out."""
        changes = {"name": "Cancelled", "type": StateType.CANCELLED, **(state_updates or {})}
        state = flow_run.state.model_copy(update=changes) if flow_run.state else Cancelled(**(state_updates or {}))
        while True:
            try:
                await self._api.set_flow_run_state(flow_run.id, state, force=True)
            except ObjectNotFound:
                return False
            except API_ERRORS as error:
                await self._wait(flow_run, error)
            else:
                return True

    async def _wait(self, flow_run: FlowRun, error: Exception) -> None:
        if not is_away(error):
            raise error
        self._log.warning("The end of flow run '%s' is not reported yet: %s", flow_run.name, error)
        await asyncio.sleep(AGAIN_S)


class EventsThroughWorker(EventsClient):
    """Send events through the connection that this process has already, in place of one more."""

    async def _emit(self, event: Event) -> None:
        EventsWorker.instance().send(event)
