"""Ask people to lift what is still in force once its reason is gone, and remind them until somebody does."""

from datetime import datetime

from tasks.model.diagnosis import Audience
from tasks.model.in_force import Held, Restriction
from tasks.model.incident import IncidentState
from tasks.model.messages import Message
from tasks.model.report import TriageStory
from tasks.rules.headline import held_now, liftable
from tasks.rules.hysteresis import keeps_open
from tasks.rules.in_force import in_force_words
from tasks.rules.times import utc_text
from tasks.rules.wording import command_line, head, message_of

REMINDER = "resume"
RESUME_WITH = {
    Held.TRADING: "`runbook resume {} --reason …`",
    Held.STRATEGY: "`runbook resume --strategy {} --reason …`",
    Held.GATEWAY: "`runbook resume --gateway {} --reason …`",
    Held.ROUTE: "`remediation/resume` in the Prefect UI takes the re-route of {} back",
    Held.FEATURE: "feature {} is switched on at the control plane once it is fixed",
}


def resume_messages(story: TriageStory) -> tuple[Message, ...]:
    """Ask on-call and the desk whether what is in force should be lifted, at once and again at each reminder.

    Runbook: §2.2, after the pause; §4.1.
    Errors: none; while a maintenance window is open nobody is asked.
    """
    context = story.evidence.context
    if context.maintenance:
        return ()
    held = held_now(story.evidence, story.remediation)
    every_s = context.limits.resume_reminder_s
    return tuple(
        message
        for incident in story.incidents.held
        if (kept := keeps_open(incident, held))
        for message in _asked(incident, kept, story, _slot(incident, context.looked_at, every_s))
        if message.key not in incident.told
    )


def _asked(
    incident: IncidentState, kept: tuple[Restriction, ...], story: TriageStory, slot: int
) -> tuple[Message, ...]:
    since = _over_since(incident, story.evidence.context.looked_at)
    over = f" (over since {utc_text(since)})" if since else ""
    gone = tuple(dict.fromkeys(why for one in kept if (why := liftable(one, story.diagnosis, story.evidence.latest))))
    why = f"{'. '.join(gone)}{over}." if gone else f"Its trouble is over{f' since {utc_text(since)}' if since else ''}."
    orders = tuple(one for one in kept if one.kind is not Held.FEATURE)
    told = in_force_words(kept)
    page = f"{head(incident, story.evidence.context.mode)} {told} {why} {_how(kept)}"
    desk = f"{in_force_words(orders)} {why} Cancels still go through. On-call is asked whether to resume."
    about = f"{REMINDER}-{slot}"
    return (
        message_of(incident, Audience.TIER_1, about, page),
        *((message_of(incident, Audience.DESK, about, desk),) if orders else ()),
    )


def _how(kept: tuple[Restriction, ...]) -> str:
    ways = dict.fromkeys(RESUME_WITH[one.kind].format(command_line(one.name)) for one in kept)
    return f"Resume? A person decides: {'; '.join(ways)}. It stays as it is until then, and this comes again."


def _slot(incident: IncidentState, now: datetime, every_s: float) -> int:
    """Number the reminders; without a time to count from, as after a clock was set back, by the clock itself."""
    since = _over_since(incident, now)
    return int((now - since).total_seconds() // every_s) if since else int(now.timestamp() // every_s)


def _over_since(incident: IncidentState, now: datetime) -> datetime | None:
    """Say since when its trouble is over; a time that is still to come says nothing."""
    return next((at for at in (incident.recovered_at, incident.opened_at) if at is not None and at <= now), None)
