"""§3 Escalation matrix: a person acknowledges an incident in the Prefect UI."""

from typing import Annotated

from prefect import flow
from prefect.runtime import flow_run
from pydantic import Field

from flows.forms import By, Help
from tasks.notify.acknowledge_incident import acknowledge_incident

IncidentId = Annotated[str, Field(max_length=200), Help("Which incident; leave empty where one is open.")]
Minutes = Annotated[int, Field(ge=1, le=240), Help("For how many minutes you have it; then pages go on.")]


def run_name() -> str:
    given = flow_run.parameters
    return f"{given['incident_id'] or 'the open incident'}: acknowledged by {given['by']}"


@flow(name="acknowledge", flow_run_name=run_name)
def acknowledge(by: By, incident_id: IncidentId = "", for_minutes: Minutes = 30) -> str:
    """Acknowledge an incident: nobody is paged for it again until the time or the incident is over.

    Runbook: §3 Escalation matrix.
    """
    return acknowledge_incident(incident_id, by, for_minutes)  # §3.1
