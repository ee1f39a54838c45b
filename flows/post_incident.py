"""§5 Post-incident."""

from typing import Annotated, Any

from prefect import State, flow
from prefect.runtime import flow_run
from pydantic import Field

from flows.forms import Help, Service, name_of, one_service
from tasks.model.postmortem.postmortem import Postmortem
from tasks.record.draft_check import draft_check
from tasks.record.find_incident import find_incident
from tasks.record.write_postmortem import write_postmortem
from tasks.record.write_regression import write_regression
from tasks.rules.postmortem.template import written_line
from tasks.rules.reports.run_names import run_name

IncidentId = Annotated[str, Field(max_length=200), Help("Which incident; leave empty for the newest one.")]


def writing_name() -> str:
    given = flow_run.parameters
    return run_name(f"{', '.join(given['incident_ids'])}: postmortem, {given['service']}")


def postmortem_name() -> str:
    given = flow_run.parameters
    return run_name(f"{given['incident_id'] or 'newest incident'}: postmortem, {name_of(given['service'])}")


@flow(name="post_incident", flow_run_name=writing_name)
async def post_incident(service: str, incident_ids: tuple[str, ...]) -> list[State[Any]]:
    """Keep each incident that ended as a test, draft a check that catches the like of it, and write its postmortem.

    Runbook: §5 Post-incident.
    Errors: one postmortem that cannot be written fails this run, and stops no other.
    """
    written = []
    for incident_id in incident_ids:
        beside = (write_regression(service, incident_id), draft_check(service, incident_id))  # §5.2
        # Prefect's types forget that the state of an asynchronous step is awaited, too.
        written.append(await write_postmortem(service, incident_id, beside, return_state=True))  # type: ignore[misc] # §5.1
    return written


@flow(name="postmortem", flow_run_name=postmortem_name)
async def postmortem(service: Service = "", incident_id: IncidentId = "") -> str:
    """Write the postmortem of one incident now, or bring it up to date; what a person edited stays.

    Runbook: §5 Post-incident.
    """
    name = one_service(service)
    asked = find_incident(name, incident_id)  # §5.1
    beside = (write_regression(name, asked), draft_check(name, asked))  # §5.2
    kept: Postmortem = await write_postmortem(name, asked, beside)  # §5.1
    return written_line(kept)
