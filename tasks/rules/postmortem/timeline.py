"""The timeline of one incident: what the ledger has of it and of its service beside it, each row with its line."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from tasks.model.incidents.incident import Event, IncidentState
from tasks.model.postmortem.postmortem import NumberedRecord, PostmortemCase
from tasks.rules.formats.json_values import text_of
from tasks.rules.formats.markdown_cells import cell
from tasks.rules.formats.time import LAST, shifted, utc_text

# What the service and people recorded this long before and after belongs to the incident.
BEFORE, AFTER = timedelta(minutes=15), timedelta(minutes=2)
FIRST_ROWS_COUNT, LAST_ROWS_COUNT = 80, 120
SAME_LEAST_COUNT = 4
WHAT_LIMIT_COUNT = 400


class TimelineRow(NamedTuple):
    """One row; one that stands for several records in a row has the line of the first and of the last."""

    at: datetime
    event: str
    what: str
    first_line: int
    last_line: int
    records_count: int = 1

    @property
    def lines(self) -> str:
        """Name the lines in `incidents.jsonl`."""
        one = self.records_count == 1
        return f"line {self.first_line}" if one else f"lines {self.first_line} to {self.last_line}"


def records_beside(incident: IncidentState, records: Iterable[NumberedRecord]) -> tuple[NumberedRecord, ...]:
    """Take what the service and people recorded while an incident ran; of other incidents only when they came and went.

    Runbook: §5.1 Capture timelines.
    """
    since = shifted(incident.opened_at, -BEFORE)
    until = shifted(incident.closed_at, AFTER) if incident.closed_at else LAST
    return tuple(
        one
        for one in records
        if one.record.service in {incident.service, None} and one.record.incident_id != incident.incident_id
        if since <= one.record.timestamp <= until
        if one.record.incident_id is None or one.record.event in {Event.OPENED, Event.CLOSED}
    )


def timeline_lines(case: PostmortemCase) -> list[str]:
    """Write the timeline, in UTC, each row with its line; a list, because pages cut wide tables.

    Runbook: §5.1 Capture timelines.
    """
    rows = timeline_rows(case)
    left_out = rows[FIRST_ROWS_COUNT : max(FIRST_ROWS_COUNT, len(rows) - LAST_ROWS_COUNT)]
    shown = [_row_line(row) for row in rows]
    if left_out:
        words = (
            f"- … {len(left_out)} rows, lines {left_out[0].first_line} to {left_out[-1].last_line}, are left out here"
        )
        shown = [*shown[:FIRST_ROWS_COUNT], words, *shown[-LAST_ROWS_COUNT:]]
    return ["## Timeline", "", "Times are UTC; the line is that in `incidents.jsonl`.", "", *shown]


def timeline_rows(case: PostmortemCase) -> list[TimelineRow]:
    """List what happened, oldest first; the same again and again is one row."""
    records = sorted((*case.records, *case.around), key=lambda one: (one.record.timestamp, one.line))
    return _folded([_row(one, case.incident.incident_id) for one in records])


def _row(one: NumberedRecord, incident_id: str) -> TimelineRow:
    record = one.record
    other = f"{record.incident_id}: " if record.incident_id not in {None, incident_id} else ""
    event = record.type if record.incident_id is None else record.event or record.type
    return TimelineRow(record.timestamp, event, other + _what(one), one.line, one.line)


def _what(one: NumberedRecord) -> str:
    """Say what happened in the record's own words, with what its details decide."""
    record, details = one.record, one.record.details
    said = record.summary or record.type
    match record.event:
        case Event.ACTION_STARTED | Event.ACTION_FINISHED:
            facts = (text_of(details, "outcome"), text_of(details, "code"), text_of(details, "detail"))
            return ": ".join((said, *(fact for fact in facts if fact and fact not in said)))
        case Event.NOTIFIED:
            about = (text_of(details, "key") or "").rpartition("/")[2]
            return f"{said}: {about}" if about else said
        case Event.ACKNOWLEDGED:
            return f"{said} by {text_of(details, 'by') or 'a person'}"
        case _:
            return said


def _folded(rows: list[TimelineRow]) -> list[TimelineRow]:
    found: list[TimelineRow] = []
    for group in _runs(rows):
        if len(group) < SAME_LEAST_COUNT:
            found += group
            continue
        first, last = group[0], group[-1]
        what = f"{len(group)} times until {utc_text(last.at)}; the last: {last.what}"
        found.append(TimelineRow(first.at, first.event, what, first.first_line, last.last_line, len(group)))
    return found


def _runs(rows: list[TimelineRow]) -> Iterable[list[TimelineRow]]:
    """Group neighbors of the same kind; only observations repeat themselves."""
    group: list[TimelineRow] = []
    for row in rows:
        if group and not (row.event == group[-1].event == Event.OBSERVED):
            yield group
            group = []
        group.append(row)
    if group:
        yield group


def _row_line(row: TimelineRow) -> str:
    words = cell(row.event.replace("_", " "), 60)
    return f"- {utc_text(row.at)}, {row.lines}, **{words}**: {cell(row.what, WHAT_LIMIT_COUNT)}"
