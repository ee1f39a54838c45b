"""`runbook incidents` and `runbook ack`: the incidents of the ledger, and who has acknowledged one."""

from datetime import UTC, datetime
from typing import Annotated, Any

from cyclopts import Parameter

from deployments.commands.answer import Answer, end_with
from deployments.commands.operators import operator
from deployments.commands.options import By, JsonOutput, Service, duration_s
from deployments.stack.clock_check import warn_of_clock
from tasks.clients.incidents.acknowledge import acknowledge
from tasks.clients.incidents.ledger import read_everything
from tasks.clients.messages.local_file import read_deliveries
from tasks.model.incidents.incident import IncidentState
from tasks.model.messages.messages import Delivery
from tasks.model.people.person import Right
from tasks.rules.escalation.desk_updates import next_updates
from tasks.rules.formats.time import utc_text
from tasks.rules.incidents.fold import fold_incidents
from tasks.rules.messages.desk import desk_clock
from tasks.settings import RunbookSettings, load_settings

KEYS = {"incident_id", "service", "state", "tier", "acknowledged_by"}
LISTED_KEYS = KEYS | {"opened_at", "closed_at", "causes", "acknowledged_until", "escalated_at"}


def incidents(*, service: Service = None, json_output: JsonOutput = False) -> None:
    """List the incidents of every monitored service, or of one; oldest first."""
    settings = load_settings().watching()
    names = [service] if service else sorted(settings.services)
    now = datetime.now(UTC)
    found = [pair for name in names for pair in _incidents_of(settings, name, now)]
    deliveries = read_deliveries(settings.notifications_path)
    document = [_as_json(one, update_at, deliveries) for one, update_at in found]
    lines = [_line(one, update_at, now) for one, update_at in found]
    end_with(Answer(document, lines or ["No incidents."]), json_output=json_output)


def ack(
    incident_id: Annotated[str, Parameter(help="Which incident; optional where only one is open.")] = "",
    /,
    *,
    by: By = None,
    for_: Annotated[str | None, Parameter(name="--for", help="For how long: 30m, 2h; default 30m.")] = None,
    json_output: JsonOutput = False,
) -> None:
    """Acknowledge an incident: nobody is paged for it again until the time is over, or it is."""
    now = datetime.now(UTC)
    settings, wanted_s = load_settings(), duration_s(for_) if for_ is not None else None
    warn_of_clock(settings, sorted(settings.services), now)
    taken = acknowledge(settings, incident_id, operator(settings, Right.ACKNOWLEDGE, by), now, wanted_s)
    until = utc_text(taken.acknowledged_until) if taken.acknowledged_until else None
    document = {**taken.model_dump(mode="json", include=KEYS), "acknowledged_until": until}
    words = f"{taken.incident_id} is acknowledged by {taken.acknowledged_by} until {until or 'its time is over'}."
    end_with(Answer(document, [words]), json_output=json_output)


def _incidents_of(
    settings: RunbookSettings, service: str, now: datetime
) -> tuple[tuple[IncidentState, datetime | None], ...]:
    """Read the incidents of a service, each with until when the desk is notified of it again."""
    watched, ledger = settings.service(service), read_everything(settings.ledger(service))
    updates = next_updates(ledger, service, watched.escalation, now, watched.planned)
    return tuple((one, updates.get(one.incident_id)) for one in fold_incidents(ledger, service))


def _as_json(incident: IncidentState, update_at: datetime | None, deliveries: tuple[Delivery, ...]) -> dict[str, Any]:
    messages = [one for one in deliveries if one.incident_id == incident.incident_id]
    return {
        **incident.model_dump(mode="json", include=LISTED_KEYS),
        "actions": [one.model_dump(mode="json", exclude={"owner_pid"}) for one in incident.actions],
        "next_update_at": utc_text(update_at) if update_at else None,
        "messages": [one.model_dump(mode="json", exclude={"key"}) for one in messages],
    }


def _line(incident: IncidentState, update_at: datetime | None, now: datetime) -> str:
    causes = ", ".join(cause.value for cause in incident.causes)
    opened = f"opened {utc_text(incident.opened_at)}"
    ends = f"closed {utc_text(incident.closed_at)}" if incident.closed_at else f"OPEN ({incident.state})"
    taken = f"acknowledged by {incident.acknowledged_by}" if incident.acknowledged_by else ""
    actions = ", ".join(f"{one.action}: {one.outcome or 'outcome unknown'}" for one in incident.actions)
    update = f"next update by {desk_clock(update_at)}{' (overdue)' if update_at < now else ''}" if update_at else ""
    return "  ".join(part for part in (incident.incident_id, causes, opened, ends, taken, update, actions) if part)
