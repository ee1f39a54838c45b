"""`runbook postmortem`: write the postmortem of an incident, or bring it up to date; needs no Prefect."""

from datetime import UTC, datetime
from typing import Annotated

from cyclopts import Parameter
from rich.text import Text

from deployments.commands.looking import Answer, JsonOutput, give
from deployments.prefect_door import any_door
from deployments.views.terminal import BOLD, GOOD, UNSURE, facts, line
from deployments.views.words import say_lines
from tasks.clients.kept_beside import checks_drafted, regression_written
from tasks.clients.postmortem_facts import found_incident
from tasks.clients.postmortems import fresh_document, is_published, mark_written, write_document
from tasks.model.errors import Code, RunbookError
from tasks.model.postmortem import Postmortem
from tasks.rules.incident_files import artifact_key
from tasks.settings import RunbookSettings, load_settings

PUBLISH_TIMEOUT_S = 5.0


def postmortem(
    incident_id: Annotated[str, Parameter(show_default=False)] = "",
    /,
    *,
    service: str | None = None,
    fresh: Annotated[bool, Parameter(negative=())] = False,
    json_output: JsonOutput = False,
) -> None:
    """Write the postmortem of an incident, its fixture and its draft checks; what you edited in it stays.

    Parameters
    ----------
    incident_id
        Which incident; without it the newest one.
    service
        Which watched service; may be left out where the id says it, or there is one.
    fresh
        Print what would be generated without your edits, and write nothing.
    json_output
        Print one JSON document.
    """
    settings = load_settings().watching()
    name, asked = asked_incident(settings, service, incident_id.strip())
    if fresh:
        say_lines(fresh_document(settings, name, asked).splitlines())
        return
    # Written before anything is said: what cannot be written ends with 1, and is no look that was blind.
    answer = written_answer(settings, name, asked)
    give(lambda: answer, json_output=json_output)


def written_answer(settings: RunbookSettings, service: str, incident_id: str) -> Answer:
    """Write everything that an incident leaves behind, publish the postmortem where Prefect runs, and lay out both.

    Errors: `LEDGER_UNREADABLE`, `FILE_UNREADABLE`, `SINK_UNWRITABLE`.
    """
    now = datetime.now(UTC)
    beside = [step(settings, service, incident_id, now) for step in (regression_written, checks_drafted)]
    faults = tuple(one.fault for one in beside if one.fault)
    written = write_document(settings, service, incident_id, faults)
    published = is_published(settings, written) or publish(written)
    mark_written(settings, written, published=published)
    document = {**written.model_dump(mode="json", exclude={"text"}), "published": published, "markdown": written.text}
    return Answer(document, _lines(written, published=published))


def asked_incident(settings: RunbookSettings, service: str | None, incident_id: str) -> tuple[str, str]:
    """Find the service and the incident that are meant.

    Errors: `BAD_ARGUMENT` when no service knows the incident, `UNKNOWN_SERVICE`, `LEDGER_UNREADABLE`.
    """
    if service is not None or not incident_id:
        name = service or settings.only_service()
        return name, found_incident(settings, name, incident_id)
    for name in sorted(settings.services):
        try:
            return name, found_incident(settings, name, incident_id)
        except RunbookError as error:
            if error.code is not Code.BAD_ARGUMENT:
                raise
    detail = f"expected an incident was {incident_id[:80]!r}; see `runbook incidents`"
    raise RunbookError(Code.BAD_ARGUMENT, detail)


def publish(written: Postmortem) -> bool:
    """Put the postmortem into the Prefect UI, where a server answers; the file is what counts."""
    door = any_door()
    artifact = {
        "key": artifact_key(written.incident_id),
        "type": "markdown",
        "data": written.text,
        "description": f"Postmortem of {written.incident_id[:100]}",
    }
    answer = door.ask("/artifacts/", artifact, PUBLISH_TIMEOUT_S) if door else None
    return isinstance(answer, dict) and "id" in answer


def _lines(written: Postmortem, *, published: bool) -> list[Text]:
    state = ("written", GOOD) if written.changed else ("unchanged", GOOD)
    known = (
        ("file", written.path),
        ("in Prefect", "published" if published else "not published: no Prefect server answers here"),
        ("left as edited", ", ".join(written.edited)),
        ("left out", ", ".join(written.removed)),
        ("fixture", written.regression),
        ("checks", ", ".join(written.checks)),
    )
    faults = [line(("could not be kept ", UNSURE), one) for one in written.faults]
    return [line((f"Postmortem of {written.incident_id} ", BOLD), state), *facts(known), *faults]
