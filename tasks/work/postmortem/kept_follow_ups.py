"""Keep follow-ups under `follow_ups/`, one file for each incident, in step with what people write in its postmortem."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import orjson
from pydantic import ValidationError

from tasks.clients.files.atomic import one_writer, read_whole, unreadable, write_whole
from tasks.model.errors import CannotObserve, Code, RunbookError
from tasks.model.postmortem.follow_up import FollowUp, FollowUps
from tasks.model.postmortem.postmortem import PostmortemCase
from tasks.rules.formats.time import parse_time, utc_text
from tasks.rules.incidents.paths import file_stem
from tasks.rules.postmortem.follow_up_lines import as_shown, with_drafts, with_edits
from tasks.rules.postmortem.follow_ups import follow_ups
from tasks.settings import RunbookSettings

FOLDER, DOCUMENTS, ENDING = "follow_ups", "postmortems", ".json"
# Until when a service has nothing to be reminded of or handed over; without it, somebody has to look.
QUIET = ".quiet"


def drafted(settings: RunbookSettings, case: PostmortemCase, standing: str | None) -> FollowUps:
    """Give the follow-ups of an incident that is over: kept ones, with a person's edits, and what is drafted now.

    Runbook: §5.2.
    Errors: `FILE_UNREADABLE`; nothing is written.
    """
    incident, now = case.incident, datetime.now(UTC)
    none = FollowUps(incident_id=incident.incident_id, service=incident.service)
    known = with_edits(load(settings.state_dir, incident.incident_id) or none, standing, settings.follow_ups, now)
    found = with_drafts(known, follow_ups(case), incident, settings.follow_ups, now)
    # What is drafted just now may stand in the document: a run was killed between the two files.
    return with_edits(found, standing, settings.follow_ups, now)


def keep(state_dir: Path, found: FollowUps, document: str) -> None:
    """Keep follow-ups, each with its line as the postmortem has it now; the caller holds the lock.

    Errors: `SINK_UNWRITABLE`.
    """
    _write(state_dir, as_shown(found, document))


def list_follow_ups(settings: RunbookSettings) -> tuple[tuple[FollowUp, ...], tuple[str, ...]]:
    """List every follow-up with what people changed in its postmortem, the earliest due first; name broken files.

    Errors: none; a broken file hides no other.
    """
    found: list[FollowUp] = []
    broken: list[str] = []
    for path in _paths(settings.state_dir):
        try:
            found += _with_edits(settings, _read(path)).items
        except CannotObserve as error:
            broken.append(str(error))
    return tuple(sorted(found, key=lambda one: (one.due, one.follow_up_id))), tuple(broken)


def change_follow_up(settings: RunbookSettings, follow_up_id: str, change: Callable[[FollowUp], FollowUp]) -> FollowUp:
    """Write what a person decided into a follow-up, as its file and its postmortem hold it at this moment.

    Errors: `BAD_ARGUMENT` when there is none of that name, `FILE_UNREADABLE`, `SINK_UNWRITABLE`.
    """
    with one_writer(settings.state_dir, FOLDER):
        for path in _paths(settings.state_dir):
            with suppress(CannotObserve):
                known = _with_edits(settings, _read(path))
                if any(one.follow_up_id == follow_up_id for one in known.items):
                    return _changed(settings.state_dir, known, follow_up_id, change)
    detail = f"expected a follow-up such as FU-1a2b3c4d, found {follow_up_id[:40]!r}; see `runbook follow-ups --all`"
    raise RunbookError(Code.BAD_ARGUMENT, detail)


def change_all(settings: RunbookSettings, service: str, change: Callable[[FollowUp], FollowUp]) -> None:
    """Write what became of the follow-ups of a service; what changes nothing writes nothing.

    Errors: `SINK_UNWRITABLE`; what cannot be read is left alone.
    """
    with one_writer(settings.state_dir, FOLDER):
        for path in _paths(settings.state_dir):
            with suppress(CannotObserve):
                known = _read(path)
                edited = _with_edits(settings, known)
                changed = edited.model_copy(update={"items": tuple(map(change, edited.items))})
                if known.service == service and changed != known:
                    _write(settings.state_dir, changed, wakes=False)


def load(state_dir: Path, incident_id: str) -> FollowUps | None:
    """Load the follow-ups of one incident, if it has any.

    Errors: `FILE_UNREADABLE`.
    """
    path = _path(state_dir, incident_id)
    return _read(path) if path.exists() else None


def is_quiet(state_dir: Path, service: str, now: datetime) -> bool:
    """Say whether no follow-up of a service is due for a reminder or a hand-over: one small file a run.

    Errors: none; where nobody can say, somebody looks.
    """
    if not (state_dir / FOLDER).is_dir():
        return True
    try:
        until = parse_time((read_whole(_quiet_path(state_dir, service)) or b"").decode("ascii", "replace"))
    except CannotObserve:
        return False
    return until is not None and now < until


def rest_until(state_dir: Path, service: str, until: datetime) -> None:
    """Write that a service has nothing due until a time; a change of its follow-ups takes that back.

    Errors: `SINK_UNWRITABLE`.
    """
    write_whole(_quiet_path(state_dir, service), utc_text(until).encode(), durable=False)


def _changed(state_dir: Path, known: FollowUps, follow_up_id: str, change: Callable[[FollowUp], FollowUp]) -> FollowUp:
    items = tuple(change(one) if one.follow_up_id == follow_up_id else one for one in known.items)
    _write(state_dir, known.model_copy(update={"items": items}))
    return next(one for one in items if one.follow_up_id == follow_up_id)


def _with_edits(settings: RunbookSettings, known: FollowUps) -> FollowUps:
    path = settings.state_dir / DOCUMENTS / f"{file_stem(known.incident_id)}.md"
    document = (read_whole(path) or b"").decode("utf-8", "replace")
    return with_edits(known, document, settings.follow_ups, datetime.now(UTC))


def _write(state_dir: Path, found: FollowUps, *, wakes: bool = True) -> None:
    content = orjson.dumps(found.model_dump(mode="json"), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    path = _path(state_dir, found.incident_id)
    with suppress(CannotObserve):
        if read_whole(path) == content:
            return
    write_whole(path, content)
    if wakes:
        with suppress(OSError):
            _quiet_path(state_dir, found.service).unlink(missing_ok=True)


def _read(path: Path) -> FollowUps:
    try:
        return FollowUps.model_validate_json(read_whole(path) or b"")
    except ValidationError as error:
        fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
        raise unreadable(path, f"no follow-ups, {'.'.join(map(str, fault['loc']))}: {fault['msg']}") from None


def _paths(state_dir: Path) -> Iterable[Path]:
    with suppress(OSError):
        return sorted((state_dir / FOLDER).glob(f"[!.]*{ENDING}"))
    return ()


def _path(state_dir: Path, incident_id: str) -> Path:
    return state_dir / FOLDER / f"{file_stem(incident_id)}{ENDING}"


def _quiet_path(state_dir: Path, service: str) -> Path:
    return state_dir / FOLDER / f"{QUIET}-{service}"
