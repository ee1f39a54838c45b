"""A person's own action: what is about to be done, what came of it, and which guards were overridden."""

from tasks.model.diagnosis.diagnosis import Audience
from tasks.model.incidents.incident import ActionRecord, Outcome
from tasks.model.messages.messages import Message
from tasks.model.remediation.operator_action import ManualAction, ManualActionStory
from tasks.model.remediation.plan import Plan, PlannedAction
from tasks.model.remediation.remediation import ActionResult, RemediationResult
from tasks.model.remediation.verdicts import GuardCode
from tasks.rules.incidents.message_keys import CLOSED, RECOVERED
from tasks.rules.incidents.tiers import tier_of
from tasks.rules.messages.desk import desk_clock
from tasks.rules.messages.outcome import GOOD, all_desk_words, at_least_tier_2, changed_words, desk_words, story_words
from tasks.rules.messages.templates import capitalized, ending, escalation_text, message_of, one_line
from tasks.rules.remediation.operator_action import ends_with_order
from tasks.rules.remediation.planning.due import ends_incident
from tasks.rules.remediation.planning.plan_markdown import plan_lines

BAD = frozenset({Outcome.UNKNOWN, Outcome.NOT_RECOVERED})


def announcement(story: ManualActionStory, plan: Plan) -> tuple[Message, ...]:
    """Write what a person is about to do, and by which guard it may or may not be done.

    Runbook: §3.1, before anything is done.
    """
    incident = story.incident
    what = " and ".join(one.words for one in plan.actions) or story.manual_action.action.replace("_", " ")
    lines = "\n".join(plan_lines(plan.actions, brief=True)) or "Nothing to do."
    text = f"{_by(story)}: {what}.{_reason(story)}\nPlan:\n{lines}\n{_ending(story)}"
    return (message_of(incident, tier_of(incident.tier), _about(plan), text),)


def outcome_messages(story: ManualActionStory, plan: Plan, result: RemediationResult) -> tuple[Message, ...]:
    """Write what came of a manual action, to the tier that takes over and to the desk.

    Runbook: §3.1, §3.2, §4.1.
    """
    done = result.actions
    is_bad = any(one.proven in BAD for one in done)
    came = _outcome(result, story.manual_action.service)
    said = f"{_by(story)}: {came}{_reason(story)}{_overridden(done)} {_ending(story)}"
    if is_bad:
        zone = story.evidence.context.desk_time_zone
        said = f"{escalation_text(story.incident.opened_at, result.detail, zone)}\n{said}"
    tier = tier_of(story.incident.tier)
    tier_message = message_of(
        story.incident, at_least_tier_2(tier) if is_bad else tier, _end_about(story, plan, result), said
    )
    as_of = max((one.ended_at for one in done if one.ended_at), default=None)
    return tuple(one.model_copy(update={"as_of": as_of}) for one in (tier_message, *_desk(story, plan, result)))


def outcome_line(story: ManualActionStory, result: RemediationResult) -> str:
    """Say in one line what came of a manual action, for the one who asked for it."""
    what = story.manual_action.action.replace("_", " ")
    refused = f" {result.code}:" if result.code and result.outcome is Outcome.REFUSED else ""
    return f"{story.manual_action.service}: {what}: {result.outcome.words}.{refused} {result.detail}".strip()


def interrupted_line(order: ManualAction, begun: ActionRecord | None) -> str:
    """Say what an interrupted order leaves behind, as the ledger has it, and what to do next."""
    what = order.action.replace("_", " ")
    if begun is None:
        return f"Interrupted: nothing of {what} was begun."
    began = f"{what} began at {desk_clock(begun.started_at)}"
    if begun.is_half_done:
        return f"Interrupted: {began}, and its end is not known; check the service, then `runbook rearm`."
    words = Outcome(begun.outcome).words if begun.outcome in set(Outcome) else "end not known"
    return f"Interrupted: {began}: {words}, and not followed up; `runbook check` says how the service is."


def passed_guards(actions: tuple[PlannedAction, ...]) -> tuple[GuardCode, ...]:
    """List the guards that forbade something and were overridden, each once."""
    return tuple(dict.fromkeys(code for one in actions for code in one.verdict.passed_by))


def _by(story: ManualActionStory) -> str:
    return f"Manual action by {story.manual_action.asked.by}"


def _ending(story: ManualActionStory) -> str:
    return ending(story.incident, story.evidence.context.mode)


def _about(plan: Plan) -> str:
    return f"by-hand-{plan.written_at:%Y%m%dT%H%M%S.%fZ}"


def _end_about(story: ManualActionStory, plan: Plan, result: RemediationResult) -> str:
    """Say what the last message is about: one that reports the end is not followed by another one that does."""
    if ends_with_order(result, is_new=story.is_new):
        return CLOSED
    recovered = any(one.proven is Outcome.RECOVERED and ends_incident(one.planned) for one in result.actions)
    return RECOVERED if recovered else f"{_about(plan)}-ended"


def _outcome(result: RemediationResult, service: str) -> str:
    if result.actions:
        return story_words(result.actions, service)
    return f"No action taken: {result.detail} ({result.code})." if result.code else f"{result.detail}."


def _reason(story: ManualActionStory) -> str:
    """Say why a person wanted it: who reads of a halt must not have to ask around."""
    return f" Reason: {one_line(story.manual_action.asked.reason).rstrip('.')}."


def _overridden(done: tuple[ActionResult, ...]) -> str:
    begun = tuple(one.planned for one in done if one.started_at is not None)
    codes = passed_guards(begun)
    return f" Guards overridden: {', '.join(codes)}." if codes else ""


def _desk(story: ManualActionStory, plan: Plan, result: RemediationResult) -> tuple[Message, ...]:
    """Notify the desk of what a person changed for it, also where that lasted a moment; not where nothing began."""
    begun = tuple(
        one for one in result.actions if one.outcome is not Outcome.REFUSED or one.code is GuardCode.HALTED_AGAIN
    )
    if not begun:
        return ()
    for_desk = [one for one in begun if one.proven in GOOD and one.code is None and desk_words(one)]
    words = (all_desk_words(for_desk), *(_desk_words(one) for one in begun if one not in for_desk))
    text = f"{' '.join(filter(None, words))} {_by(story)}.{_reason(story)}{_overridden(begun)}"
    about = CLOSED if ends_with_order(result, is_new=story.is_new) else f"{_about(plan)}-ended"
    return (message_of(story.incident, Audience.DESK, about, text),)


def _desk_words(one: ActionResult) -> str:
    if one.code is GuardCode.HALTED_AGAIN:
        return f"{capitalized(one.planned.target.words)} was resumed and is halted again: {one_line(one.detail)}."
    if one.proven in GOOD:
        return f"{changed_words(one.planned)}{' and works again' if one.proven is Outcome.RECOVERED else ''}."
    if one.proven is Outcome.UNKNOWN:
        return f"{capitalized(one.planned.words)}, {one.proven.words}."
    return f"{capitalized(one.planned.words)} did not help. Engineers are working on it."
