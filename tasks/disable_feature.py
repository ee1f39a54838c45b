"""§2.3: switch off the feature that broke its asset class."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.clients import control
from tasks.clients.acting import Done, Scene, carried_out
from tasks.clients.control_effect import changed
from tasks.model.looks import HealthLook, RoutingLook
from tasks.model.plan import PlannedAction
from tasks.model.remediation import ActionResult, RemediationCase
from tasks.settings import load_settings


@task(name="disable_feature", cache_policy=NO_CACHE, timeout_seconds=120, retries=0)
async def disable_feature(case: RemediationCase, planned: PlannedAction) -> ActionResult:
    """Switch one feature off, once.

    Runbook: §2.3 Or disable the new feature.
    Errors: `LEDGER_UNWRITABLE` before anything is done; every end of the change is an outcome.
    """
    return await carried_out(load_settings(), case, planned, disabled)


async def disabled(scene: Scene) -> Done:
    """Switch the feature off, and see that the service says so."""
    feature = scene.planned.target.feature or ""

    def shows(health: HealthLook, routing: RoutingLook) -> bool | None:  # noqa: ARG001
        return not routing.features[feature] if feature in routing.features else None

    change = control.set_feature(scene.service, feature, scene.why, enabled=False)
    return await changed(scene.service, change, shows, f"feature {feature} off")
