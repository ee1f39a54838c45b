"""What the desk reads again while an incident is not over: how it stands now, and when the next update comes."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from tasks.model.diagnosis.diagnosis import Audience, Status
from tasks.model.incidents.incident import IncidentState, Outcome
from tasks.model.messages.messages import Message
from tasks.model.reports.report import TriageStory
from tasks.rules.escalation.desk_updates import next_update_at, update_is_due, update_number
from tasks.rules.in_force.headline import headline, held_now
from tasks.rules.incidents.hysteresis import same_trouble
from tasks.rules.incidents.message_keys import UPDATE
from tasks.rules.incidents.planned_windows import is_planned
from tasks.rules.messages.desk import class_lines, desk_clock, desk_status
from tasks.rules.messages.recovered import degraded_classes
from tasks.rules.messages.templates import as_one, capitalized, ending, message_of, was_failing


def update_messages(story: TriageStory, said: Iterable[Message] = ()) -> tuple[Message, ...]:
    """Write one update for the desk, of all open incidents that it knows of, once the first of them is due.

    Runbook: §4.1, the ETA of the notice.
    Errors: none; none in a maintenance window, for what planned work alone concerns, nor in a run that notifies the
    desk of something else (`said`).
    """
    context = story.evidence.context
    every_s, now = context.desk_every_s, context.looked_at
    open_ = tuple(one for one in _open_incidents(story) if not is_planned(one, context.planned))
    is_due = any(update_is_due(one, every_s, now) for one in open_)
    if context.maintenance or not is_due or any(one.audience is Audience.DESK for one in said):
        return ()
    known = tuple(one for one in open_ if next_update_at(one, every_s, now))
    until = now + timedelta(seconds=every_s)
    text = f"{_text(known, story)} Next update by {desk_clock(until, context.desk_time_zone)}."
    ends = dict.fromkeys(ending(one, context.mode) for one in known)
    parts = [message_of(one, Audience.DESK, f"{UPDATE}-{update_number(one)}", "") for one in known]
    written = as_one(parts, text, "\n".join((*desk_status(story.evidence), *ends)))
    return tuple(one.model_copy(update={"until": until}) for one in written)


def _open_incidents(story: TriageStory) -> tuple[IncidentState, ...]:
    """List what is open after this run, oldest first; what it did not touch is as it was when it began."""
    update = story.incidents
    latest = {one.incident_id: one for one in (*update.open, *update.held, *update.half_done)}
    before = {one.incident_id: one for one in story.evidence.context.open_incidents}
    over = {one.incident_id for one in update.closed}
    found = [one for name, one in (before | latest).items() if name not in over]
    return tuple(sorted(found, key=lambda one: (one.opened_at, one.incident_id)))


def _text(incidents: tuple[IncidentState, ...], story: TriageStory) -> str:
    evidence = story.evidence
    held = held_now(evidence)
    classes = dict.fromkeys(name for one in incidents for name in degraded_classes(one))
    free = tuple(name for name in classes if held.of_class(name) is None)
    sentences = (
        *(_unseen(one, story) for one in incidents),
        headline(evidence.context.request.service, story.diagnosis, evidence),
        *class_lines(evidence, free),
        *(_last_action(one, story) for one in incidents),
        *dict.fromkeys(_taken(one, story) for one in incidents),
    )
    return " ".join(one for one in sentences if one)


def _unseen(incident: IncidentState, story: TriageStory) -> str:
    """Say of an incident that no finding of this run speaks of what is known; nothing where one does."""
    if any(same_trouble(incident, finding) for finding in story.diagnosis.findings):
        return ""
    began_at = _clock(story, incident.reopened_at or incident.opened_at)
    was = f"{capitalized(was_failing(incident, incident.service))} from {began_at}"
    if incident.recovered_at:
        return f"{was} to {_clock(story, incident.recovered_at)}."
    if story.diagnosis.status is Status.BLIND:
        return f"{was}; how it is now is not known."
    return f"{was}; the last check did not see it, and it is not proven to be over."


def _last_action(incident: IncidentState, story: TriageStory) -> str:
    """Say what was done last; what is in force of it says the headline."""
    action = incident.actions[-1] if incident.actions else None
    if action is None:
        return ""
    outcome = Outcome(action.outcome).words if action.outcome in set(Outcome) else "no end reported yet"
    return f"{capitalized(action.action.replace('_', ' '))} at {_clock(story, action.started_at)}: {outcome}."


def _taken(incident: IncidentState, story: TriageStory) -> str:
    if incident.recovered_at:
        return ""
    if incident.acknowledged_by is None or incident.acknowledged_at is None:
        return "Nobody has acknowledged it yet."
    return f"Acknowledged by {incident.acknowledged_by} at {_clock(story, incident.acknowledged_at)}."


def _clock(story: TriageStory, moment: datetime) -> str:
    return desk_clock(moment, story.evidence.context.desk_time_zone)
