"""§2.1: mark a gateway degraded, so that everybody sees it; it still takes the orders that reach it."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.clients import control
from tasks.clients.acting import Done, Scene, carried_out
from tasks.clients.control_effect import changed
from tasks.model.control import MARKED, GatewayState
from tasks.model.incident import Outcome
from tasks.model.looks import HealthLook, RoutingLook
from tasks.model.plan import PlannedAction
from tasks.model.remediation import ActionResult, RemediationCase
from tasks.rules.causes.gateway_signs import dependency_of
from tasks.settings import load_settings


@task(name="mark_degraded", cache_policy=NO_CACHE, timeout_seconds=120, retries=0)
async def mark_degraded(case: RemediationCase, planned: PlannedAction) -> ActionResult:
    """Mark one gateway degraded, once.

    Runbook: §2.1 If a dependency is unreachable, mark the service degraded.
    Errors: `LEDGER_UNWRITABLE` before anything is done; every end of the change is an outcome.
    """
    return await carried_out(load_settings(), case, planned, marked)


async def marked(scene: Scene) -> Done:
    """Mark the gateway, and see that the service's own health tells of it.

    Steps: one that somebody has disabled stays so: a degraded one takes orders again.
    """
    gateway = scene.planned.target.gateway or ""
    now = dependency_of(scene.facts.latest, gateway)
    if now is not None and GatewayState.DISABLED in {now.set_to, now.status}:
        return Done(outcome=Outcome.DONE, detail=f"gateway {gateway} is disabled already; nothing was sent")

    def shows(health: HealthLook, routing: RoutingLook) -> bool | None:  # noqa: ARG001
        told = next((one for one in health.dependencies if one.name == gateway), None)
        if told is None:
            return None
        return told.status.lower() != "ok" if told.set_to is None else told.set_to in MARKED

    change = control.set_gateway(scene.service, gateway, GatewayState.DEGRADED, scene.why)
    return await changed(scene.service, change, shows, f"gateway {gateway} marked degraded")
