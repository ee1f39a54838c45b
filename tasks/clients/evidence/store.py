"""Keep the evidence of unhealthy runs, compressed and bounded, so that a cause can be named again."""

import gzip
import os
import secrets
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import PydanticSerializationError

from tasks.clients.files.atomic import open_private, private_folder
from tasks.clients.files.regular_file import open_regular
from tasks.model.diagnosis.diagnosis import Diagnosis
from tasks.model.errors import CannotAct, CannotObserve, Code
from tasks.model.evidence.evidence import Evidence
from tasks.model.evidence.stored_run import PlanningInputs, StoredRun
from tasks.model.incidents.incident import IncidentState
from tasks.model.logs.findings import LogCheck
from tasks.rules.formats.time import parse_time
from tasks.rules.logs.log_report import kept_logs

FOLDER = Path("evidence") / "runs"
ENDING = ".json.gz"
KEPT_COUNT = 500
KEPT_FOR = timedelta(days=14)
UNPACKED_LIMIT_BYTES = 64 * 1_048_576
TIME_FORMAT = "%Y%m%dT%H%M%S.%fZ"
# An incident is opened at the end of the checks that found it.
LOOKED_BEFORE = timedelta(minutes=2)


def stored_run(
    evidence: Evidence, diagnosis: Diagnosis, logs: LogCheck, planning: PlanningInputs | None = None
) -> StoredRun:
    """Put a run together as it is kept, with the worst of its logs."""
    return StoredRun(
        stored_at=datetime.now(UTC), evidence=evidence, diagnosis=diagnosis, logs=kept_logs(logs), planning=planning
    )


def save_run(state_dir: Path, run: StoredRun) -> Path:
    """Keep one run as a file of its own, written whole or not at all, and let the oldest ones go.

    The same run with more of it, as with what its plan was made from, takes the place of what was kept before.

    Errors: `SINK_UNWRITABLE`.
    """
    folder = state_dir / FOLDER / run.evidence.context.request.service
    causes = "+".join(dict.fromkeys(finding.cause.value for finding in run.diagnosis.findings)) or run.diagnosis.status
    at = run.evidence.latest.looked_at.astimezone(UTC).strftime(TIME_FORMAT)
    path = folder / f"{at}-{causes[:120]}{ENDING}"
    staged = folder / f".{secrets.token_hex(8)}.new"
    try:
        private_folder(folder)
        with open_private(staged, "wb") as file:
            file.write(gzip.compress(run.model_dump_json().encode(), compresslevel=6, mtime=0))
        staged.replace(path)
        _let_go(folder, run.stored_at)
    except OSError as error:
        detail = f"expected to keep evidence was {error.strerror} path={path}; free the disk or fix permissions"
        raise CannotAct(Code.SINK_UNWRITABLE, detail) from None
    except PydanticSerializationError as error:
        detail = f"expected text in the evidence was {str(error)[:200]} path={path}; this run is not kept"
        raise CannotAct(Code.SINK_UNWRITABLE, detail) from None
    return path


def load_run(path: Path) -> StoredRun:
    """Load one kept run.

    Errors: `FILE_UNREADABLE` when it is missing, damaged, larger than allowed, or of another version.
    """
    try:
        with open_regular(path) as packed, gzip.open(packed, "rb") as file:
            data = file.read(UNPACKED_LIMIT_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "not a whole gzip file"
        raise _unreadable(path, reason) from None
    if len(data) > UNPACKED_LIMIT_BYTES:
        raise _unreadable(path, f"more than {UNPACKED_LIMIT_BYTES} bytes")
    try:
        return StoredRun.model_validate_json(data)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(part) for part in fault["loc"])
        raise _unreadable(path, f"no stored run, {place}: {fault['msg']}") from None


def list_runs(state_dir: Path, service: str) -> tuple[Path, ...]:
    """List the kept runs of a service, oldest first."""
    try:
        return tuple(sorted((state_dir / FOLDER / service).glob(f"*{ENDING}")))
    except OSError:
        return ()


def runs_since(state_dir: Path, service: str, since: datetime | None) -> tuple[Path, ...]:
    """List the kept runs of a service since a time, oldest first."""
    found = ((path, _looked_at(path)) for path in list_runs(state_dir, service))
    return tuple(path for path, at in found if since is None or (at is not None and at >= since))


def runs_of_incident(state_dir: Path, incident: IncidentState) -> tuple[Path, ...]:
    """List the kept runs in which an incident's cause was found, oldest first: the one that opened it, and those since.

    An earlier run is of an incident before it, also one of the same cause that ended a moment ago.
    """
    since, until = incident.opened_at - LOOKED_BEFORE, incident.closed_at or datetime.max.replace(tzinfo=UTC)
    found = [
        (at, path)
        for path in list_runs(state_dir, incident.service)
        if (at := _looked_at(path)) is not None and since <= at <= until
        if any(cause.value in _causes(path) for cause in incident.causes)
    ]
    before = [path for at, path in found if at < incident.opened_at]
    return (*before[-1:], *(path for at, path in found if at >= incident.opened_at))


def _let_go(folder: Path, now: datetime) -> None:
    kept = sorted(folder.glob(f"*{ENDING}"))
    old = [path for path in kept if (at := _looked_at(path)) is None or now - at > KEPT_FOR]
    for path in {*old, *kept[: max(0, len(kept) - KEPT_COUNT)]}:
        path.unlink(missing_ok=True)


def _looked_at(path: Path) -> datetime | None:
    return parse_time(path.name.partition("-")[0])


def _causes(path: Path) -> list[str]:
    return path.name.removesuffix(ENDING).partition("-")[2].split("+")


def _unreadable(path: Path, reason: str) -> CannotObserve:
    return CannotObserve(
        Code.FILE_UNREADABLE, f"expected a stored run was {reason} path={os.fspath(path)}; choose another"
    )
