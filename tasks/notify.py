"""§4 Communication: tell one audience, once."""

from datetime import UTC, datetime
from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.clients.incident_ledger import append, read_ledger
from tasks.clients.notifications import Channel, LocalSink, one_teller
from tasks.model.errors import CannotAct, CannotLook, NotDelivered
from tasks.model.incident import IncidentState
from tasks.model.messages import Message
from tasks.rules.incident_changes import told_records
from tasks.rules.incident_state import fold_incidents
from tasks.settings import RunbookSettings, load_settings


@task(name="notify", cache_policy=NO_CACHE, timeout_seconds=20, retries=0)
def notify(service: str, message: Message) -> bool:
    """Deliver one message and record that it was; what was told is not told again.

    Runbook: §3.1, §3.2, §3.3 Escalation matrix; §4.1, §4.2 Communication.
    Errors: none; a message that was not delivered is False, is not recorded as told, and the next run sends it again.
    """
    settings = load_settings()
    return told_once(settings, service, message, LocalSink(settings.notifications_path))


def told_once(settings: RunbookSettings, service: str, message: Message, channel: Channel) -> bool:
    """Send unless the ledger says that it was sent, then record it: at least once, not twice in the common case."""
    with one_teller(settings.state_dir, service):
        return _told(settings.ledger_path(service), service, message, channel)


def _told(path: Path, service: str, message: Message, channel: Channel) -> bool:
    incident = _incident(path, service, message.incident_id)
    if incident is not None and message.key in incident.told:
        return True
    try:
        channel.send(message)
        if incident is not None:
            details: dict[str, object] = {"key": message.key, "audience": message.audience, "channel": channel.name}
            append(path, told_records(incident, message, details, datetime.now(UTC)))
    except (NotDelivered, CannotAct):
        return False
    return True


def _incident(path: Path, service: str, incident_id: str) -> IncidentState | None:
    try:
        states = fold_incidents(read_ledger(path).records, service)
    except CannotLook:
        return None
    return next((one for one in states if one.incident_id == incident_id), None)
