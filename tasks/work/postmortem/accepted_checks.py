"""Keep checks under `checks/`, one file each, that a person may read and edit; and load those that are switched on."""

import re
from collections.abc import Callable
from pathlib import Path

import orjson
from pydantic import ValidationError

from tasks.clients.files.atomic import one_writer, read_whole, unreadable, write_whole
from tasks.model.checks.checks import ID_PATTERN, Check, CheckStatus
from tasks.model.errors import CannotObserve, Code, RunbookError

FOLDER = "checks"
ENDING = ".json"
# A run holds every accepted check against its evidence; beyond this many nobody reads the notes.
ACCEPTED_LIMIT_COUNT = 200


def keep_drafts(state_dir: Path, drafts: tuple[Check, ...]) -> tuple[str, ...]:
    """Keep drafts that are new, and name all; one that stands, whatever was decided about it, is left alone.

    Runbook: §5.2.
    Errors: `SINK_UNWRITABLE`.
    """
    if not drafts:
        return ()
    with one_writer(state_dir, FOLDER):
        for draft in drafts:
            path = _path(state_dir, draft.check_id)
            if not path.exists():
                write_whole(path, _json(draft))
    return tuple(draft.check_id for draft in drafts)


def list_checks(state_dir: Path) -> tuple[tuple[Check, ...], tuple[str, ...]]:
    """Load every check that can be read, by name, and say of the others why not.

    Errors: none; a broken file hides no other check.
    """
    found: list[Check] = []
    broken: list[str] = []
    try:
        paths = sorted((state_dir / FOLDER).glob(f"[!.]*{ENDING}"))
    except OSError as error:
        return (), (str(unreadable(state_dir / FOLDER, error.strerror or str(error))),)
    for path in paths:
        try:
            found.append(_load(path))
        except CannotObserve as error:
            broken.append(str(error))
    return tuple(found), tuple(broken)


def accepted_checks(state_dir: Path, service: str) -> tuple[tuple[Check, ...], str]:
    """Load the checks that are switched on for a service, and say what could not be read.

    Runbook: §5.2.
    Errors: none; a check is a note, and stops no triage.
    """
    return accepted_of(*list_checks(state_dir), service)


def accepted_of(checks: tuple[Check, ...], broken: tuple[str, ...], service: str) -> tuple[tuple[Check, ...], str]:
    """Choose the checks that are switched on for a service, and say what could not be read.

    Runbook: §5.2.
    """
    accepted = [one for one in checks if one.status is CheckStatus.ACCEPTED and one.service == service]
    left_out = len(accepted) - ACCEPTED_LIMIT_COUNT
    notes = [
        *broken,
        *([f"{left_out} accepted checks beyond {ACCEPTED_LIMIT_COUNT} are left out"] if left_out > 0 else []),
    ]
    return tuple(accepted[:ACCEPTED_LIMIT_COUNT]), "; ".join(notes)


def load_check(state_dir: Path, check_id: str) -> Check:
    """Load one check.

    Errors: `BAD_ARGUMENT` when there is none of that name, `FILE_UNREADABLE` when its file is broken.
    """
    known = re.fullmatch(ID_PATTERN, check_id) and _path(state_dir, check_id).exists()
    if not known:
        detail = f"expected a check was {check_id[:80]!r}; see `runbook checks`"
        raise RunbookError(Code.BAD_ARGUMENT, detail)
    return _load(_path(state_dir, check_id))


def change_check(state_dir: Path, check_id: str, change: Callable[[Check], Check]) -> Check:
    """Write what a person decided into a check, as its file holds it at this moment; no change writes nothing.

    Errors: `BAD_ARGUMENT`, `FILE_UNREADABLE`, `SINK_UNWRITABLE`.
    """
    with one_writer(state_dir, FOLDER):
        check = load_check(state_dir, check_id)
        changed = change(check)
        if changed != check:
            write_whole(_path(state_dir, check_id), _json(changed))
    return changed


def _load(path: Path) -> Check:
    content = read_whole(path)
    try:
        check = Check.model_validate_json(content or b"")
    except ValidationError as error:
        fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
        raise unreadable(path, f"no check, {'.'.join(map(str, fault['loc']))}: {fault['msg']}") from None
    if f"{check.check_id}{ENDING}" != path.name:
        raise unreadable(path, f"a check named {check.check_id}")
    return check


def _path(state_dir: Path, check_id: str) -> Path:
    return state_dir / FOLDER / f"{check_id}{ENDING}"


def _json(check: Check) -> bytes:
    return orjson.dumps(check.model_dump(mode="json"), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
