"""Write postmortems under `postmortems/` without losing a person's edit, and mark which incidents are done with."""

import os
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import islice
from pathlib import Path

from tasks.clients.files.atomic import one_writer, read_whole, unreadable, write_whole
from tasks.model.errors import CannotObserve
from tasks.model.incidents.incident import IncidentState
from tasks.model.postmortem.postmortem import Postmortem
from tasks.rules.incidents.paths import file_stem
from tasks.rules.postmortem.merge_edits import composed, without_markers
from tasks.rules.postmortem.picture import picture_name, picture_svg
from tasks.rules.postmortem.template import page_markdown, postmortem_blocks, postmortem_title
from tasks.settings import RunbookSettings
from tasks.work.postmortem.case import keep_facts, known_case
from tasks.work.postmortem.kept_follow_ups import FOLDER as FOLLOW_UPS
from tasks.work.postmortem.kept_follow_ups import drafted, keep

FOLDER, MARKS = "postmortems", ".published"
DONE, OPEN = "done", "open"
# A run that was killed between the end of an incident and its postmortem is completed for this long, a few at once.
COMPLETED_FOR = timedelta(days=14)
AT_ONCE_COUNT = 5


def write_document(
    settings: RunbookSettings, service: str, incident_id: str, faults: tuple[str, ...] = ()
) -> Postmortem:
    """Write the postmortem of one incident or bring it up to date; what a person edited stays.

    Runbook: §5.1 Postmortem.
    Errors: `BAD_ARGUMENT` when nothing is known of the incident, `LEDGER_UNREADABLE`, `FILE_UNREADABLE` when the
    document that stands cannot be read, `SINK_UNWRITABLE`. `faults` are what could not be kept beside it.
    Steps: 1. the facts, so that it can be written again 2. its picture 3. the document 4. its follow-ups
    """
    path = settings.state_dir / FOLDER / f"{file_stem(incident_id)}.md"
    with one_writer(settings.state_dir, FOLDER), one_writer(settings.state_dir, FOLLOW_UPS):
        case = known_case(settings, service, incident_id)
        keep_facts(settings.state_dir, case)
        picture = picture_svg(case)
        _write_changed(path.with_name(picture_name(incident_id)), picture.encode("utf-8", "replace"))
        case = case.model_copy(update={"gaps": (*case.gaps, *faults)})
        standing = _standing(path)
        kept = None if case.incident.is_open else drafted(settings, case, standing)
        case = case.model_copy(update={"follow_ups": kept.items if kept else ()})
        document = composed(postmortem_title(case), postmortem_blocks(case), standing)
        if document.text != standing:
            write_whole(path, document.text.encode("utf-8", "replace"))
        if kept is not None:
            keep(settings.state_dir, kept, document.text)
    return Postmortem(
        incident_id=incident_id,
        path=str(path),
        text=without_markers(document.text),
        picture=picture,
        closed_at=case.incident.closed_at,
        changed=document.text != standing,
        edited=document.edited,
        removed=document.removed,
        regression=case.regression,
        checks=tuple(check.check_id for check in case.checks),
        faults=faults,
    )


def fresh_document(settings: RunbookSettings, service: str, incident_id: str) -> str:
    """Give what would be generated now, without anybody's edits, and touch no file.

    Errors: `BAD_ARGUMENT`, `LEDGER_UNREADABLE`.
    """
    case = known_case(settings, service, incident_id)
    return without_markers(composed(postmortem_title(case), postmortem_blocks(case), None).text)


def unwritten(settings: RunbookSettings, incidents: Iterable[IncidentState], now: datetime) -> tuple[str, ...]:
    """Name the incidents that are over and not done with, the newest first: a run may have been killed.

    Runbook: §5.1.
    Errors: none.
    """
    over = [one for one in incidents if one.closed_at is not None and now - COMPLETED_FOR < one.closed_at]
    newest_first = sorted(over, key=lambda one: one.closed_at or now, reverse=True)
    left = (one.incident_id for one in newest_first if not _mark(settings, one.incident_id).endswith(DONE))
    return tuple(islice(left, AT_ONCE_COUNT))


def is_published(settings: RunbookSettings, postmortem: Postmortem) -> bool:
    """Say whether this very text was published before."""
    return _mark(settings, postmortem.incident_id).startswith(_digest(postmortem))


def mark_written(settings: RunbookSettings, postmortem: Postmortem, *, published: bool) -> None:
    """Mark what was published. An incident that is over, published and without a fault is done with.

    Errors: `SINK_UNWRITABLE`; then the next run writes it again.
    """
    is_done = published and postmortem.closed_at is not None and not postmortem.faults
    before = _mark(settings, postmortem.incident_id)
    digest = _digest(postmortem) if published else before.partition(" ")[0] or "unpublished"
    mark = f"{digest} {DONE if is_done or before.endswith(DONE) else OPEN}"
    with one_writer(settings.state_dir, FOLDER):
        if mark != before:
            write_whole(_mark_path(settings, postmortem.incident_id), mark.encode())


def _write_changed(path: Path, content: bytes) -> None:
    with suppress(CannotObserve):
        if read_whole(path) == content:
            return
    write_whole(path, content)


def _standing(path: Path) -> str | None:
    """Read the document that stands, to the byte; what cannot be read is never written over."""
    content = read_whole(path)
    try:
        return content.decode("utf-8") if content is not None else None
    except UnicodeDecodeError:
        raise unreadable(path, "not UTF-8") from None


def _mark(settings: RunbookSettings, incident_id: str) -> str:
    try:
        content = read_whole(_mark_path(settings, incident_id)) or b""
    except CannotObserve:
        return ""
    return os.fsdecode(content[:200]).strip()


def _mark_path(settings: RunbookSettings, incident_id: str) -> Path:
    return settings.state_dir / FOLDER / MARKS / file_stem(incident_id)


def _digest(postmortem: Postmortem) -> str:
    return sha256(page_markdown(postmortem).encode("utf-8", "replace")).hexdigest()
