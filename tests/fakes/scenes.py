"""A deed's scene at a scripted service: what it asks the control plane is kept, and each end can be played."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tasks.clients.acting import Scene
from tasks.model.control import ControlReason
from tasks.model.limits import RemediationLimits
from tasks.model.looks import Observation
from tasks.model.orders import AssetClass, SyntheticOrder
from tasks.model.plan import PlannedAction
from tasks.settings import ServiceSettings
from tests.fakes.cases import facts, seen
from tests.fakes.scripted import Asked, Script, scripted

WHY = ControlReason(reason="a test", set_by="triage")


@asynccontextmanager
async def scene_at(
    script: Script, planned: PlannedAction, last_look: Observation | None = None
) -> AsyncIterator[tuple[Scene, list[Asked]]]:
    """Set the scene of one planned action; gives what was asked of the service, too."""
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
        yield Scene(service, planned, facts(found=found, seen=last_look or seen()), WHY), asked


def changes_of(asked: list[Asked]) -> list[tuple[str, object]]:
    """List what was changed: where, and to what with which scope."""
    wanted = [one for one in asked if one.method == "PUT"]
    return [
        (one.path, {name: one.fields[name] for name in ("state", "gateway", "scope") if name in one.fields})
        for one in wanted
    ]
