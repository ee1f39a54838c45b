"""§1 for several services: one look at each, all at once; the page for those that are not plainly well."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from tasks.look_at_services import look_at_services
from tasks.model.rounds import OwnTriage, RoundLooks, RoundRequest, RoundStory, Start
from tasks.resend import resend
from tasks.rules.rounds import mode_here, seen_to
from tasks.start_triages import start_triages
from tasks.write_round import write_round

Triage = Callable[..., Awaitable[Any]]
# Where no worker can give each a process of its own.
HERE_AT_ONCE_COUNT = 2
HERE_S = 300.0


async def triage_round(request: RoundRequest, triage: Triage) -> str:
    """Look at every service, each for itself, and let each that needs it have a triage of its own.

    Runbook: §1 Initial triage, for every service of this host.
    Errors: one service that hangs, breaks or blocks is told, and delays no other.
    """
    looks = await look_at_services(request)  # §1.1, §1.2, §1.3, §1.4
    triages = await start_triages(request, looks)  # §1 to §5
    if looks.unsent_count:
        resend()  # §4.1, §4.2
    triages = await triaged_here(request, looks, triages, triage)
    return await write_round(RoundStory(request=request, looks=looks, triages=triages))


async def triaged_here(
    request: RoundRequest, looks: RoundLooks, triages: tuple[OwnTriage, ...], triage: Triage
) -> tuple[OwnTriage, ...]:
    """Go down the page in this very run for those that nobody else can see to.

    Runbook: §1 Initial triage.
    """
    places, mode = asyncio.Semaphore(HERE_AT_ONCE_COUNT), mode_here(request, looks)

    async def ended(one: OwnTriage) -> OwnTriage:
        if one.start is not Start.HERE:
            return one
        async with places:
            asked = {**request.parameters(one.service), "mode": mode}
            try:
                state = await asyncio.wait_for(triage(**asked, return_state=True), HERE_S)
            except TimeoutError:
                return seen_to(one, f"no end within {HERE_S:g} s")
            return seen_to(one, state.name)

    return tuple(await asyncio.gather(*(ended(one) for one in triages)))
