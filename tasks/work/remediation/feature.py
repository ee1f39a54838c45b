"""Switch off one feature at the control plane."""

from tasks.clients.service import control
from tasks.model.probes.probes import HealthProbe, RoutingProbe
from tasks.work.remediation.control_effect import changed
from tasks.work.remediation.execute import ActionContext, ActionOutcome


async def disabled(context: ActionContext) -> ActionOutcome:
    """Switch the feature off, and see that the service says so."""
    feature = context.planned.target.feature or ""

    def shows(health: HealthProbe, routing: RoutingProbe) -> bool | None:  # noqa: ARG001
        return not routing.features[feature] if feature in routing.features else None

    change = control.set_feature(context.service, feature, context.why, enabled=False)
    return await changed(context.service, change, shows, f"feature {feature} off")
