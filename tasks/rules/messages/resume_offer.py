"""Ask people to lift what is still in force once its reason is gone, and remind them until somebody does."""

from datetime import datetime

from tasks.model.diagnosis.diagnosis import Audience
from tasks.model.incidents.incident import IncidentState
from tasks.model.messages.messages import Message
from tasks.model.remediation.in_force import Held, Restriction
from tasks.model.reports.report import TriageStory
from tasks.rules.in_force.headline import held_now, liftable
from tasks.rules.in_force.restrictions import in_force_words
from tasks.rules.incidents.action_history import CLOCK_SLACK
from tasks.rules.incidents.hysteresis import keeps_open
from tasks.rules.incidents.planned_windows import is_planned
from tasks.rules.messages.desk import desk_clock
from tasks.rules.messages.templates import command_line, ending, message_of

REMINDER = "resume"
RESUME_WITH = {
    Held.TRADING: "`runbook resume {} --reason …`",
    Held.STRATEGY: "`runbook resume --strategy {} --reason …`",
    Held.GATEWAY: "`runbook resume --gateway {} --reason …`",
    Held.ROUTE: "`runbook reroute {} --reason …`",
    Held.FEATURE: "switch feature {} on at the control plane once it is fixed",
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
        if (kept := keeps_open(incident, held)) and not is_planned(incident, context.planned)
        for message in _asked(incident, kept, story, _slot(incident, context.looked_at, every_s))
        if message.key not in incident.told
    )


def _asked(
    incident: IncidentState, kept: tuple[Restriction, ...], story: TriageStory, slot: int
) -> tuple[Message, ...]:
    since = _over_since(incident, story.evidence.context.looked_at)
    gone = dict.fromkeys(why for one in kept if (why := liftable(one, story.diagnosis, story.evidence.latest)))
    over = f"Its cause has been gone since {desk_clock(since)}." if since else "Its cause is gone."
    why = " ".join((*(f"{one}." for one in gone), over))
    orders = tuple(one for one in kept if one.kind is not Held.FEATURE)
    page = f"{in_force_words(kept)} {why} {_how(kept)} {ending(incident, story.evidence.context.mode)}"
    desk = f"{in_force_words(orders)} {why} Cancels still go through. On-call decides whether to resume."
    about = f"{REMINDER}-{slot}"
    return (
        message_of(incident, Audience.TIER_1, about, page),
        *((message_of(incident, Audience.DESK, about, desk),) if orders else ()),
    )


def _how(kept: tuple[Restriction, ...]) -> str:
    ways = dict.fromkeys(way_back(one) for one in kept)
    return f"To resume: {'; '.join(ways)}. It stays as it is until someone does; this reminder repeats."


def way_back(one: Restriction) -> str:
    """Say what takes a restriction back."""
    return RESUME_WITH[one.kind].format(command_line(one.name))


def _slot(incident: IncidentState, now: datetime, every_s: float) -> int:
    """Number the reminders; without a time to count from, as after a clock was set back, by the clock itself."""
    since = _over_since(incident, now) or (incident.opened_at if incident.opened_at <= now else None)
    return int(max(0.0, (now - since).total_seconds()) // every_s) if since else int(now.timestamp() // every_s)


def _over_since(incident: IncidentState, now: datetime) -> datetime | None:
    """Say since when its trouble is over; `now` is when the run's checks began, and this very run may have seen it.

    A time that is still to come says nothing, and no other time stands in for it.
    """
    at = incident.recovered_at
    return at if at is not None and at <= now + CLOCK_SLACK else None
