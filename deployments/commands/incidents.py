"""`runbook incidents`: every incident that the ledger tells of."""

from typing import Annotated, Any

from cyclopts import Parameter

from deployments.views.json_document import say_json
from deployments.views.words import say_lines
from tasks.clients.incident_ledger import read_everything
from tasks.clients.notifications import read_deliveries
from tasks.model.incident import IncidentState
from tasks.model.messages import Delivery
from tasks.rules.incident_state import fold_incidents
from tasks.rules.times import utc_text
from tasks.settings import RunbookSettings, load_settings


def incidents(
    *, service: str | None = None, json_output: Annotated[bool, Parameter(name="--json", negative=())] = False
) -> None:
    """List the incidents of every watched service, oldest first.

    Parameters
    ----------
    service
        Only this watched service.
    json_output
        Print one JSON document.
    """
    settings = load_settings().watching()
    names = [service] if service else sorted(settings.services)
    found = [one for name in names for one in incidents_of(settings, name)]
    deliveries = read_deliveries(settings.notifications_path)
    if json_output:
        say_json([as_json(one, deliveries) for one in found])
    else:
        say_lines([_line(one) for one in found] or ["No incidents."])


def incidents_of(settings: RunbookSettings, service: str) -> tuple[IncidentState, ...]:
    """Fold one service's ledger, with what was archived of it."""
    settings.service(service)
    return fold_incidents(read_everything(settings.ledger(service)), service)


def as_json(incident: IncidentState, deliveries: tuple[Delivery, ...]) -> dict[str, Any]:
    """Lay one incident out as other programs rely on it."""
    names = {"incident_id", "service", "state", "opened_at", "closed_at", "causes", "tier", "acknowledged_by"}
    names |= {"acknowledged_until", "escalated_at"}
    messages = [one for one in deliveries if one.incident_id == incident.incident_id]
    return {
        **incident.model_dump(mode="json", include=names),
        "actions": [one.model_dump(mode="json", exclude={"owner_pid"}) for one in incident.actions],
        "messages": [one.model_dump(mode="json", exclude={"key"}) for one in messages],
    }


def _line(incident: IncidentState) -> str:
    causes = ", ".join(cause.value for cause in incident.causes)
    ends = f"closed {utc_text(incident.closed_at)}" if incident.closed_at else f"OPEN ({incident.state})"
    actions = ", ".join(f"{one.action}: {one.outcome or 'end not known'}" for one in incident.actions)
    taken = f"taken by {incident.acknowledged_by}" if incident.acknowledged_by else ""
    opened = f"opened {utc_text(incident.opened_at)}"
    return "  ".join(part for part in (incident.incident_id, causes, opened, ends, taken, actions) if part)
