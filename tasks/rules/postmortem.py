"""Write the short postmortem of one incident from its ledger records (§5.1)."""

from tasks.model.incident import Event, IncidentState, LedgerRecord
from tasks.rules.cells import cell
from tasks.rules.times import utc_text


def postmortem_markdown(incident: IncidentState, records: tuple[LedgerRecord, ...]) -> str:
    """Write timeline, cause and remediation, each timeline row with its line in `incidents.jsonl`.

    Runbook: §5.1 Timelines, root cause and remediation in a short postmortem.
    """
    return "\n".join([*_head(incident), *_cause(records), *_actions(incident), *_timeline(records)]) + "\n"


def _head(incident: IncidentState) -> list[str]:
    end = utc_text(incident.closed_at) if incident.closed_at else "still open"
    took = f"{(incident.closed_at - incident.opened_at).total_seconds():.0f} s" if incident.closed_at else "not yet"
    return [
        f"# Postmortem of {incident.incident_id}",
        "",
        f"- Service: {cell(incident.service)}",
        f"- Opened: {utc_text(incident.opened_at)}",
        f"- Closed: {end} (after {took})",
        f"- Cause: {', '.join(cause.value.replace('_', ' ') for cause in incident.causes)}",
    ]


def _cause(records: tuple[LedgerRecord, ...]) -> list[str]:
    diagnosed = next((record for record in records if record.event == Event.DIAGNOSED), None)
    if diagnosed is None:
        return []
    return ["", "## Root cause", "", *_list(diagnosed, "because"), "", "Ruled out:", "", *_list(diagnosed, "ruled_out")]


def _list(record: LedgerRecord, key: str) -> list[str]:
    found = record.details.get(key)
    lines = [f"- {cell(str(one))}" for one in found] if isinstance(found, list) else []
    return lines or ["- nothing recorded"]


def _actions(incident: IncidentState) -> list[str]:
    rows = [f"- {one.action}, {utc_text(one.started_at)}: {one.outcome or 'end not known'}" for one in incident.actions]
    return ["", "## Remediation", "", *(rows or ["- none by the automation"])]


def _timeline(records: tuple[LedgerRecord, ...]) -> list[str]:
    rows = ["", "## Timeline (UTC)", "", "| time | event | what | line |", "|---|---|---|---|"]
    return [*rows, *(_row(record) for record in records)]


def _row(record: LedgerRecord) -> str:
    what, event = cell(record.summary), cell(record.event or record.type)
    return f"| {utc_text(record.timestamp)} | {event} | {what} | {record.line} |"
