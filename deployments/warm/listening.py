"""Receive from Prefect at once that a run is due or canceled, where it is not away; polling finds what was missed."""

import asyncio
import logging
import time
from collections.abc import Callable
from uuid import UUID

from prefect.events.clients import get_events_subscriber
from prefect.events.filters import EventAnyResourceFilter, EventFilter, EventNameFilter
from prefect.events.schemas.events import Event
from prefect.logging import get_logger

SCHEDULED = "prefect.flow-run.Scheduled"
CANCELING = "prefect.flow-run.Cancelling"
FLOW_RUN = "prefect.flow-run."
AGAIN_S = 2.0
Log = logging.Logger | logging.LoggerAdapter[logging.Logger]


class Listener:
    """One subscription to the events of a work pool, made again for as long as the worker works."""

    def __init__(self, work_pool_id: UUID, on_due: Callable[[], None], on_cancel: Callable[[UUID], None]) -> None:
        self.connected = False
        self._resource = f"prefect.work-pool.{work_pool_id}"
        self._on_due = on_due
        self._on_cancel = on_cancel
        self._log = get_logger("warm_worker.listening")

    async def listen(self) -> None:
        """Listen until canceled.

        Errors: none; a server that is away or refuses events leaves the worker to its polling.
        """
        while True:
            try:
                await self._listen_once()
            except Exception as error:  # noqa: BLE001 - websockets, authentication, a proxy: all end in polling
                self._log.debug("No events: %s", error)
            self.connected = False
            await asyncio.sleep(AGAIN_S)

    async def _listen_once(self) -> None:
        wanted = EventFilter(
            event=EventNameFilter(name=[SCHEDULED, CANCELING]), any_resource=EventAnyResourceFilter(id=[self._resource])
        )
        async with get_events_subscriber(filter=wanted, reconnection_attempts=0) as subscriber:
            self.connected = True
            # What was due before we listened was said to nobody.
            self._on_due()
            async for event in subscriber:
                self._hear(event)

    def _hear(self, event: Event) -> None:
        if event.event == SCHEDULED:
            self._on_due()
        elif event.resource.id.startswith(FLOW_RUN):
            self._on_cancel(UUID(event.resource.id.removeprefix(FLOW_RUN)))


class Outage:
    def __init__(self, log: Log) -> None:
        self._log = log
        self._since_s: float | None = None

    def away(self, error: Exception) -> None:
        if self._since_s is None:
            self._since_s = time.monotonic()
            self._log.warning(
                "Prefect does not answer; the worker goes on and asks again: %s", str(error) or type(error).__name__
            )

    def back(self) -> None:
        if self._since_s is not None:
            self._log.warning("Prefect answers again, after %.0f s.", time.monotonic() - self._since_s)
            self._since_s = None
