"""Follow-ups as lines of the postmortem: written, read back with what a person changed, and brought up to date."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import NamedTuple

from tasks.model.diagnosis.diagnosis import Audience
from tasks.model.incidents.incident import IncidentState
from tasks.model.postmortem.follow_up import ID_PATTERN, DefaultOwner, FollowUp, FollowUps, FollowUpSettings
from tasks.model.postmortem.postmortem import PostmortemCase
from tasks.rules.formats.markdown_cells import cell
from tasks.rules.incidents.tiers import TIER_NAMES
from tasks.rules.postmortem.follow_ups import Draft, follow_ups

HEADING = "## Follow-ups"
WHAT_LIMIT_COUNT, OWNER_LIMIT_COUNT = 600, 200
_SECTION = re.compile(rf"^{HEADING}[ \t]*$(?P<body>.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_ITEM = re.compile(r"^[ \t]*[-*+] \[(?P<mark>[ xX])\](?P<words>[ \t][^\n]*)$", re.MULTILINE)
_ID = re.compile(rf"\b{ID_PATTERN}\b")
_OWNER = re.compile(r"\*\*(?P<owner>[^*\n]+)\*\*")
_DUE = re.compile(r"\bdue (?P<due>\d{4}-\d{2}-\d{2})\b")
_ESCAPED = re.compile(r"\\([\\`*_{}\[\]<>#|~!@:.])")


class Line(NamedTuple):
    """One line of the section; what it does not say is None. `is_struck` says that a person crossed it out."""

    text: str
    follow_up_id: str | None
    is_done: bool
    owner: str | None
    due: date | None
    what: str
    is_struck: bool


def follow_up_lines(case: PostmortemCase) -> list[str]:
    """Write the follow-ups with owner and date, the checks and the fixture among them; those of an open one as drafts.

    Runbook: §5.2 Checks that catch the like of it earlier.
    """
    if case.follow_ups:
        note = "Tick one, change its owner, date or words, or delete its line; `runbook follow-ups` lists them all."
        return [HEADING, "", note, "", *(follow_up_line(one) for one in case.follow_ups if not one.dropped)]
    rows = [f"- **{TIER_NAMES[one.owner]}**: {cell(one.what)} ({cell(one.why, 200)})" for one in follow_ups(case)]
    note = "Drafts: keep, change or strike them out. What you write here stays."
    return [HEADING, "", note, "", *rows]


def follow_up_line(one: FollowUp) -> str:
    """Write a follow-up as a line that a person may edit: tick it, change its owner, its date or its words."""
    mark = "x" if one.done_at else " "
    why = f" ({cell(one.why, 200)})" if one.why else ""
    return f"- [{mark}] {one.follow_up_id} **{cell(one.owner, 200)}**, due {one.due}: {cell(one.what)}{why}"


def read_lines(document: str) -> tuple[Line, ...] | None:
    """Read the follow-ups of a document; None where it has no such section, which says nothing of any of them."""
    section = _SECTION.search(document)
    if section is None:
        return None
    return tuple(_line(found) for found in _ITEM.finditer(section["body"]) if found["words"].strip())


def with_edits(known: FollowUps, document: str | None, limits: FollowUpSettings, now: datetime) -> FollowUps:
    """Take what a person changed in the postmortem since it was written last; all else stays as it is kept.

    Runbook: §5.1.
    Errors: none. Each field counts by itself: a new owner in the document undoes no *done* of the command line. A line
    that is gone or struck out drops its follow-up; a new one with a box and
    without an id is a follow-up of its own.
    """
    lines = read_lines(document) if document is not None else None
    if lines is None:
        return known
    by_id = {line.follow_up_id: line for line in lines if line.follow_up_id}
    items = tuple(_edited(one, by_id.get(one.follow_up_id), now) for one in known.items)
    ids = {one.follow_up_id for one in items}
    own = (_of_person(line, known, limits, now) for line in lines if not (line.follow_up_id or line.is_struck))
    new = {one.follow_up_id: one for one in own if one.follow_up_id not in ids}
    return known.model_copy(update={"items": (*items, *new.values())})


def with_drafts(
    known: FollowUps, drafts: Iterable[Draft], incident: IncidentState, limits: FollowUpSettings, now: datetime
) -> FollowUps:
    """Add what is drafted now, and let go of a draft that no fact asks for any more and that nobody has touched."""
    fresh = {one.follow_up_id: one for draft in drafts for one in (_of_draft(draft, incident, limits, now),)}
    kept = tuple(one for one in known.items if one.follow_up_id in fresh or _is_touched(one))
    ids = {one.follow_up_id for one in kept}
    brought_up = tuple(_same_fact(one, fresh) for one in kept)
    new = tuple(one for name, one in fresh.items() if name not in ids)
    return known.model_copy(update={"items": (*brought_up, *new)})


def as_shown(known: FollowUps, document: str) -> FollowUps:
    """Keep how the document has each line now."""
    lines = {line.follow_up_id: line.text for line in read_lines(document) or () if line.follow_up_id}
    own = {_own_id(known.incident_id, line.what): line.text for line in read_lines(document) or ()}
    items = (one.model_copy(update={"line": lines.get(one.follow_up_id) or own.get(one.follow_up_id, "")})
             for one in known.items)  # fmt: skip
    return known.model_copy(update={"items": tuple(items)})


def _line(found: re.Match[str]) -> Line:
    words = found["words"].strip()
    named, owner, due = _ID.search(words), _OWNER.search(words), _DUE.search(words)
    ends = [one.end() for one in (named, owner, due) if one]
    _, colon, said = words[max(ends, default=0) :].partition(": ") if named else ("", ":", words)
    return Line(
        text=found.group().strip(),
        follow_up_id=named.group() if named else None,
        is_done=found["mark"] in "xX",
        owner=_plain(owner["owner"], OWNER_LIMIT_COUNT) or None if owner else None,
        due=_date(due["due"]) if due else None,
        what=_plain(said if colon else words, WHAT_LIMIT_COUNT),
        is_struck="~~" in words,
    )


def _edited(one: FollowUp, line: Line | None, now: datetime) -> FollowUp:
    """Take each field in which a line differs from how it was written last."""
    if line is None:
        is_gone = bool(one.line) and one.is_open
        return one.model_copy(update={"dropped": True, "edited": True, "line": ""}) if is_gone else one
    if line.text in {one.line, follow_up_line(one)}:
        return one
    before = next((_line(found) for found in _ITEM.finditer(one.line or follow_up_line(one))), line)
    changes: dict[str, object] = {"line": line.text, "edited": True}
    if line.is_done != before.is_done:
        changes |= {"done_at": now, "done_by": one.owner} if line.is_done else {"done_at": None, "done_by": ""}
    if line.owner and line.owner != before.owner:
        changes["owner"] = line.owner
    if line.due and line.due != before.due:
        changes["due"] = line.due
    if line.what and line.what != before.what:
        changes |= {"what": line.what, "why": ""}
    if line.is_struck != before.is_struck:
        changes["dropped"] = line.is_struck
    return one.model_copy(update=changes)


def _of_person(line: Line, known: FollowUps, limits: FollowUpSettings, now: datetime) -> FollowUp:
    return FollowUp(
        follow_up_id=_own_id(known.incident_id, line.what),
        incident_id=known.incident_id,
        service=known.service,
        tier=Audience.TIER_2,
        owner=line.owner or TIER_NAMES[Audience.TIER_2],
        due=line.due or (now + timedelta(days=limits.due_days)).date(),
        what=line.what,
        created_at=now,
        done_at=now if line.is_done else None,
        edited=True,
        line=line.text,
    )


def _of_draft(draft: Draft, incident: IncidentState, limits: FollowUpSettings, now: datetime) -> FollowUp:
    by_person = incident.acknowledged_by if limits.owner is DefaultOwner.ACKNOWLEDGED else None
    return FollowUp(
        follow_up_id=_own_id(incident.incident_id, draft.what),
        incident_id=incident.incident_id,
        service=incident.service,
        tier=draft.owner,
        owner=(by_person or TIER_NAMES[draft.owner])[:OWNER_LIMIT_COUNT],
        due=(now + timedelta(days=limits.due_days)).date(),
        what=draft.what,
        why=draft.why,
        created_at=now,
    )


def _same_fact(one: FollowUp, fresh: Mapping[str, FollowUp]) -> FollowUp:
    draft = fresh.get(one.follow_up_id)
    return one if draft is None or one.edited else one.model_copy(update={"why": draft.why})


def _is_touched(one: FollowUp) -> bool:
    return one.edited or one.handed_at is not None or not one.is_open


def _own_id(incident_id: str, what: str) -> str:
    named = f"{incident_id}/{what}".encode("utf-8", "replace")
    return f"FU-{hashlib.sha256(named).hexdigest()[:8]}"


def _plain(text: str, limit_count: int) -> str:
    return _ESCAPED.sub(r"\1", " ".join(text.split()))[:limit_count]


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
