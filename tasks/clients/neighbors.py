"""Look at the other services of this host right before a process is stopped: one that is sick alone is not shared."""

import asyncio
from datetime import UTC, datetime

from tasks.clients.context import ledger_or_fault
from tasks.clients.http_exchange import http_client
from tasks.clients.order_service import health_look
from tasks.model.looks import HealthLook
from tasks.rules.neighbors import has_trouble_of_its_own, is_sick
from tasks.settings import RunbookSettings

AT_ONCE_COUNT = 20
# However many there are and however slowly they answer, the action is not held up for longer.
LOOKS_S = 10.0


async def sick_neighbors(settings: RunbookSettings, service: str) -> tuple[str, ...]:
    """Name the other watched services that are sick at this moment, and were not for long (safety rule 6).

    Runbook: §2.1, before a restart.
    Errors: none. One that could not be looked at proves nothing. One that is worked on, or whose own incident is older,
    has its own cause.
    """
    others = [name for name in settings.services if name != service]
    places = asyncio.Semaphore(AT_ONCE_COUNT)
    looks = [asyncio.ensure_future(_seen(settings, name, places)) for name in others]
    done, late = await asyncio.wait(looks, timeout=LOOKS_S) if looks else (set(), set())
    for one in late:
        one.cancel()
    seen = dict(one.result() for one in done)
    return tuple(name for name in others if name in seen and is_sick(seen[name]) and not _is_old(settings, name))


async def _seen(settings: RunbookSettings, name: str, places: asyncio.Semaphore) -> tuple[str, HealthLook]:
    watched = settings.service(name)
    async with places, http_client(watched.look.connect_timeout_s) as client:
        return name, await health_look(client, watched)


def _is_old(settings: RunbookSettings, name: str) -> bool:
    """Say whether a neighbor's trouble is its own; a ledger that cannot be read does not say so."""
    ledger, _ = ledger_or_fault(settings.ledger(name))
    return has_trouble_of_its_own(ledger, name, datetime.now(UTC))
