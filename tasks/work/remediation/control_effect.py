"""Change something through the control plane, and see that it is in force: effect, not status code (safety rule 10)."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from contextlib import closing
from typing import Any

from tasks.clients.service.http import http_client
from tasks.clients.service.instances import instance_of, instances_of
from tasks.clients.service.probes import health_probe
from tasks.clients.service.routing import routing_probe
from tasks.clients.service.who_answers import stranger_at
from tasks.model.incidents.incident import Outcome
from tasks.model.probes.control import ControlAnswer, ControlCode, ControlOutcome
from tasks.model.probes.probes import HealthProbe, RoutingProbe, Seen
from tasks.model.remediation.verdicts import GuardCode
from tasks.rules.service.control_action import all_show
from tasks.settings import ServiceSettings
from tasks.work.remediation.execute import ActionOutcome

AGAIN_S = 0.1
# Says of one check whether the change shows; None where this check cannot say.
Shows = Callable[[HealthProbe, RoutingProbe], bool | None]


async def changed(
    service: ServiceSettings, change: Coroutine[Any, Any, ControlAnswer], shows: Shows, what: str
) -> ActionOutcome:
    """Make one change and say what became of it, by what the service shows afterwards.

    Where a stranger answers, nothing is sent. A change that was answered and does not show, or whose
    answer never came, is *unknown*; one without an answer that shows is done.
    """
    with closing(change):
        stranger = await stranger_at(service)
        if stranger:
            detail = f"{ControlCode.NOT_OUR_SERVICE}: nothing was sent, {stranger}; check the host"
            return ActionOutcome(outcome=Outcome.REFUSED, detail=detail, code=GuardCode.NOT_AVAILABLE)
        answer = await change
    if answer.is_proven:
        return ActionOutcome(outcome=Outcome.DONE, detail=f"{what} is in force")
    match answer.outcome:
        case ControlOutcome.NOT_AVAILABLE:
            return ActionOutcome(outcome=Outcome.REFUSED, detail=answer.detail, code=GuardCode.NOT_AVAILABLE)
        case ControlOutcome.REFUSED:
            return ActionOutcome(
                outcome=Outcome.REFUSED, detail=f"{answer.code}: {answer.detail}", code=GuardCode.NOT_AVAILABLE
            )
        case ControlOutcome.DONE | ControlOutcome.UNKNOWN:
            return _judged(answer, await in_force(service, shows), what)


async def in_force(service: ServiceSettings, shows: Shows) -> bool | None:
    """Check until a change shows, for `effect_wait_s` at most; None where the service never says.

    Of several instances each must show it: behind a common address a change may reach one of them.
    """
    ends_at = time.monotonic() + service.remediation.effect_wait_s
    if instances_of(service):
        each = (in_force(instance_of(service, name), shows) for name in instances_of(service))
        found = await asyncio.gather(*each)
        # One that hangs may come back without the change.
        return False if True in found and None in found else all_show(found)
    seen: bool | None = None
    async with http_client(service.http, service.look.connect_timeout_s) as client:
        while True:
            health, routing = await asyncio.gather(health_probe(client, service), routing_probe(client, service))
            seen = shows(health, routing)
            if seen or routing.seen is Seen.NOT_CONFIGURED or time.monotonic() > ends_at:
                return seen
            await asyncio.sleep(AGAIN_S)


def _judged(answer: ControlAnswer, shown: bool | None, what: str) -> ActionOutcome:
    if shown:
        return ActionOutcome(outcome=Outcome.DONE, detail=f"{what} is in force")
    if answer.is_done and shown is None:
        return ActionOutcome(
            outcome=Outcome.DONE, detail=f"{what}: answered {answer.http_status}; the service does not report it"
        )
    if answer.code == ControlCode.NOT_PROVEN:
        return ActionOutcome(outcome=Outcome.UNKNOWN, detail=f"{what}: {answer.detail}; verify it at the service")
    said = "answered as done and does not show" if answer.is_done else f"no usable answer: {answer.detail}"
    return ActionOutcome(outcome=Outcome.UNKNOWN, detail=f"{what}: {said}; verify it at the service")
