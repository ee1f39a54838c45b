"""Draft the follow-ups of an incident: who owns what, and which fact asks for it. A person decides."""

from collections.abc import Iterable
from typing import NamedTuple

from tasks.model.checks.checks import Check, CheckStatus
from tasks.model.diagnosis.diagnosis import Audience, Cause
from tasks.model.incidents.incident import Outcome
from tasks.model.postmortem.postmortem import PostmortemCase
from tasks.rules.postmortem.actions import actions_taken, refusals
from tasks.rules.postmortem.durations import acknowledged, detection_s, lasted
from tasks.rules.postmortem.impact import impact_of

SLOW_DETECTION_S = 120.0
T2, T3 = Audience.TIER_2, Audience.TIER_3
VENUE = (T3, "Take it up with the venue or its network, with the times and the samples above.")
DEFECT = (T2, "Hold the defect of the release with a test that fails without the fix.")
INSTRUMENT = (T3, "Fix the instrument: while it is out, nobody sees the next incident.")
# What each cause asks for; a test holds that none is missing.
REMEDIES: dict[Cause, tuple[Audience, str]] = {
    Cause.SERVICE_HUNG: (T2, "Find what the service waited for, from the stacks in the evidence, and remove the wait."),
    Cause.SERVICE_DOWN: (T2, "Find why the process ended, from its last lines, and hold it with a test."),
    Cause.CRASH_LOOP: DEFECT,
    Cause.BAD_RELEASE: DEFECT,
    Cause.BAD_FEATURE: (T2, "Fix the feature, and try it on one asset class before it is switched on again."),
    Cause.DEPENDENCY_UNREACHABLE: VENUE,
    Cause.GATEWAY_FAILING: VENUE,
    Cause.ROUTING_MISCONFIGURED: (T2, "Find how the wrong table came into force, and refuse the like before it loads."),
    Cause.RESOURCE_EXHAUSTED: (T2, "Find what leaks; a restart only puts it off."),
    Cause.INFRASTRUCTURE: (T3, "Fix the machine beneath, and watch its room, its clock and its cores."),
    Cause.OBSERVABILITY_FAULT: INSTRUMENT,
    Cause.MONITOR_BLIND: INSTRUMENT,
    Cause.CLIENT_MISBEHAVIOUR: (Audience.DESK, "Bound the strategy's order rate at its source."),
    Cause.UNKNOWN: (T2, "Find the cause, and give the diagnosis a rule for it."),
}


class Draft(NamedTuple):
    """One draft: its owner, what to do, and the fact behind it."""

    owner: Audience
    what: str
    why: str


def follow_ups(case: PostmortemCase) -> tuple[Draft, ...]:
    """Draft what each cause asks for, then what our own doing showed, then the code that came of it."""
    return (*map(_of_cause, case.incident.causes), *_of_story(case), *_as_code(case))


def _of_cause(cause: Cause) -> Draft:
    owner, what = REMEDIES[cause]
    return Draft(owner, what, f"cause {cause.value.replace('_', ' ')}")


def _of_story(case: PostmortemCase) -> Iterable[Draft]:
    detected_s = detection_s(case)
    if detected_s > SLOW_DETECTION_S:
        why = f"it took {lasted(detected_s)} to detect"
        yield Draft(Audience.TIER_3, "Detect the first sign sooner: accept a check for it.", why)
    if acknowledged(case) is None and case.messages:
        yield Draft(Audience.TIER_1, "See that the page reaches the person on call.", "nobody acknowledged it")
    yield from _of_actions(case)
    unknown = impact_of(case).unknown_last_count
    if unknown:
        what = "Reconcile the orders whose outcome was not proven, by their ids, with the gateway."
        yield Draft(Audience.TIER_2, what, f"{unknown} were left in the last run")


def _of_actions(case: PostmortemCase) -> Iterable[Draft]:
    for one in actions_taken(case):
        name = one.action.replace("_", " ")
        if one.outcome == Outcome.NOT_RECOVERED:
            yield Draft(
                Audience.TIER_2, f"Find why {name} did not help, and whether it should be tried at all.", one.detail
            )
        elif one.outcome in {None, Outcome.UNKNOWN}:
            yield Draft(Audience.TIER_2, f"Find out what became of {name}; its end is not known.", one.detail)
    for refusal in refusals(case):
        yield Draft(Audience.TIER_1, f"Say whether the refusal {refusal.code} was right.", refusal.detail)


def _as_code(case: PostmortemCase) -> Iterable[Draft]:
    for check in case.checks:
        is_ours = check.incident_id == case.incident.incident_id
        yield Draft(check.owner, _decide(check, is_ours=is_ours), check.because[0] if check.because else "")
    if not case.checks and not case.incident.is_open:
        why = "no number that the runs measure stood out from the hour before"
        yield Draft(Audience.TIER_2, "Find what would have shown it earlier, and monitor that.", why)
    if case.regression:
        what = "Correct the expected cause in the fixture, should the automation have named the wrong one."
        yield Draft(Audience.TIER_2, what, f"runbook replay runs {case.regression}")
    elif not case.incident.is_open:
        what = "Write down what the evidence was; there is no fixture that replays this incident."
        yield Draft(Audience.TIER_1, what, "no evidence of a run that saw it was kept")


def _decide(check: Check, *, is_ours: bool) -> str:
    match check.status:
        case CheckStatus.DRAFT:
            return f"Decide on the draft check: runbook checks show {check.check_id}, then accept or reject."
        case CheckStatus.ACCEPTED:
            was = "is on" if is_ours else "was on before; see whether it fired early enough"
            return f"The check {check.check_id} {was}."
        case CheckStatus.REJECTED:
            return f"The check {check.check_id} is rejected{'' if is_ours else ', and it came again; think again'}."
