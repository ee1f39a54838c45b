"""An action's context at a scripted service: what it asks the control plane is kept, and each end can be played."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tasks.model.diagnosis.limits import RemediationLimits
from tasks.model.probes.control import ControlReason
from tasks.model.probes.orders import AssetClass, SyntheticOrder
from tasks.model.probes.probes import Observation
from tasks.model.remediation.plan import PlannedAction
from tasks.settings import ServiceSettings
from tasks.work.remediation.execute import ActionContext
from tests.fakes.incident.cases import inputs, seen
from tests.fakes.service.scripted import Asked, Script, scripted

WHY = ControlReason(reason="a test", set_by="triage")


@asynccontextmanager
async def scene_at(
    script: Script, planned: PlannedAction, last_look: Observation | None = None
) -> AsyncIterator[tuple[ActionContext, list[Asked]]]:
    """Set the context of one planned action; gives what was asked of the service, too."""
    async with scripted(script) as (url, asked):
        service = ServiceSettings.model_validate(
            {
                "base_url": url,
                "control_token": "t0k3n-of-the-desk",
                "synthetic_orders": {AssetClass.EQUITY: SyntheticOrder(symbol="ZVZZT")},
                "remediation": RemediationLimits(effect_wait_s=0.2),
            }
        )
        found = (planned.finding,) if planned.finding else ()
        yield ActionContext(service, planned, inputs(found=found, seen=last_look or seen()), WHY), asked


def changes_of(asked: list[Asked]) -> list[tuple[str, object]]:
    """List what was changed: where, and to what with which scope."""
    wanted = [one for one in asked if one.method == "PUT"]
    return [
        (one.path, {name: one.fields[name] for name in ("state", "gateway", "scope") if name in one.fields})
        for one in wanted
    ]
