"""Keep each closed incident as a test under `regressions/`: its evidence, beside it the causes that are expected."""

import contextlib
import gzip
from datetime import datetime
from pathlib import Path

import orjson
from pydantic import ValidationError

from tasks.clients.evidence.store import ENDING, load_run, runs_of_incident
from tasks.clients.files.atomic import one_writer, read_whole, unreadable, write_whole
from tasks.model.diagnosis.diagnosis import Confidence
from tasks.model.errors import CannotObserve
from tasks.model.evidence.stored_run import StoredRun
from tasks.model.incidents.incident import IncidentState
from tasks.model.postmortem.regressions import Regression, RegressionReplay
from tasks.rules.incidents.paths import file_stem
from tasks.rules.postmortem.regressions import expected_causes, regression_replay, says_of

FOLDER = "regressions"
EXPECTED = ".expected.json"
# An incident of a night has hundreds of runs; the first ones decide.
RUNS_LIMIT_COUNT = 25


def keep_regression(state_dir: Path, incident: IncidentState, run: StoredRun, now: datetime) -> str:
    """Keep an incident as a fixture, and name its file; one that stands, and may be corrected by now, is left alone.

    Runbook: §5.2.
    Errors: `SINK_UNWRITABLE`.
    Steps: 1. the evidence 2. what is expected, which makes it a fixture; killed in between, the next run goes on here
    """
    stem = file_stem(incident.incident_id)
    path = state_dir / FOLDER / f"{stem}{EXPECTED}"
    with one_writer(state_dir, FOLDER):
        if path.exists():
            return path.name
        evidence = path.with_name(f"{stem}{ENDING}")
        write_whole(evidence, gzip.compress(run.model_dump_json().encode(), compresslevel=6, mtime=0))
        regression = Regression(
            incident_id=incident.incident_id,
            service=incident.service,
            written_at=now,
            evidence=evidence.name,
            expected=expected_causes(run.diagnosis),
        )
        content = orjson.dumps(regression.model_dump(mode="json"), option=orjson.OPT_INDENT_2)
        write_whole(path, content + b"\n")
    return path.name


def first_run(state_dir: Path, incident: IncidentState) -> StoredRun | None:
    """Find the run that decided an incident: the first that was sure of its cause, else the first that named one.

    Errors: none; files that cannot be read are passed over.
    """
    first: StoredRun | None = None
    for path in runs_of_incident(state_dir, incident)[:RUNS_LIMIT_COUNT]:
        with contextlib.suppress(CannotObserve):
            run = load_run(path)
            sure = says_of(incident, run)
            if sure is Confidence.CONFIRMED:
                return run
            first = first or (run if sure else None)
    return first


def list_regressions(state_dir: Path) -> tuple[Path, ...]:
    """List the fixtures, by name.

    Errors: `FILE_UNREADABLE` when the folder is there and cannot be read.
    """
    folder = state_dir / FOLDER
    try:
        return tuple(sorted(path for path in folder.iterdir() if path.name.endswith(EXPECTED)))
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise unreadable(folder, error.strerror or str(error)) from None


def load_regression(path: Path) -> Regression:
    """Load one fixture.

    Errors: `FILE_UNREADABLE` when it is missing, or is no fixture.
    """
    content = read_whole(path)
    if content is None:
        raise unreadable(path, "missing")
    try:
        return Regression.model_validate_json(content)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
        raise unreadable(path, f"no fixture, {'.'.join(map(str, fault['loc']))}: {fault['msg']}") from None


def replay_regression(path: Path) -> RegressionReplay:
    """Replay one fixture with the rules of now.

    Runbook: §5.2.
    Errors: none; what cannot be read is named, and says nothing of the rules.
    """
    try:
        regression = load_regression(path)
        run = load_run(path.with_name(regression.evidence))
    except CannotObserve as error:
        return RegressionReplay(incident_id=path.name.removesuffix(EXPECTED), file=path.name, unreadable=str(error))
    return regression_replay(regression, run, path.name)
