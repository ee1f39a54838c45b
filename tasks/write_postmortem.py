"""§5.1 Capture timelines, root cause and remediation in a short postmortem."""

from pathlib import Path

from prefect import task
from prefect.artifacts import acreate_markdown_artifact
from prefect.cache_policies import NO_CACHE

from tasks.clients.incident_ledger import read_ledger
from tasks.rules.incident_state import fold_incidents
from tasks.rules.postmortem import postmortem_markdown
from tasks.settings import RunbookSettings, load_settings


@task(name="write_postmortem", cache_policy=NO_CACHE, timeout_seconds=20, retries=0)
async def write_postmortem(service: str, incident_id: str) -> None:
    """Write the postmortem of one incident from the ledger: a file and an artifact.

    Runbook: §5.1 Postmortem.
    Errors: `LEDGER_UNREADABLE`.
    """
    text = kept_postmortem(load_settings(), service, incident_id)
    if text:
        key = "postmortem-" + "".join(letter if letter.isalnum() else "-" for letter in incident_id.lower())
        await acreate_markdown_artifact(markdown=text, key=key, description=f"Postmortem of {incident_id}")


def kept_postmortem(settings: RunbookSettings, service: str, incident_id: str) -> str | None:
    """Write the file under the state directory; one that stands, perhaps edited by a person, is left alone."""
    records = read_ledger(settings.ledger_path(service)).records
    incident = next((one for one in fold_incidents(records, service) if one.incident_id == incident_id), None)
    if incident is None:
        return None
    text = postmortem_markdown(incident, tuple(one for one in records if one.incident_id == incident_id))
    path = settings.state_dir / "postmortems" / f"{incident_id}.md"
    if not path.exists():
        _write(path, text)
    return text


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = path.with_suffix(".new")
    staged.write_text(text, "utf-8")
    staged.replace(path)
