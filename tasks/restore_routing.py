"""§2.2: put the last good routing table back. No restart, and no route that nobody approved."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.clients import control
from tasks.clients.acting import Done, Scene, carried_out
from tasks.clients.control_effect import Shows, changed
from tasks.model.incident import Outcome
from tasks.model.looks import HealthLook, RoutingLook
from tasks.model.orders import AssetClass
from tasks.model.plan import PlannedAction
from tasks.model.remediation import ActionResult, RemediationCase
from tasks.model.verdicts import GuardCode
from tasks.settings import load_settings


@task(name="restore_routing", cache_policy=NO_CACHE, timeout_seconds=120, retries=0)
async def restore_routing(case: RemediationCase, planned: PlannedAction) -> ActionResult:
    """Put the last good table back, by its hash; where the service cannot, set its routes one by one.

    Runbook: §2.2 Confirm router configuration and the asset-class routing rules.
    Errors: `LEDGER_UNWRITABLE` before anything is done; every end of the change is an outcome.
    """
    return await carried_out(load_settings(), case, planned, restored)


async def restored(scene: Scene) -> Done:
    """Restore the table, and see that it serves and lies on disk."""
    done = await _by_hash(scene)
    if done.outcome is Outcome.REFUSED and scene.planned.target.routes:
        return await _route_by_route(scene)
    return done


async def _by_hash(scene: Scene) -> Done:
    table_hash = scene.planned.target.table_hash
    if table_hash is None:
        detail = "no table was ever seen to serve well; mend the table by hand"
        return Done(outcome=Outcome.REFUSED, detail=detail, code=GuardCode.NO_GOOD_TABLE)

    def shows(health: HealthLook, routing: RoutingLook) -> bool | None:  # noqa: ARG001
        if routing.table_hash is None:
            return None
        return routing.table_hash == table_hash and not routing.file_error and routing.file_hash in {None, table_hash}

    change = control.restore_table(scene.service, table_hash, scene.why)
    return await changed(scene.service, change, shows, f"table {table_hash[:12]}")


async def _route_by_route(scene: Scene) -> Done:
    """Set each route that is known to have been good; the first that cannot be set ends it."""
    routes = scene.planned.target.routes
    for name, gateway in routes.items():
        change = control.set_route(scene.service, name, gateway, scene.why)
        done = await changed(scene.service, change, _route_shows(name, gateway), f"{name} to {gateway}")
        if done.outcome is not Outcome.DONE:
            return done
    told = ", ".join(f"{name} to {gateway}" for name, gateway in routes.items())
    return Done(outcome=Outcome.DONE, detail=f"routes set: {told}; the table on disk is as it was")


def _route_shows(name: AssetClass, gateway: str) -> Shows:
    def shows(health: HealthLook, routing: RoutingLook) -> bool | None:  # noqa: ARG001
        route = routing.route(name)
        return None if route is None else route.gateway == gateway

    return shows
