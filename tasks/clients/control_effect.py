"""Change something through the control plane, and see that it is in force: effect, not status code (safety rule 10)."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from contextlib import closing
from typing import Any

from tasks.clients.acting import Done
from tasks.clients.http_exchange import http_client
from tasks.clients.order_service import health_look
from tasks.clients.routing_look import routing_look
from tasks.clients.who_answers import stranger_at
from tasks.model.control import ControlAnswer, ControlCode, ControlOutcome
from tasks.model.incident import Outcome
from tasks.model.looks import HealthLook, RoutingLook, Seen
from tasks.model.verdicts import GuardCode
from tasks.settings import ServiceSettings

AGAIN_S = 0.1
# Says of one look whether the change shows; None where this look cannot say.
Shows = Callable[[HealthLook, RoutingLook], bool | None]


async def changed(
    service: ServiceSettings, change: Coroutine[Any, Any, ControlAnswer], shows: Shows, what: str
) -> Done:
    """Make one change and say what became of it, by what the service shows afterwards.

    Errors: none. Where a stranger answers, nothing is sent. A change that was answered and does not show, or whose
    answer never came, is *unknown*; one without an answer that shows is done.
    """
    with closing(change):
        stranger = await stranger_at(service)
        if stranger:
            detail = f"{ControlCode.NOT_OUR_SERVICE}: nothing was sent, {stranger}; look at the host"
            return Done(outcome=Outcome.REFUSED, detail=detail, code=GuardCode.NOT_AVAILABLE)
        answer = await change
    match answer.outcome:
        case ControlOutcome.NOT_AVAILABLE:
            return Done(outcome=Outcome.REFUSED, detail=answer.detail, code=GuardCode.NOT_AVAILABLE)
        case ControlOutcome.REFUSED:
            return Done(outcome=Outcome.REFUSED, detail=f"{answer.code}: {answer.detail}", code=GuardCode.NOT_AVAILABLE)
        case ControlOutcome.DONE | ControlOutcome.UNKNOWN:
            return _judged(answer, await in_force(service, shows), what)


async def in_force(service: ServiceSettings, shows: Shows) -> bool | None:
    """Look until a change shows, for `effect_wait_s` at most; None where the service never says."""
    ends_at = time.monotonic() + service.remediation.effect_wait_s
    seen: bool | None = None
    async with http_client(service.look.connect_timeout_s) as client:
        while True:
            health, routing = await asyncio.gather(health_look(client, service), routing_look(client, service))
            seen = shows(health, routing)
            if seen or routing.seen is Seen.NOT_CONFIGURED or time.monotonic() > ends_at:
                return seen
            await asyncio.sleep(AGAIN_S)


def _judged(answer: ControlAnswer, shown: bool | None, what: str) -> Done:
    if shown:
        return Done(outcome=Outcome.DONE, detail=f"{what} is in force")
    if answer.is_done and shown is None:
        return Done(outcome=Outcome.DONE, detail=f"{what}: answered {answer.http_status}; the service shows no more")
    said = "answered as done and does not show" if answer.is_done else f"no usable answer: {answer.detail}"
    return Done(outcome=Outcome.UNKNOWN, detail=f"{what}: {said}; look at the service")
