"""§5 Post-incident."""

from prefect import flow

from tasks.write_postmortem import write_postmortem


@flow(name="post_incident", flow_run_name="post-incident {service}")
async def post_incident(service: str, incident_ids: tuple[str, ...]) -> None:
    """Capture the timeline, the cause and the remediation of each incident that ended.

    Runbook: §5 Post-incident.
    """
    for incident_id in incident_ids:
        await write_postmortem(service, incident_id)  # §5.1
