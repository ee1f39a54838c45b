"""The look right before an action: is the very trouble still there, and did anybody see it (safety rules 1 and 2)?"""

from collections.abc import Collection

from tasks.model.diagnosis import Cause, Finding, Kind
from tasks.model.incident import Action
from tasks.model.plan import PlannedAction
from tasks.model.processes import ProcessIdentity
from tasks.model.verdicts import GuardCode, Verdict
from tasks.rules.causes.releases import shows_now
from tasks.rules.causes.resources import memory_presses
from tasks.rules.guards.facts import Facts

# These are planned from numbers that were counted over minutes.
TAKES_A_CHANGE_BACK = frozenset({Action.ROLL_BACK_RELEASE, Action.DISABLE_FEATURE})


def still_there(planned: PlannedAction, facts: Facts, planned_for: ProcessIdentity | None) -> Verdict:
    """Say whether what an action was planned for shows in one more look; a pause and a person's order need none.

    Runbook: §2, before anything is done.
    Errors: none. A blind look says nothing of the patient, and so allows nothing.
    Steps:
        1. did anybody look?
        2. is the process the one that was found hung or gone? one that somebody started meanwhile is left alone
        3. the same cause, of the same gateway, class, feature or release
        4. what is found in the numbers of minutes (a release, a feature, memory) must be there now: they hold for a
           while after it has ended
    """
    was = planned.finding
    if was is None or planned.action is Action.PAUSE_STRATEGIES:
        return Verdict.yes()
    blind = facts.diagnosis.find(Cause.MONITOR_BLIND)
    if blind is not None:
        detail = f"the last look could not see, and blind never acts: {'; '.join(blind.because)}"
        return Verdict.no(GuardCode.BLIND, detail)
    found = facts.diagnosis.find(was.cause)
    replaced = planned.action is Action.RESTART_SERVICE and facts.latest.process.identity != planned_for
    if found is None or replaced or not (_is_meant(planned, was, found) and _shows(planned, was, facts)):
        return Verdict.no(GuardCode.CLEARED, f"the last look found it otherwise: {facts.latest.health.detail}")
    return Verdict.yes()


def _shows(planned: PlannedAction, was: Finding, facts: Facts) -> bool:
    """Say whether what was found over minutes is there at this moment."""
    if planned.action in TAKES_A_CHANGE_BACK:
        return shows_now(facts.evidence, was.kinds)
    return was.kinds != (Kind.MEMORY,) or memory_presses(facts.evidence)


def _is_meant(planned: PlannedAction, was: Finding, found: Finding) -> bool:
    """Say whether the trouble is that of the action's own target: one gateway's is not another's."""
    target = planned.target
    match planned.action:
        case Action.MARK_DEGRADED:
            return target.gateway in found.gateways
        case Action.REROUTE_ORDERS:
            return target.asset_class in found.asset_classes
        case Action.DISABLE_FEATURE:
            return target.feature == found.feature
        case Action.ROLL_BACK_RELEASE:
            return was.release == found.release
        case _:
            return _share(was.asset_classes, found.asset_classes) and _share(was.kinds, found.kinds)


def _share(before: Collection[object], now: Collection[object]) -> bool:
    return not before or not now or not set(before).isdisjoint(now)
