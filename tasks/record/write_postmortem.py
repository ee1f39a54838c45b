"""§5.1 Capture timelines, root cause and remediation in a short postmortem."""

from prefect import task
from prefect.artifacts import acreate_markdown_artifact
from prefect.cache_policies import NO_CACHE

from tasks.model.postmortem.postmortem import KeptBeside, Postmortem
from tasks.rules.incidents.paths import artifact_key
from tasks.rules.postmortem.template import page_markdown
from tasks.settings import load_settings
from tasks.work.postmortem.documents import is_published, mark_written, write_document


@task(name="write_postmortem", cache_policy=NO_CACHE, timeout_seconds=30, retries=0)
async def write_postmortem(service: str, incident_id: str, beside: tuple[KeptBeside, ...] = ()) -> Postmortem:
    """Write the postmortem of one incident: a file that people edit, and an artifact of the same.

    Runbook: §5.1 Postmortem.
    Errors: `BAD_ARGUMENT`, `LEDGER_UNREADABLE`, `FILE_UNREADABLE`, `SINK_UNWRITABLE`.
    Steps: 1. the file 2. the artifact, unless this very text was published before 3. the mark that it is done with;
    a run that is killed in between leaves the rest to the next one
    """
    settings = load_settings()
    faults = tuple(one.fault for one in beside if one.fault)
    postmortem = write_document(settings, service, incident_id, faults)
    if not is_published(settings, postmortem):
        await acreate_markdown_artifact(
            markdown=page_markdown(postmortem),
            key=artifact_key(incident_id),
            description=f"Postmortem of {incident_id[:100]}",
        )
    mark_written(settings, postmortem, published=True)
    return postmortem
