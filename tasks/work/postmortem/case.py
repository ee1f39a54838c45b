"""Gather what is known of an incident from the ledger, the runs, the evidence and the messages, and keep it.

Closed incidents are archived, runs are remembered for a day, evidence is kept for two weeks: the facts lie beside the
documents, so that a postmortem can be written again years later and says no less than before.
"""

import contextlib
import gzip
import zlib
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

from pydantic import ValidationError

from tasks.clients.evidence.history import history_path, looks_between
from tasks.clients.evidence.store import runs_of_incident
from tasks.clients.files.atomic import read_whole, write_whole
from tasks.clients.incidents.archiving import archive_path
from tasks.clients.incidents.ledger import read_ledger
from tasks.clients.messages.local_file import read_deliveries
from tasks.model.checks.checks import Check
from tasks.model.errors import CannotObserve, Code, RunbookError
from tasks.model.evidence.stored_run import StoredRun
from tasks.model.incidents.incident import IncidentState, Ledger
from tasks.model.messages.messages import Delivery
from tasks.model.postmortem.postmortem import NumberedRecord, PostmortemCase
from tasks.rules.checks.drafts import draft_checks
from tasks.rules.formats.time import LAST, shifted
from tasks.rules.incidents.fold import fold_incidents
from tasks.rules.incidents.paths import file_stem
from tasks.rules.postmortem.timeline import AFTER, records_beside
from tasks.settings import RunbookSettings
from tasks.work.postmortem.accepted_checks import list_checks
from tasks.work.postmortem.regressions import EXPECTED, first_run
from tasks.work.postmortem.regressions import FOLDER as REGRESSIONS

FOLDER = Path("postmortems") / ".facts"
ENDING = ".json.gz"
LOOKS_BEFORE = timedelta(hours=1)
LIMIT_BYTES = 256 * 1_048_576
RECORDS_LIMIT_COUNT = 20_000
FILES_LIMIT_COUNT = 200


def known_case(settings: RunbookSettings, service: str, incident_id: str) -> PostmortemCase:
    """Gather everything that is known of one incident: what can be found, and what was kept before.

    Runbook: §5.1.
    Errors: `BAD_ARGUMENT` when there is neither, `LEDGER_UNREADABLE`, `UNKNOWN_SERVICE`.
    """
    kept = _kept(settings.state_dir, incident_id)
    ledger = read_ledger(settings.ledger(service), from_line_1=True)
    incident = _incident(ledger, service, incident_id)
    if incident is None:
        ledger = read_ledger(archive_path(settings.ledger_path(service)), from_line_1=True)
        incident = _incident(ledger, service, incident_id)
    state = incident or (kept.incident if kept is not None and kept.incident.service == service else None)
    if state is None:
        detail = f"expected an incident of {service} was {incident_id[:80]!r}; see `runbook incidents`"
        raise RunbookError(Code.BAD_ARGUMENT, detail)
    found = _found(settings, state, ledger, kept.first_run if kept else None)
    return _merged(kept, found) if kept is not None else found


def _incident(ledger: Ledger, service: str, incident_id: str) -> IncidentState | None:
    return next((one for one in fold_incidents(ledger, service) if one.incident_id == incident_id), None)


def found_incident(settings: RunbookSettings, service: str, incident_id: str) -> str:
    """Find an incident by its id, in the ledger or in what was kept; without an id the newest one.

    Errors: `BAD_ARGUMENT` when there is none, `LEDGER_UNREADABLE`, `UNKNOWN_SERVICE`.
    """
    if incident_id:
        return known_case(settings, service, incident_id).incident.incident_id
    incidents = fold_incidents(read_ledger(settings.ledger(service)), service)
    if not incidents:
        raise RunbookError(Code.BAD_ARGUMENT, f"expected an incident of {service} was none; see `runbook incidents`")
    return max(incidents, key=lambda one: one.opened_at).incident_id


def keep_facts(state_dir: Path, case: PostmortemCase) -> None:
    """Keep what is known of an incident; the caller holds the lock.

    Errors: `SINK_UNWRITABLE`.
    """
    path = _path(state_dir, case.incident.incident_id)
    content = gzip.compress(case.model_dump_json().encode("utf-8", "replace"), compresslevel=6, mtime=0)
    with contextlib.suppress(CannotObserve):
        if read_whole(path) == content:
            return
    write_whole(path, content)


def _found(
    settings: RunbookSettings, incident: IncidentState, ledger: Ledger, kept_run: StoredRun | None
) -> PostmortemCase:
    numbered = tuple(NumberedRecord(line=record.line, record=record) for record in ledger.records)
    own = tuple(one for one in numbered if one.record.incident_id == incident.incident_id)
    seen, runs = first_run(settings.state_dir, incident), runs_of_incident(settings.state_dir, incident)
    lost = ("what the first run saw: its evidence cannot be read",) if seen is None and runs else ()
    fixture = f"{file_stem(incident.incident_id)}{EXPECTED}"
    first = seen or kept_run
    return PostmortemCase(
        incident=incident,
        records=own[:RECORDS_LIMIT_COUNT],
        around=records_beside(incident, numbered)[:RECORDS_LIMIT_COUNT],
        looks=looks_between(
            history_path(settings, incident.service),
            shifted(incident.opened_at, -LOOKS_BEFORE),
            shifted(incident.closed_at, AFTER) if incident.closed_at else LAST,
        ),
        first_run=first,
        messages=tuple(
            one for one in read_deliveries(settings.notifications_path) if one.incident_id == incident.incident_id
        ),
        evidence_files=_evidence_files(settings.state_dir, incident, runs),
        regression=fixture if (settings.state_dir / REGRESSIONS / fixture).exists() else None,
        checks=_checks(settings.state_dir, incident, first),
        gaps=lost,
    )


def _checks(state_dir: Path, incident: IncidentState, first: StoredRun | None) -> tuple[Check, ...]:
    """Find the checks that this incident drafted, and those that an earlier one of its kind had drafted before."""
    known, _ = list_checks(state_dir)
    drafted = {one.check_id for one in draft_checks(incident, first, first.stored_at)} if first else set()
    return tuple(one for one in known if one.incident_id == incident.incident_id or one.check_id in drafted)


def _evidence_files(state_dir: Path, incident: IncidentState, runs: tuple[Path, ...]) -> tuple[str, ...]:
    """Name what was kept, from the state directory on: the runs, and the snapshots that were taken before an action."""
    folder = state_dir / "evidence" / file_stem(incident.incident_id)
    with contextlib.suppress(OSError):
        snapshots = sorted(path for path in folder.rglob("*") if path.is_file())
        named = [path.relative_to(state_dir).as_posix() for path in (*runs, *snapshots)]
        return tuple(named[:FILES_LIMIT_COUNT])
    return ()


def _merged(kept: PostmortemCase, found: PostmortemCase) -> PostmortemCase:
    """Complete what can be found now with what was kept before: the ledger rotates, and runs are kept for a day."""
    # A ledger that was rotated has fewer records of the incident, and other line numbers: then the kept ones count.
    fuller = found if len(found.records) >= len(kept.records) else kept
    looks = {look.at: look for look in (*kept.looks, *found.looks)}
    return found.model_copy(
        update={
            "incident": fuller.incident,
            "records": fuller.records,
            "around": fuller.around,
            "looks": tuple(looks[at] for at in sorted(looks)),
            "messages": _messages((*kept.messages, *found.messages)),
            "evidence_files": found.evidence_files or kept.evidence_files,
        }
    )


def _messages(deliveries: Iterable[Delivery]) -> tuple[Delivery, ...]:
    found = {(one.key, one.channel, one.timestamp): one for one in deliveries}
    return tuple(sorted(found.values(), key=lambda one: one.timestamp))


def _kept(state_dir: Path, incident_id: str) -> PostmortemCase | None:
    """Read the facts that were kept; those of another version, or damaged ones, are set aside and not written over."""
    path = _path(state_dir, incident_id)
    content = read_whole(path)
    if content is None:
        return None
    try:
        unpacked = zlib.decompressobj(wbits=31).decompress(content, LIMIT_BYTES)
        case = PostmortemCase.model_validate_json(unpacked)
    except (zlib.error, ValidationError):
        with contextlib.suppress(OSError):
            path.replace(path.with_suffix(".unreadable"))
        return None
    return case if case.incident.incident_id == incident_id else None


def _path(state_dir: Path, incident_id: str) -> Path:
    return state_dir / FOLDER / f"{file_stem(incident_id)}{ENDING}"
