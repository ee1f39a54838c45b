"""Tell that an incident is over to everybody who was told of it. Recovery is never held back."""

from datetime import datetime, timedelta

from tasks.model.diagnosis import Audience
from tasks.model.escalation import PageWords
from tasks.model.incident import IncidentState
from tasks.model.messages import Message
from tasks.model.orders import AssetClass
from tasks.rules.desk_time import desk_clock
from tasks.rules.durations import duration_text
from tasks.rules.message_keys import CLOSED, RECOVERED, about_of, audience_of, told_now
from tasks.rules.wording import causes_of, head, message_of

# What closed longer ago is told by the list of incidents; nobody waits for it any more.
OWED_FOR = timedelta(days=1)
DESK_KEY = "desk-"


def owes_recovery(incident: IncidentState, now: datetime) -> bool:
    """Say whether somebody still has to hear that an incident is over.

    Errors: none; a run that was killed between closing an incident and telling of it leaves this for the next run.
    """
    lately = incident.closed_at is not None and incident.closed_at > now - OWED_FOR
    return lately and bool(_waiting(incident))


def recovery_messages(incident: IncidentState, words: PageWords, now: datetime) -> tuple[Message, ...]:
    """Write that an incident is over, to each audience that was told of it; the on-call hears of every one.

    Runbook: §3.1, §4.
    """
    if not owes_recovery(incident, now):
        return ()
    return tuple(
        message_of(incident, audience, CLOSED, _text(incident, audience, words)) for audience in _waiting(incident)
    )


def _waiting(incident: IncidentState) -> tuple[Audience, ...]:
    told = [(audience_of(key, incident.incident_id), key) for key in told_now(incident)]
    know = {audience for audience, key in told if about_of(key, incident.incident_id) in {CLOSED, RECOVERED}}
    heard = {audience for audience, _ in told} | {Audience.TIER_1}
    return tuple(audience for audience in Audience if audience in heard and audience not in know)


def _text(incident: IncidentState, audience: Audience, words: PageWords) -> str:
    closed_at = incident.closed_at or incident.opened_at
    took = duration_text((closed_at - (incident.reopened_at or incident.opened_at)).total_seconds())
    if audience is not Audience.DESK:
        return f"{head(incident, words.mode)} Closed: {causes_of(incident)} no longer shows, after {took}."
    abouts = {about_of(key, incident.incident_id).removeprefix(DESK_KEY) for key in told_now(incident)}
    classes = [name.value for name in AssetClass if name.value in abouts]
    what = f"order routing for {', '.join(classes)} is no longer degraded" if classes else "its trouble no longer shows"
    when = desk_clock(closed_at, words.time_zone)
    return f"Incident {incident.incident_id} was closed at {when} after {took}: {what}."
