"""§1 for several services: one sweep checks them all at once; those that are not plainly healthy get a triage."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from prefect import State

from flows.forms import completed_as
from tasks.model.fleet.sweep import OwnTriage, Start, SweepObservations, SweepRecord, SweepRequest
from tasks.notify.resend import resend
from tasks.observe.start_triages import start_triages
from tasks.observe.sweep_services import sweep_services
from tasks.record.write_sweep import write_sweep
from tasks.rules.fleet.sweep import mode_in_sweep, sweep_state, with_end

Triage = Callable[..., Awaitable[Any]]
# Where no worker can give each its own process.
HERE_AT_ONCE_COUNT = 2
HERE_S = 300.0


async def triage_sweep(request: SweepRequest, triage: Triage) -> State[Any]:
    """Check every service by itself, and triage each that needs it in a run of its own.

    Runbook: §1 Initial triage, for every service of this host.
    Errors: one service that hangs, breaks or blocks is reported, and delays no other.
    """
    observations = await sweep_services(request)  # §1.1, §1.2, §1.3, §1.4
    triages = await start_triages(request, observations)  # §1 to §5
    if observations.unsent_count:
        resend()  # §4.1, §4.2
    triages = await triaged_here(request, observations, triages, triage)
    story = SweepRecord(request=request, observations=observations, triages=triages)
    return completed_as(sweep_state(observations), await write_sweep(story))


async def triaged_here(
    request: SweepRequest, observations: SweepObservations, triages: tuple[OwnTriage, ...], triage: Triage
) -> tuple[OwnTriage, ...]:
    """Triage, in this very run, the services for which no other run can be started.

    Runbook: §1 Initial triage.
    """
    places, mode = asyncio.Semaphore(HERE_AT_ONCE_COUNT), mode_in_sweep(request, observations)

    async def ended(one: OwnTriage) -> OwnTriage:
        if one.start is not Start.HERE:
            return one
        async with places:
            asked = {**request.parameters(one.service), "mode": mode}
            try:
                state = await asyncio.wait_for(triage(**asked, return_state=True), HERE_S)
            except TimeoutError:
                return with_end(one, f"no end within {HERE_S:g} s")
            return with_end(one, state.name)

    return tuple(await asyncio.gather(*(ended(one) for one in triages)))
