"""`runbook replay`: name the cause again with the rules of now, of every past incident or of one stored run."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.text import Text

from deployments.commands.looking import COULD_NOT_LOOK, Answer, JsonOutput, give
from deployments.views.regressions import regression_lines
from deployments.views.terminal import BAD, BOLD, DIM, GOOD, line
from tasks.clients.evidence_store import load_run, runs_of_incident
from tasks.clients.incident_ledger import read_everything
from tasks.clients.regressions import list_regressions, replay_regression
from tasks.model.diagnosis import Diagnosis
from tasks.model.errors import Code, RunbookError
from tasks.model.stored_run import Replay
from tasks.rules.incident_state import fold_incidents
from tasks.rules.replay import replayed
from tasks.rules.times import utc_text
from tasks.settings import load_settings

SAME, DIFFERS = 0, 1


def replay(
    file: Annotated[Path | None, Parameter(show_default=False)] = None,
    /,
    *,
    incident: str | None = None,
    json_output: JsonOutput = False,
) -> None:
    """Name the cause again from stored evidence; exit 0 the same, 1 it differs, 3 the evidence cannot be read.

    Without a file and without an incident every fixture under regressions in the state directory is replayed, and held
    to the causes that it expects.

    Parameters
    ----------
    file
        A stored run, from evidence/runs in the state directory.
    incident
        Instead of a file: replay the first stored run of this incident.
    json_output
        Print one JSON document.
    """
    if file is None and incident is None:
        give(regressions_answer, json_output=json_output)
    give(lambda: replay_answer(asked_file(file, incident)), json_output=json_output)


def regressions_answer() -> Answer:
    """Replay every fixture; one whose cause changed decides, then one that cannot be read.

    Errors: `FILE_UNREADABLE` when the folder cannot be read.
    """
    replays = [replay_regression(path) for path in list_regressions(load_settings().state_dir)]
    changed = sum(bool(one.differences) for one in replays)
    unreadable = sum(bool(one.unreadable) for one in replays)
    document = {
        "regressions": [{**one.model_dump(mode="json"), "same": one.same} for one in replays],
        "count": len(replays),
        "changed_count": changed,
        "unreadable_count": unreadable,
    }
    exit_code = DIFFERS if changed else COULD_NOT_LOOK if unreadable else SAME
    return Answer(document, regression_lines(replays), exit_code)


def replay_answer(path: Path) -> Answer:
    """Load, name again, and lay both out.

    Errors: `FILE_UNREADABLE`.
    """
    run = load_run(path)
    answer = replayed(run)
    document = {
        "file": str(path),
        "service": run.evidence.context.request.service,
        "looked_at": utc_text(run.evidence.latest.looked_at),
        "same": answer.same,
        **answer.model_dump(mode="json"),
    }
    return Answer(document, _lines(path, answer), SAME if answer.same else DIFFERS)


def asked_file(file: Path | None, incident: str | None) -> Path:
    """Find the stored run that is asked for.

    Errors: `BAD_ARGUMENT` when both are given, or the incident has none.
    """
    if file is not None and incident is not None:
        raise RunbookError(Code.BAD_ARGUMENT, "expected a file or --incident was both; leave one out")
    return file if file is not None else _first_of(incident or "")


def _first_of(incident_id: str) -> Path:
    settings = load_settings()
    for service in settings.services:
        states = fold_incidents(read_everything(settings.ledger(service)), service)
        found = next((one for one in states if one.incident_id == incident_id), None)
        paths = runs_of_incident(settings.state_dir, found) if found else ()
        if paths:
            return paths[0]
    raise RunbookError(
        Code.BAD_ARGUMENT,
        f"expected an incident with stored evidence was incident={incident_id}; see `runbook incidents`",
    )


def _lines(path: Path, answer: Replay) -> list[Text]:
    verdict = ("the same, bit for bit", GOOD) if answer.same else ("the rules of now say something else", BAD)
    differences = [
        line("  ", (one.place, BOLD), "  then ", (one.then, DIM), "  now ", one.now) for one in answer.differences
    ]
    return [line((path.name, DIM)), line(_named(answer.then), ": ", verdict), *differences]


def _named(diagnosis: Diagnosis) -> str:
    causes = ", ".join(f"{finding.cause.value} ({finding.confidence.value})" for finding in diagnosis.findings)
    return f"{diagnosis.status.value}, {causes}" if causes else diagnosis.status.value
