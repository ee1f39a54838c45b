"""The keys that messages are sent by, once each: `incident/audience/about`."""

import hashlib
import re

from tasks.model.diagnosis.diagnosis import Audience
from tasks.model.incidents.incident import IncidentState

# Of the messages to a tier, those that ask it to come: the timers of §3 count from the last of them.
OPENED, AGAIN, UNACKNOWLEDGED, UNDELIVERED = "opened", "again", "unacknowledged", "undelivered"
EXHAUSTED, AT_RISK, HANDS_OFF = "exhausted", "orders-at-risk", "hands-off"
PAGES = frozenset({OPENED, AGAIN, UNACKNOWLEDGED, UNDELIVERED, EXHAUSTED, AT_RISK, HANDS_OFF})
CLOSED, RECOVERED, CAUSE_LEFT = "closed", "recovered", "cause-left"
# What the desk reads again while it is not over.
UPDATE = "update"
# What the ledger keeps of a key is bounded; two keys must not become one by being cut.
ABOUT_LIMIT_COUNT = 200
_COUNTED = re.compile(r"(-\d{1,6})?(#\d{1,6})?$")


def message_key(incident: IncidentState, audience: Audience, about: str) -> str:
    """Write a key; an incident that came back after it was closed is reported again, so its keys name the time."""
    again = f"#{incident.reopened + 1}" if incident.reopened else ""
    digest = hashlib.sha256(about.encode()).hexdigest()[:12]
    short = about if len(about) <= ABOUT_LIMIT_COUNT else f"{about[:ABOUT_LIMIT_COUNT]}…{digest}"
    return f"{incident.incident_id}/{audience}/{short}{again}"


def audience_of(key: str, incident_id: str) -> str:
    return key.removeprefix(f"{incident_id}/").partition("/")[0]


def about_of(key: str, incident_id: str) -> str:
    """Read what a key is about, without its counts."""
    return _COUNTED.sub("", key.removeprefix(f"{incident_id}/").partition("/")[2], count=1)


def told_now(incident: IncidentState) -> tuple[str, ...]:
    """Find the keys that were sent since the incident was last opened."""
    if not incident.reopened:
        return incident.told
    return tuple(key for key in incident.told if key.endswith(f"#{incident.reopened + 1}"))
