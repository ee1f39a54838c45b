"""The words about what was done, what was not, and what it came to."""

from collections.abc import Iterable

from tasks.model.diagnosis import Audience, Cause, Finding
from tasks.model.incident import Action, IncidentState, Outcome
from tasks.model.messages import Message
from tasks.model.remediation import ActionResult, RemediationCase, RemediationResult
from tasks.model.report import TriageStory
from tasks.model.verdicts import GuardCode
from tasks.rules.affected_classes import traded_classes
from tasks.rules.class_standing import class_standing
from tasks.rules.message_keys import CAUSE_LEFT, HANDS_OFF
from tasks.rules.tiers import tier_of, tiers_above
from tasks.rules.wording import escalation_text, head, message_of, summary_of

# Automation that is at its end, or must not go on, is for the developer lead; a shared cause is for the platform.
REFUSAL_AUDIENCE: dict[GuardCode | None, Audience] = {
    GuardCode.HALF_DONE_ACTION: Audience.TIER_2,
    GuardCode.RESTART_BUDGET_SPENT: Audience.TIER_2,
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
    """Write what the remediation came to: to the tier that goes on from there, and to the desk what changed for it.

    Runbook: §3.1, §3.2, §4.1.
    """
    result = story.remediation
    if result is None or result.code is GuardCode.LOCK_HELD:
        # Who holds the lock acts, and tells of it.
        return ()
    told = (
        message
        for incident in story.incidents.open
        if (done := tuple(one for one in result.actions if one.planned.incident_id == incident.incident_id))
        for message in (
            *_outcome_unless_hands_off(incident, story, done),
            *_hands_off(incident, story, done),
            *_developers(incident, story, result),
            *_desk(incident, done),
        )
        if message.key not in incident.told
    )
    return tuple(told)


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
    said = f"{head(incident, context.mode)} {story_words(done)}{_answer_words(story)}"
    tier = next((one.planned.finding.tier for one in done if one.planned.finding), Audience.TIER_2)
    if ends & {Outcome.UNKNOWN, Outcome.NOT_RECOVERED}:
        worst = next(one for one in done if one.proven not in GOOD | {Outcome.REFUSED})
        why = summary_of(worst.planned.finding) if worst.planned.finding else worst.planned.why
        text = f"{escalation_text(incident.opened_at, why, context.desk_time_zone)}\n{said}"
        return message_of(incident, at_least_tier_2(tier), f"escalated-{worst.proven}", text)
    if any(one.code is GuardCode.APPROVAL_EXPIRED for one in done):
        # Whoever was asked did not answer: what was not done is for the next tier, also where trading was paused.
        above = (*tiers_above(tier_of(tier)), Audience.TIER_3)
        return message_of(incident, above[0], f"refused-{GuardCode.APPROVAL_EXPIRED}", said)
    if Outcome.RECOVERED in ends:
        return message_of(incident, tier, "recovered", said)
    if Outcome.DONE in ends:
        return message_of(incident, tier, f"done-{_words(one for one in done if one.proven in GOOD)}", said)
    code = done[0].code
    return message_of(incident, REFUSAL_AUDIENCE.get(code, Audience.TIER_1), f"refused-{code}", said)


def _hands_off(incident: IncidentState, story: TriageStory, done: tuple[ActionResult, ...]) -> Iterable[Message]:
    """Say in words that no further restart will come, to those who must act now, and to the desk that it is down.

    Runbook: §3.2; safety rule 4.
    """
    spent = next((one for one in done if one.code is GuardCode.RESTART_BUDGET_SPENT), None)
    if spent is None:
        return
    context, found = story.evidence.context, spent.planned.finding
    state, service = _state_words(found), context.request.service
    said = (
        f"NO FURTHER RESTART WILL COME, {service} {state}: {spent.detail}. Find the cause and start it by hand, "
        "then `runbook rearm --reason …`."
    )
    why = summary_of(found) if found else spent.planned.why
    template = escalation_text(incident.opened_at, why, context.desk_time_zone)
    # Each time that the budget is spent anew is told once.
    plan = story.remediation.plan if story.remediation else None
    about = f"{HANDS_OFF}-{plan.restarts_before_count if plan else 0}"
    yield message_of(incident, Audience.TIER_1, about, f"{said} {head(incident, context.mode)}")
    yield message_of(incident, Audience.TIER_2, about, f"{template}\n{head(incident, context.mode)} {said}")
    standings = (class_standing(story.evidence.latest, name) for name in traded_classes(story.evidence))
    down = ", ".join(one.asset_class for one in standings if not one.trades)
    if down:
        text = f"Not trading: {down}. {service} {state} and is not restarted any more; people are called."
        yield message_of(incident, Audience.DESK, about, text)


def _state_words(found: Finding | None) -> str:
    """Say in a sentence's words what a service is in that is not restarted any more."""
    match found.cause if found else None:
        case None:
            return "is still in trouble"
        case Cause.SERVICE_DOWN:
            return "is down"
        case Cause.SERVICE_HUNG:
            return "hangs"
        case cause:
            return f"is in trouble ({cause.value.replace('_', ' ')})"


def _answer_words(story: TriageStory) -> str:
    """Say who was asked and what came of it."""
    approval = story.remediation.approval if story.remediation else None
    return f" The plan: {approval.words}." if approval else ""


def _developers(incident: IncidentState, story: TriageStory, result: RemediationResult) -> Iterable[Message]:
    """Tell the developers what a restart does not mend: what is used up anew, and what needed one before.

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
    why = f"It is restart {before + 1} of the window" if before else "It will use up as much again"
    template = escalation_text(incident.opened_at, summary_of(found), context.desk_time_zone)
    proof = helped.recovery.detail if helped.recovery else helped.detail
    # It is not failing any more: what the template says is of the time before.
    text = (
        f"{context.request.service} was restarted and recovered: {proof}. {why}: find the cause.\n"
        f"Before the restart: {template}\n{head(incident, context.mode)}"
    )
    yield message_of(incident, Audience.TIER_2, CAUSE_LEFT, text)


def story_words(done: tuple[ActionResult, ...]) -> str:
    """Tell in sentences what was done, what was not, and what it came to."""
    if all(one.outcome is Outcome.REFUSED for one in done):
        first = done[0]
        return f"No action was taken, {first.code}: {first.planned.words}: {first.detail}."
    return " ".join(_sentence(one) for one in done)


def _sentence(one: ActionResult) -> str:
    match one.proven:
        case Outcome.RECOVERED:
            detail = one.recovery.detail if one.recovery else one.detail
            return f"Recovered after {one.planned.words}: {detail}."
        case Outcome.DONE:
            return f"Done: {one.planned.words}: {one.detail}."
        case Outcome.REFUSED:
            return f"Not done, {one.code}: {one.planned.words}: {one.detail}."
        case Outcome.NOT_RECOVERED:
            detail = one.recovery.detail if one.recovery else one.detail
            return f"{one.planned.words} did not help: {detail}."
        case Outcome.UNKNOWN:
            detail = one.recovery.detail if one.recovery else one.detail
            return f"{one.planned.words}, {one.proven.words}: {detail}."


def _desk(incident: IncidentState, done: tuple[ActionResult, ...]) -> Iterable[Message]:
    """Tell the desk what changed for its orders: what is paused, and where new orders go."""
    for one in done:
        words = desk_words(one) if one.proven in GOOD else ""
        if words:
            yield message_of(incident, Audience.DESK, f"desk-{_words([one])}", words)


def rerouted_messages(case: RemediationCase, results: Iterable[ActionResult]) -> tuple[Message, ...]:
    """Tell the desk where new orders go as soon as they do: the proof that it helps may take minutes.

    Runbook: §4.1.
    """
    done = tuple(one for one in results if one.action is Action.REROUTE_ORDERS and one.proven in GOOD)
    return tuple(
        message
        for incident in case.incidents
        for message in _desk(incident, tuple(one for one in done if one.planned.incident_id == incident.incident_id))
    )


def desk_words(one: ActionResult) -> str:
    """Say what an action changed for the desk's orders; nothing where it changed nothing for them."""
    target = one.planned.target
    match one.action:
        case Action.PAUSE_STRATEGIES:
            what = f"Strategy {target.strategy}" if target.strategy else f"Trading in {target.asset_class}"
            return (
                f"{what} is paused ({target.trading_state or 'halted'}). It holds no cancel back. A person resumes it."
            )
        case Action.REROUTE_ORDERS:
            return f"New {target.asset_class} orders go to {target.gateway}. Orders already sent stay where they are."
        case Action.RESUME if target.strategy or target.asset_class:
            what = f"Strategy {target.strategy}" if target.strategy else f"Trading in {target.asset_class}"
            return f"{what} is active again."
        case Action.RESUME:
            return f"Gateway {target.gateway} is no longer marked."
        case Action.DISABLE_FEATURE:
            return f"Feature {target.feature} is switched off."
        case _:
            return ""


def _words(done: Iterable[ActionResult]) -> str:
    return "+".join(f"{one.action}-{one.planned.target.words}".replace(" ", "-") for one in done)


def at_least_tier_2(tier: Audience) -> Audience:
    """Give the developer lead's tier where only the on-call was in charge."""
    return Audience.TIER_2 if tier is Audience.TIER_1 else tier
