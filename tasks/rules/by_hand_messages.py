"""The words about a person's own order: what is about to be done, what it came to, and which guards were passed by."""

from tasks.model.by_hand import HandStory
from tasks.model.diagnosis import Audience
from tasks.model.incident import Action, Outcome
from tasks.model.messages import Message
from tasks.model.plan import Plan, PlannedAction
from tasks.model.remediation import ActionResult, RemediationResult
from tasks.model.verdicts import GuardCode
from tasks.rules.by_hand_incident import ends_with_order
from tasks.rules.message_keys import CLOSED, RECOVERED
from tasks.rules.planning.due import ends_incident
from tasks.rules.planning.markdown import plan_lines
from tasks.rules.remediation_messages import GOOD, at_least_tier_2, desk_words, story_words
from tasks.rules.tiers import tier_of
from tasks.rules.wording import escalation_text, head, message_of, one_line

BAD = frozenset({Outcome.UNKNOWN, Outcome.NOT_RECOVERED})


def announcement(story: HandStory, plan: Plan) -> tuple[Message, ...]:
    """Write what a person is about to do, and by which guard it may or may not be done.

    Runbook: §3.1, before anything is done.
    """
    incident, asked = story.incident, story.instruction.asked
    lines = "\n".join(plan_lines(plan.actions)) or "nothing to do"
    text = f"{_head(story)} {asked.by} orders by hand: {one_line(asked.reason)}\nPlan:\n{lines}"
    return (message_of(incident, tier_of(incident.tier), _about(plan), text),)


def outcome_messages(story: HandStory, plan: Plan, result: RemediationResult) -> tuple[Message, ...]:
    """Write what an order by hand came to, to the tier that goes on from there and to the desk.

    Runbook: §3.1, §3.2, §4.1.
    """
    done = result.actions
    is_bad = any(one.proven in BAD for one in done)
    said = f"{_head(story)} By hand, {story.instruction.asked.by}: {_told(result)}{_reason(story)}{_passed_words(done)}"
    if is_bad:
        zone = story.evidence.context.desk_time_zone
        said = f"{escalation_text(story.incident.opened_at, result.detail, zone)}\n{said}"
    tier = tier_of(story.incident.tier)
    tier_message = message_of(
        story.incident, at_least_tier_2(tier) if is_bad else tier, _ending(story, plan, result), said
    )
    as_of = max((one.ended_at for one in done if one.ended_at), default=None)
    return tuple(one.model_copy(update={"as_of": as_of}) for one in (tier_message, *_desk(story, plan, result)))


def outcome_line(story: HandStory, result: RemediationResult) -> str:
    """Say in one line what an order by hand came to, for the one who gave it."""
    what = story.instruction.action.replace("_", " ")
    refused = f" {result.code}:" if result.code and result.outcome is Outcome.REFUSED else ""
    return f"{story.instruction.service}: {what} by hand: {result.outcome.words}.{refused} {result.detail}".strip()


def passed_guards(actions: tuple[PlannedAction, ...]) -> tuple[GuardCode, ...]:
    """List the guards that forbade something and were passed by, each once."""
    return tuple(dict.fromkeys(code for one in actions for code in one.verdict.passed_by))


def _head(story: HandStory) -> str:
    return head(story.incident, story.evidence.context.mode)


def _about(plan: Plan) -> str:
    return f"by-hand-{plan.written_at:%Y%m%dT%H%M%SZ}"


def _ending(story: HandStory, plan: Plan, result: RemediationResult) -> str:
    """Say what the last message is about: one that tells of the end is not followed by another one that does."""
    if ends_with_order(result, is_new=story.is_new):
        return CLOSED
    healed = any(one.proven is Outcome.RECOVERED and ends_incident(one.planned) for one in result.actions)
    return RECOVERED if healed else f"{_about(plan)}-ended"


def _told(result: RemediationResult) -> str:
    if result.actions:
        return story_words(result.actions)
    return f"No action was taken, {result.code}: {result.detail}." if result.code else f"{result.detail}."


def _reason(story: HandStory) -> str:
    """Say why a person wanted it: who reads of a pause must not have to ask around."""
    return f" Reason: {one_line(story.instruction.asked.reason).rstrip('.')}."


def _passed_words(done: tuple[ActionResult, ...]) -> str:
    begun = tuple(one.planned for one in done if one.started_at is not None)
    codes = passed_guards(begun)
    return f" Guards passed by: {', '.join(codes)}." if codes else ""


def _desk(story: HandStory, plan: Plan, result: RemediationResult) -> tuple[Message, ...]:
    """Tell the desk what a person changed for it, also where that lasted a moment; nothing where nothing was begun."""
    begun = tuple(
        one for one in result.actions if one.outcome is not Outcome.REFUSED or one.code is GuardCode.HALTED_AGAIN
    )
    if not begun:
        return ()
    words = " ".join(_desk_sentence(one) for one in begun)
    text = f"{words} Done by hand by {story.instruction.asked.by}.{_reason(story)}{_passed_words(begun)}"
    about = CLOSED if ends_with_order(result, is_new=story.is_new) else f"{_about(plan)}-ended"
    return (message_of(story.incident, Audience.DESK, about, text),)


def _desk_sentence(one: ActionResult) -> str:
    if one.code is GuardCode.HALTED_AGAIN:
        return f"{one.planned.target.words.capitalize()} was resumed and is halted again: {one_line(one.detail)}."
    if one.proven in GOOD:
        return desk_words(one) or f"{_changed(one)}{' and works again' if one.proven is Outcome.RECOVERED else ''}."
    if one.proven is Outcome.UNKNOWN:
        return f"{one.planned.words.capitalize()}, {one.proven.words}."
    return f"{one.planned.words.capitalize()} did not help; people are at it."


def _changed(one: ActionResult) -> str:
    target = one.planned.target
    match one.action:
        case Action.RESTART_SERVICE:
            return "The order service was restarted"
        case Action.ROLL_BACK_RELEASE:
            return f"The order service runs release {target.release} again"
        case Action.MARK_DEGRADED:
            return f"Gateway {target.gateway} is marked degraded; it still takes orders"
        case _:
            return one.planned.words.capitalize()
