"""Incidents and heartbeats as Prefect events over plain HTTP: fire and forget, a dead receiver costs events alone."""

import asyncio
import base64
import contextlib
import logging
import uuid
from collections.abc import Callable, Mapping

import aiohttp
import orjson
from pydantic import SecretStr

from order_service.runtime.clock import rfc3339, utc_now

log = logging.getLogger(__name__)

QUEUED_EVENTS = 500
BATCH = 50
POST_TIMEOUT_S = 2.0
# What calls for a triage at once. All else has an event name of its own and starts nothing: that a gateway is back,
# that a person turned a switch, that the service came or goes.
TROUBLE = frozenset(
    {
        "gateway_unreachable",
        "order_routing_failed",
        "routing_table_refused",
        "control_state_broken",
        "journal_unavailable",
    }
)


class EventSender:
    """Post events in small lists from a bounded queue; the oldest give way to the newest."""

    def __init__(self, url: str, service: str, on_lost: Callable[[int], None], login: SecretStr | None = None) -> None:
        self._url = url
        self._headers = {"Content-Type": "application/json", **_authorization(login)}
        self._resource = {"prefect.resource.id": f"order-service.{service}", "prefect.resource.name": service}
        self._on_lost = on_lost
        self._events: asyncio.Queue[dict[str, object]] = asyncio.Queue(QUEUED_EVENTS)
        self._failing = False

    def incident(self, record: Mapping[str, object]) -> None:
        """Queue one record of the ledger; never waits."""
        self._put(event_name(record), record)

    def heartbeat(self, payload: Mapping[str, object]) -> None:
        """Queue one heartbeat; never waits."""
        self._put("order-service.heartbeat", payload)

    async def run(self) -> None:
        """Send until canceled."""
        timeout = aiohttp.ClientTimeout(total=POST_TIMEOUT_S)
        async with aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()) as session:
            while True:
                batch = [await self._events.get()]
                while len(batch) < BATCH and not self._events.empty():
                    batch.append(self._events.get_nowait())
                await self._post(session, batch)

    async def flush(self, deadline_s: float) -> None:
        """Send what is queued within a deadline, at the end of the process."""
        batch: list[dict[str, object]] = []
        while not self._events.empty():
            batch.append(self._events.get_nowait())
        if batch:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(deadline_s), aiohttp.ClientSession() as session:
                    await self._post(session, batch)

    def _put(self, event: str, payload: Mapping[str, object]) -> None:
        if self._events.full():
            self._events.get_nowait()
            self._on_lost(1)
        self._events.put_nowait(
            {
                "occurred": rfc3339(utc_now()),
                "event": event,
                "resource": self._resource,
                "payload": dict(payload),
                "id": str(uuid.uuid4()),
            }
        )

    async def _post(self, session: aiohttp.ClientSession, batch: list[dict[str, object]]) -> None:
        try:
            body = orjson.dumps(batch, default=str)
            async with session.post(self._url, data=body, headers=self._headers) as response:
                ok = response.status < 300
                reason = f"status={response.status}"
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            ok, reason = False, type(error).__name__
        if not ok:
            self._on_lost(len(batch))
        if ok == self._failing:
            log.log(logging.INFO if ok else logging.WARNING, "EVENTS_%s: %s", "DELIVERED" if ok else "LOST", reason)
            self._failing = not ok


def _authorization(login: SecretStr | None) -> dict[str, str]:
    if login is None:
        return {}
    return {"Authorization": f"Basic {base64.b64encode(login.get_secret_value().encode()).decode()}"}


def event_name(record: Mapping[str, object]) -> str:
    """Name the event of one record: `order-service.incident` for trouble, and the record's own type for the rest.

    Failures of test orders alone are no incident: the triage that one starts sends test orders too, for ever.
    """
    kind = str(record.get("type"))
    details = record.get("details")
    counts = details if isinstance(details, Mapping) else {}
    only_tests = bool(counts.get("count")) and counts.get("count") == counts.get("synthetic_count")
    return "order-service.incident" if kind in TROUBLE and not only_tests else f"order-service.{kind}"
