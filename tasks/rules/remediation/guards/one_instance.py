"""The guards of a restart of one instance among several: one at a time, and never the last one that serves."""

from datetime import timedelta

from tasks.model.incidents.incident import Action, ActionRecord, Outcome
from tasks.model.probes.probes import InstanceProbe
from tasks.model.remediation.plan import PlannedAction
from tasks.model.remediation.verdicts import GuardCode, Verdict
from tasks.rules.formats.time import duration_text
from tasks.rules.remediation.guards.guard_inputs import GuardInputs

# What was proven, or what never began, holds no other instance up.
SETTLED = frozenset({Outcome.RECOVERED.value, Outcome.REFUSED.value})


def one_at_a_time(planned: PlannedAction, inputs: GuardInputs) -> Verdict:
    """Restart no instance while another one's restart of a short while ago is not proven to have helped."""
    name = planned.target.instance
    if name is None:
        return Verdict.yes()
    window_s = inputs.capabilities.restart.window_s
    since = inputs.now - timedelta(seconds=window_s)
    open_ones = [one for one in inputs.history.actions if one.started_at > since and _is_of_another(one, name)]
    if not open_ones:
        return Verdict.yes()
    last = open_ones[-1]
    detail = (
        f"expected no other instance restarted in {duration_text(window_s)} without a proven recovery, found "
        f"{last.key} at {last.started_at.isoformat(timespec='seconds')}: {last.outcome or 'its end is not known'}; "
        "check that instance, then `runbook rearm`"
    )
    return Verdict.no(GuardCode.ONE_AT_A_TIME, detail)


def _is_of_another(action: ActionRecord, name: str) -> bool:
    if action.action != Action.RESTART_SERVICE or action.outcome in SETTLED:
        return False
    return f"/{Action.RESTART_SERVICE}/{name}/" not in f"{action.key}/"


def leaves_one_serving(planned: PlannedAction, inputs: GuardInputs) -> Verdict:
    """Never stop the last instance that takes orders; and none where two are in trouble, which is a shared cause.

    Steps: 1. the instance itself must have been seen 2. of the others one must serve, unless they are in trouble as it
    is: then nothing is lost by a restart, and two in trouble are for a person (safety rule 6)
    """
    name, instances = planned.target.instance, inputs.latest.instances
    if name is None:
        return Verdict.yes()
    probe, others = inputs.latest.instance(name), [one for one in instances if one.instance != name]
    if probe is None:
        return Verdict.no(GuardCode.BLIND, f"expected to see instance {name}, found that the last check did not")
    missing = len(inputs.capabilities.instances) - len(instances)
    serving, failing = [one for one in others if one.serves], [one for one in others if one.fails]
    if not serving and not probe.fails:
        return Verdict.no(
            GuardCode.LAST_INSTANCE, f"expected another instance that serves, found none: {_told(others)}"
        )
    if failing:
        detail = f"expected every other instance of {name} to serve, found {_told(failing)}; look for a shared cause"
        return Verdict.no(GuardCode.SHARED_CAUSE, detail)
    if (others and not serving) or missing > 0:
        return Verdict.no(GuardCode.BLIND, f"expected to see the other instances, found {_told(others)}")
    return Verdict.yes(f"{len(serving)} other instances serve")


def _told(probes: list[InstanceProbe]) -> str:
    return "; ".join(f"{one.instance}: {one.health.detail}, process {one.process.state}" for one in probes) or "none"
