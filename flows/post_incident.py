"""§5 Post-incident."""

from typing import Annotated, Any

from prefect import State, flow
from prefect.runtime import flow_run
from pydantic import Field

from flows.asked import name_of, one_service
from flows.forms import Help, Service
from tasks.draft_check import draft_check
from tasks.find_incident import find_incident
from tasks.model.postmortem import Postmortem
from tasks.rules.postmortem_words import postmortem_words
from tasks.rules.run_names import run_name
from tasks.write_postmortem import write_postmortem
from tasks.write_regression import write_regression

IncidentId = Annotated[str, Field(max_length=200), Help("Which incident; leave empty for the newest one.")]


def writing_name() -> str:
    """Name the run by the incidents that it writes down."""
    given = flow_run.parameters
    return run_name(f"{given['service']}: write down {', '.join(given['incident_ids'])}")


def postmortem_name() -> str:
    """Name the run by the incident that was asked for."""
    given = flow_run.parameters
    return run_name(f"{name_of(given['service'])}: postmortem of {given['incident_id'] or 'the newest incident'}")


@flow(name="post_incident", flow_run_name=writing_name)
async def post_incident(service: str, incident_ids: tuple[str, ...]) -> list[State[Any]]:
    """Keep each incident that ended as a test, draft a check that catches the like of it, and write it down.

    Runbook: §5 Post-incident.
    Errors: one incident that cannot be written down fails this run, and keeps no other from being written.
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
    return postmortem_words(kept)
