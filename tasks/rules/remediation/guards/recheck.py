"""The check right before an action: does the very symptom still show, and did anybody see it (safety rules 1 and 2)?"""

from collections.abc import Collection

from tasks.model.diagnosis.diagnosis import Cause, Finding, Kind
from tasks.model.incidents.incident import Action
from tasks.model.probes.processes import ProcessIdentity
from tasks.model.remediation.plan import PlannedAction
from tasks.model.remediation.verdicts import GuardCode, Verdict
from tasks.rules.diagnosis.causes.releases import shows_now
from tasks.rules.diagnosis.causes.resources import memory_presses
from tasks.rules.remediation.guards.guard_inputs import GuardInputs

# These are planned from numbers that were counted over minutes.
TAKES_A_CHANGE_BACK = frozenset({Action.ROLL_BACK_RELEASE, Action.DISABLE_FEATURE})


def recheck(planned: PlannedAction, inputs: GuardInputs, planned_for: ProcessIdentity | None) -> Verdict:
    """Say whether what an action was planned for shows in one more check; a pause and a manual action need none.

    Runbook: §2, before anything is done.
    A blind check says nothing of the service, and so allows nothing.
    Steps:
        1. did the check see anything?
        2. is the process the one that was found hung or gone? one that somebody started since is left alone
        3. the same cause, of the same gateway, class, feature or release
        4. what is found in the numbers of minutes (a release, a feature, memory) must be there now: they hold for a
           while after it has ended
    """
    was = planned.finding
    if was is None or planned.action is Action.PAUSE_STRATEGIES:
        return Verdict.yes()
    blind = inputs.diagnosis.find(Cause.MONITOR_BLIND)
    if blind is not None:
        detail = f"the last check was blind, and blind never acts: {'; '.join(blind.because)}"
        return Verdict.no(GuardCode.BLIND, detail)
    found = inputs.diagnosis.find(was.cause)
    now = inputs.latest.process_of(planned.target.instance).identity
    replaced = planned.action is Action.RESTART_SERVICE and now != planned_for
    if found is None or replaced or not (_is_meant(planned, was, found) and _shows(planned, was, inputs)):
        return Verdict.no(GuardCode.CLEARED, f"the last check no longer shows it: {inputs.latest.health.detail}")
    return Verdict.yes()


def _shows(planned: PlannedAction, was: Finding, inputs: GuardInputs) -> bool:
    """Say whether what was found over minutes is there at this moment."""
    if planned.action in TAKES_A_CHANGE_BACK:
        return shows_now(inputs.evidence, was.kinds)
    return was.kinds != (Kind.MEMORY,) or memory_presses(inputs.evidence)


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
        case Action.RESTART_SERVICE if target.instance is not None:
            return target.instance in found.instances and _share(was.kinds, found.kinds)
        case _:
            return _share(was.asset_classes, found.asset_classes) and _share(was.kinds, found.kinds)


def _share(before: Collection[object], now: Collection[object]) -> bool:
    return not before or not now or not set(before).isdisjoint(now)
