"""Mark one gateway degraded at the control plane."""

from tasks.clients.service import control
from tasks.model.incidents.incident import Outcome
from tasks.model.probes.control import MARKED, GatewayState
from tasks.model.probes.probes import HealthProbe, RoutingProbe
from tasks.rules.diagnosis.causes.gateway_signs import dependency_of
from tasks.work.remediation.control_effect import changed
from tasks.work.remediation.execute import ActionContext, ActionOutcome


async def marked(context: ActionContext) -> ActionOutcome:
    """Mark the gateway, and see that the service's own health shows it.

    Steps: one that somebody has disabled stays so: a degraded one takes orders again.
    """
    gateway = context.planned.target.gateway or ""
    now = dependency_of(context.inputs.latest, gateway)
    if now is not None and GatewayState.DISABLED in {now.set_to, now.status}:
        return ActionOutcome(outcome=Outcome.DONE, detail=f"gateway {gateway} is disabled already; nothing was sent")

    def shows(health: HealthProbe, routing: RoutingProbe) -> bool | None:  # noqa: ARG001
        dependency = next((one for one in health.dependencies if one.name == gateway), None)
        if dependency is None or (dependency.set_to is None and context.service.control is not None):
            return None
        return dependency.status.lower() != "ok" if dependency.set_to is None else dependency.set_to in MARKED

    change = control.set_gateway(context.service, gateway, GatewayState.DEGRADED, context.why)
    return await changed(context.service, change, shows, f"gateway {gateway} marked degraded")
