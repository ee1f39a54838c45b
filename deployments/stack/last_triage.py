"""Ask the Prefect server for the last finished triage, what it found, and when the next one is due."""

import re
from typing import Any

from deployments.prefect_api.client import PrefectDoor, is_refused
from tasks.model.errors import Code, RunbookError

FINISHED = ["COMPLETED", "FAILED", "CRASHED"]
_CAUSE_LINE = re.compile(r"^\*\*([a-z ]+?)(?: \(.*\))?, (?:confirmed|likely|inconclusive)\*\* →", re.MULTILINE)

_RESTRICTED = re.compile(r"^# [^ ]+ is up\.")


def last_triage(door: PrefectDoor) -> dict[str, Any] | None:
    """Find the last finished triage.

    Its cause is `healthy`, `restricted`, a cause of the runbook, or None where the tool broke.
    Errors: `PREFECT_UNREACHABLE`: that nobody answers does not mean that none has finished.
    """
    runs = _runs(door, FINISHED, "END_TIME_DESC")
    if not runs:
        return None
    run = runs[0]
    report = report_of(door, run["id"])
    return {
        "started_at": run["start_time"],
        "finished_at": run["end_time"],
        "state": run["state_name"],
        "cause": None if report is None else cause_in(report["data"]),
        "summary": None if report is None else report["description"],
        "flow_run_id": run["id"],
    }


def next_triage_at(door: PrefectDoor) -> str | None:
    """Find when the next triage is due.

    Errors: `PREFECT_UNREACHABLE`.
    """
    runs = _runs(door, ["SCHEDULED", "PENDING"], "EXPECTED_START_TIME_ASC")
    return str(runs[0]["expected_start_time"]) if runs else None


def cause_in(report: str) -> str:
    """Read the most urgent cause out of a triage report; *restricted* where nothing is wrong but something is held."""
    line = _CAUSE_LINE.search(report)
    if line:
        return line.group(1).replace(" ", "_")
    return "restricted" if _RESTRICTED.search(report) else "healthy"


def _runs(door: PrefectDoor, states: list[str], order: str) -> list[dict[str, Any]]:
    question = {
        "flows": {"name": {"any_": ["triage"]}},
        # A triage that another run started looks at one service; what counts is the run that looks at all.
        "flow_runs": {"state": {"type": {"any_": states}}, "parent_task_run_id": {"is_null_": True}},
        "sort": order,
        "limit": 1,
    }
    return _listed(door, "/flow_runs/filter", question)


def report_of(door: PrefectDoor, run_id: str) -> dict[str, Any] | None:
    """Find the report of one triage, or None where it wrote none.

    Errors: `PREFECT_UNREACHABLE`: that nobody answers does not mean that it wrote none.
    """
    question = {
        "flow_runs": {"id": {"any_": [run_id]}},
        "artifacts": {"type": {"any_": ["markdown"]}, "key": {"like_": "triage-"}},
        "limit": 1,
    }
    found = _listed(door, "/artifacts/filter", question)
    return found[0] if found else None


def _listed(door: PrefectDoor, path: str, question: dict[str, Any]) -> list[dict[str, Any]]:
    found = door.ask(path, question)
    if not isinstance(found, list):
        what = "refused" if is_refused(found) else "no usable answer"
        detail = f"expected the triages of Prefect, found {what}, api={door.url}; see its log"
        raise RunbookError(Code.PREFECT_UNREACHABLE, detail, retryable=True)
    return found
