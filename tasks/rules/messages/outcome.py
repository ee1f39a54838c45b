"""What was done, what was not, and what came of it."""

from collections.abc import Iterable

from tasks.model.diagnosis.diagnosis import Audience, Cause
from tasks.model.incidents.incident import Action, IncidentState, Outcome
from tasks.model.messages.messages import Message
from tasks.model.remediation.plan import PlannedAction
from tasks.model.remediation.remediation import ActionResult, RemediationCase, RemediationResult
from tasks.model.remediation.verdicts import GuardCode
from tasks.model.reports.report import TriageStory
from tasks.rules.in_force.class_standing import class_standing
from tasks.rules.incidents.message_keys import CAUSE_LEFT, HANDS_OFF
from tasks.rules.incidents.planned_windows import is_planned
from tasks.rules.incidents.tiers import tier_of, tiers_above
from tasks.rules.messages.desk import desk_clock, traded_classes
from tasks.rules.messages.templates import (
    as_one,
    capitalized,
    ending,
    escalation_text,
    incident_failing,
    listed,
    message_of,
    summary_of,
)

# Automation that is at its end, or must not go on, is for the developer lead; a shared cause is for the platform.
REFUSAL_AUDIENCE: dict[GuardCode | None, Audience] = {
    GuardCode.HALF_DONE_ACTION: Audience.TIER_2,
    GuardCode.RESTART_BUDGET_SPENT: Audience.TIER_2,
    GuardCode.BACK_OFF: Audience.TIER_2,
    GuardCode.REMEDIATION_INEFFECTIVE: Audience.TIER_2,
    GuardCode.NOT_CONFIRMED: Audience.TIER_2,
    GuardCode.NOT_AVAILABLE: Audience.TIER_2,
    GuardCode.NOT_RECORDED: Audience.TIER_2,
    GuardCode.ORDERS_NOT_PROVEN: Audience.TIER_2,
    GuardCode.APPROVAL_EXPIRED: Audience.TIER_2,
    GuardCode.NO_GOOD_RELEASE: Audience.TIER_2,
    GuardCode.FEATURES_DIFFER: Audience.TIER_2,
    GuardCode.ROUTING_DIFFERS: Audience.TIER_2,
    GuardCode.ROLLED_BACK_BEFORE: Audience.TIER_2,
    GuardCode.UNDONE_BY_PERSON: Audience.TIER_2,
    GuardCode.SHARED_CAUSE: Audience.TIER_3,
    GuardCode.GATEWAYS_NOT_HEALTHY: Audience.TIER_3,
}
GOOD = frozenset({Outcome.DONE, Outcome.RECOVERED})


def remediation_messages(story: TriageStory) -> tuple[Message, ...]:
    """Write what came of the remediation: to the tier that takes over, and to the desk what changed for it.

    Runbook: §3.1, §3.2, §4.1.
    """
    result = story.remediation
    if result is None or result.code is GuardCode.LOCK_HELD:
        # Who holds the lock acts, and reports it.
        return ()
    by_incident = [
        (incident, done)
        for incident in story.incidents.open
        if (done := tuple(one for one in result.actions if one.planned.incident_id == incident.incident_id))
        and not _is_held(done, story)
    ]
    pages = [
        message
        for incident, done in by_incident
        for message in (
            *_outcome_unless_hands_off(incident, story, done),
            *_hands_off(incident, story, done),
            *_developers(incident, story, result),
        )
        if message.key not in incident.told
    ]
    return (*pages, *_desk(by_incident))


def _is_held(done: tuple[ActionResult, ...], story: TriageStory) -> bool:
    """Say whether planned work alone is concerned, and nothing was done: then nobody is paged."""
    planned = story.evidence.context.planned
    nothing = all(one.outcome is Outcome.REFUSED for one in done)
    return nothing and all(one.planned.finding and is_planned(one.planned.finding, planned) for one in done)


def _outcome_unless_hands_off(
    incident: IncidentState, story: TriageStory, done: tuple[ActionResult, ...]
) -> Iterable[Message]:
    """Leave out a mere refusal where everybody reads in words that no further restart will come: never twice."""
    codes = {one.code for one in done if one.outcome is Outcome.REFUSED}
    if GuardCode.RESTART_BUDGET_SPENT not in codes or any(one.outcome is not Outcome.REFUSED for one in done):
        yield _outcome(incident, story, done)


def _outcome(incident: IncidentState, story: TriageStory, done: tuple[ActionResult, ...]) -> Message:
    """Write one message about the actions of one incident; the worst end decides whom it is for."""
    context, ends = story.evidence.context, {one.proven for one in done}
    said = f"{story_words(done, incident.service)}{_answer_words(story)} {ending(incident, context.mode)}"
    tier = next((one.planned.finding.tier for one in done if one.planned.finding), Audience.TIER_2)
    if ends & {Outcome.UNKNOWN, Outcome.NOT_RECOVERED}:
        worst = next(one for one in done if one.proven not in GOOD | {Outcome.REFUSED})
        why = summary_of(worst.planned.finding) if worst.planned.finding else worst.planned.why
        text = f"{escalation_text(incident.opened_at, why, context.desk_time_zone)}\n{said}"
        return message_of(incident, at_least_tier_2(tier), f"escalated-{worst.proven}", text)
    broken = f"{incident_failing(incident, done[0].planned.finding)}. {said}"
    if any(one.code is GuardCode.APPROVAL_EXPIRED for one in done):
        # Whoever was asked did not answer: what was not done is for the next tier, also where trading was paused.
        above = (*tiers_above(tier_of(tier)), Audience.TIER_3)
        return message_of(incident, above[0], f"refused-{GuardCode.APPROVAL_EXPIRED}", broken)
    if Outcome.RECOVERED in ends:
        return message_of(incident, tier, "recovered", said)
    if Outcome.DONE in ends:
        return message_of(incident, tier, f"done-{_words(one for one in done if one.proven in GOOD)}", broken)
    code = done[0].code
    return message_of(incident, REFUSAL_AUDIENCE.get(code, Audience.TIER_1), f"refused-{code}", broken)


def _hands_off(incident: IncidentState, story: TriageStory, done: tuple[ActionResult, ...]) -> Iterable[Message]:
    """Say in words that no further restart will come, to those who must act now, and to the desk that it is down.

    Runbook: §3.2; safety rule 4.
    """
    spent = next((one for one in done if one.code is GuardCode.RESTART_BUDGET_SPENT), None)
    if spent is None:
        return
    context, found = story.evidence.context, spent.planned.finding
    broken = incident_failing(incident, found)
    said = (
        "NO FURTHER RESTART WILL COME. Find the cause, start it by hand, then `runbook rearm --reason …`. "
        f"Why: {spent.detail}. {ending(incident, context.mode)}"
    )
    why = summary_of(found) if found else spent.planned.why
    template = escalation_text(incident.opened_at, why, context.desk_time_zone)
    # Each time that the budget is spent again is one message.
    plan = story.remediation.plan if story.remediation else None
    about = f"{HANDS_OFF}-{plan.restarts_before_count if plan else 0}"
    yield message_of(incident, Audience.TIER_1, about, f"{broken}. {said}")
    yield message_of(incident, Audience.TIER_2, about, f"{template}\n{said}")
    standings = (class_standing(story.evidence.latest, name) for name in traded_classes(story.evidence))
    down = [one.asset_class for one in standings if not one.trades]
    if down:
        verb = "are" if len(down) > 1 else "is"
        text = (
            f"{capitalized(listed(down))} {verb} not trading. {broken} and will not be restarted automatically. "
            "On-call and the developers have been paged."
        )
        yield message_of(incident, Audience.DESK, about, text)


def _answer_words(story: TriageStory) -> str:
    """Say who was asked and what came of it."""
    approval = story.remediation.approval if story.remediation else None
    return f" Plan: {approval.words}." if approval else ""


def _developers(incident: IncidentState, story: TriageStory, result: RemediationResult) -> Iterable[Message]:
    """Notify the developers of what a restart does not fix: what is used up again, and what needed one before.

    Runbook: §3.2 The root cause looks like code.
    """
    restarts = (one for one in result.actions if one.action is Action.RESTART_SERVICE)
    ours = (one for one in restarts if one.planned.incident_id == incident.incident_id)
    helped = next((one for one in ours if one.proven is Outcome.RECOVERED), None)
    found = helped.planned.finding if helped else None
    before = result.plan.restarts_before_count if result.plan else 0
    if helped is None or found is None or not (before or found.cause is Cause.RESOURCE_EXHAUSTED):
        return
    context = story.evidence.context
    why = f"it is restart {before + 1} of the window" if before else "the new process will use up as much again"
    template = escalation_text(incident.opened_at, summary_of(found), context.desk_time_zone)
    # It is not failing any more: what the template says is of the time before.
    text = (
        f"{context.request.service} was restarted and recovered{_at(helped)}. Find the cause: {why}. "
        f"Proof: {_proof(helped)}.\nBefore the restart: {template}\n{ending(incident, context.mode)}"
    )
    yield message_of(incident, Audience.TIER_2, CAUSE_LEFT, text)


def story_words(done: tuple[ActionResult, ...], service: str) -> str:
    """Report in sentences what was done, what was not, and what came of it; what several classes share in one."""
    if all(one.outcome is Outcome.REFUSED for one in done):
        first = done[0]
        return f"No action taken: {first.planned.words}: {first.detail} ({first.code})."
    changed = [one for one in done if one.proven is Outcome.DONE and desk_words(one)]
    sentences = [_sentence(one, service) for one in done if one not in changed]
    return " ".join(filter(None, (*sentences, all_desk_words(changed))))


def _sentence(one: ActionResult, service: str) -> str:
    words = capitalized(one.planned.words)
    match one.proven:
        case Outcome.RECOVERED:
            subject = capitalized(one.planned.target.asset_class or "") or service
            return f"{subject} recovered{_at(one)} after {one.planned.words}: {_proof(one)}."
        case Outcome.DONE:
            return f"{changed_words(one.planned)}."
        case Outcome.REFUSED:
            return f"Not done: {one.planned.words}: {one.detail} ({one.code})."
        case Outcome.NOT_RECOVERED:
            return f"{words} did not help: {_proof(one)}."
        case Outcome.UNKNOWN:
            return f"{words}, {one.proven.words}: {_proof(one)}."


def _proof(one: ActionResult) -> str:
    return one.recovery.detail if one.recovery else one.detail


def _at(one: ActionResult) -> str:
    return f" at {desk_clock(one.ended_at)}" if one.ended_at else ""


def _desk(by_incident: Iterable[tuple[IncidentState, tuple[ActionResult, ...]]]) -> tuple[Message, ...]:
    """Notify the desk once of all that changed for its orders: what is halted, and where new orders go."""
    new = [
        (one, message)
        for incident, done in by_incident
        for one in done
        if one.proven in GOOD
        and desk_words(one)
        and (message := message_of(incident, Audience.DESK, f"desk-{_words([one])}", "")).key not in incident.told
    ]
    return as_one([message for _, message in new], all_desk_words([one for one, _ in new]))


def rerouted_messages(case: RemediationCase, results: Iterable[ActionResult]) -> tuple[Message, ...]:
    """Notify the desk where new orders go as soon as they do: the proof that it helps may take minutes.

    Runbook: §4.1.
    """
    done = tuple(one for one in results if one.action is Action.REROUTE_ORDERS and one.proven in GOOD)
    return _desk(
        (incident, tuple(one for one in done if one.planned.incident_id == incident.incident_id))
        for incident in case.incidents
    )


def desk_words(one: ActionResult) -> str:
    """Say what an action changed for the desk's orders; nothing where it changed nothing for them."""
    return all_desk_words([one])


def all_desk_words(done: Iterable[ActionResult]) -> str:
    """Say what actions changed for the desk's orders, what several classes share in one sentence."""
    groups: dict[str, list[str]] = {}
    for one in done:
        if sentence := _desk_sentence(one.planned):
            names = groups.setdefault(sentence[1], [])
            names += [] if sentence[0] in names else [sentence[0]]
    return " ".join(capitalized(sentence.format(listed(names))) for sentence, names in groups.items())


def _desk_sentence(planned: PlannedAction) -> tuple[str, str] | None:
    """Name the subject of a sentence to the desk, and the sentence with a place for all subjects that share it."""
    target = planned.target
    subject = target.strategy or target.asset_class or target.gateway or ""
    what = "strategy {}" if target.strategy else "{} trading"
    match planned.action:
        case Action.PAUSE_STRATEGIES:
            state = target.trading_state or "halted"
            return subject, f"{what} is {state}. Cancels still go through. It stays {state} until someone resumes it."
        case Action.REROUTE_ORDERS:
            gateway = (target.gateway or "the table's own gateway").replace("{", "{{").replace("}", "}}")
            return subject, f"New {{}} orders go to {gateway}. Orders already sent stay where they are."
        case Action.RESUME if target.strategy or target.asset_class:
            return subject, f"{what} is active again."
        case Action.RESUME:
            return subject, "Gateway {} is no longer marked."
        case Action.DISABLE_FEATURE:
            return target.feature or "", "Feature {} is switched off."
        case _:
            return None


def changed_words(planned: PlannedAction) -> str:
    """Say what a finished action changed, as a sentence without its full stop."""
    target = planned.target
    match planned.action:
        case Action.RESTART_SERVICE:
            return "The order service was restarted"
        case Action.ROLL_BACK_RELEASE:
            return f"The order service runs release {target.release} again"
        case Action.MARK_DEGRADED:
            return f"{target.gateway} is marked degraded; it still takes orders"
        case Action.RESTORE_ROUTING:
            return "The last good routing table is back"
        case _:
            sentence = _desk_sentence(planned)
            return capitalized(sentence[1].format(sentence[0]).rstrip(".") if sentence else planned.words)


def _words(done: Iterable[ActionResult]) -> str:
    return "+".join(f"{one.action}-{one.planned.target.words}".replace(" ", "-") for one in done)


def at_least_tier_2(tier: Audience) -> Audience:
    """Give the developer lead's tier where only the on-call was in charge."""
    return Audience.TIER_2 if tier is Audience.TIER_1 else tier
