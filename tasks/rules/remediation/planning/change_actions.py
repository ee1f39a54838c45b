"""What takes a bad change back: the routing table, a feature, a release (§2.2, §2.3)."""

from tasks.model.diagnosis.diagnosis import Kind, Status
from tasks.model.incidents.incident import Action
from tasks.model.probes.history import PastObservation
from tasks.model.probes.orders import AssetClass
from tasks.model.remediation.plan import Due, PlannedAction, Target
from tasks.rules.remediation.guards.guard_inputs import GuardInputs
from tasks.rules.remediation.guards.roll_back import why_not_good
from tasks.rules.remediation.planning.propose import Trouble, instead, is_paused, pause
from tasks.rules.remediation.planning.service_actions import pause_all

Actions = tuple[PlannedAction, ...]


def restore_routing(trouble: Trouble) -> Actions:
    """Put the last good table back; a class that stays without its route is paused. Never restart (FAULTS 19).

    Runbook: §2.2 Confirm router configuration and the asset-class routing rules.
    Steps: a service that refuses to start with its table takes no order to restore it; a person does, on disk.
    """
    if Kind.START_REFUSED in trouble.finding.kinds:
        return ()
    wanted = trouble.wants(Action.RESTORE_ROUTING, good_table(trouble))
    names = [name for name in trouble.finding.asset_classes if not is_paused(trouble.inputs, name)]
    return (wanted, *(instead(pause(trouble, name), Due.IF_NOT_DONE, wanted) for name in names))


def good_table(trouble: Trouble) -> Target:
    """Find the last table that our own checks saw serve: its hash, and the gateways that it gave.

    Steps: a broken file beside a table that serves needs that very table; else the last one of a healthy check; else
    the release's own.
    """
    routing, inputs = trouble.inputs.latest.routing, trouble.inputs
    if set(trouble.finding.kinds) == {Kind.LATENT} and routing is not None:
        return Target(table_hash=routing.table_hash)
    bad = routing.table_hash if routing else None
    good = next((one for one in reversed(inputs.evidence.context.history) if _served_well(one, trouble, bad)), None)
    routes = _routes_of(trouble, good)
    shipped = routing.shipped_hash if routing else None
    return Target(table_hash=(good.table_hash if good else None) or shipped, routes=routes)


def _served_well(past: PastObservation, trouble: Trouble, bad: str | None) -> bool:
    has_all = all(name in past.routes for name in trouble.finding.asset_classes)
    return past.status == Status.OK and has_all and past.table_hash != bad


def _routes_of(trouble: Trouble, good: PastObservation | None) -> dict[AssetClass, str]:
    shipped = trouble.inputs.capabilities.shipped_routes
    known = {**shipped, **(good.routes if good else {})}
    return {name: known[name] for name in trouble.finding.asset_classes if name in known}


def disable_feature(trouble: Trouble) -> Actions:
    """Switch the feature off that broke its asset class, rather than roll the release back (safety rule 7).

    Runbook: §2.3 Disable the new feature.
    """
    if trouble.finding.feature is None:
        return ()
    wanted = trouble.wants(Action.DISABLE_FEATURE, Target(feature=trouble.finding.feature))
    names = [name for name in trouble.finding.asset_classes if not is_paused(trouble.inputs, name)]
    return (wanted, *(instead(pause(trouble, name), Due.IF_INEFFECTIVE, wanted) for name in names))


def roll_back(trouble: Trouble) -> Actions:
    """Roll back to the last release that was seen healthy; worse afterwards means halt, not a deeper rollback.

    Runbook: §2.3 Roll back to the previous release if there is one.
    """
    wanted = trouble.wants(Action.ROLL_BACK_RELEASE, Target(release=good_release(trouble)))
    return (wanted, *(instead(one, Due.IF_INEFFECTIVE, wanted) for one in pause_all(trouble)))


def good_release(trouble: Trouble) -> str | None:
    """Find the release to go back to: not the blamed one, nor the one that runs."""
    return last_good_release(trouble.inputs, frozenset({trouble.finding.release, trouble.inputs.latest.health.release}))


def last_good_release(inputs: GuardInputs, but: frozenset[str | None]) -> str | None:
    """Find the release, but for some, that is known to be good; of several the one that ran last.

    Where none is, the one that ran last, so that its refusal is shown.
    """
    past = reversed(inputs.evidence.context.history)
    ran = tuple(dict.fromkeys(one.release for one in past if one.release is not None and one.release not in but))
    good = (one for one in ran if one in inputs.capabilities.releases and why_not_good(inputs, one) is None)
    return next(good, next(iter(ran), None))
