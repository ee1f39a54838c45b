"""`runbook triage`: start a triage through Prefect, and follow it to its report."""

import sys
import time
from functools import partial
from typing import Annotated, Any

from cyclopts import Parameter

from deployments.creating_runs import RunOrder, create_run
from deployments.last_triage import report_of
from deployments.prefect_door import PrefectDoor, open_door
from deployments.run_progress import RunProgress
from deployments.views.bars import NO_BAR, Bar, progress_bar
from deployments.views.json_document import say_json
from deployments.views.words import say
from tasks.model.incident import AlertType
from tasks.model.modes import Mode
from tasks.model.orders import AssetClass

POLL_S = 0.2
ENDED = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}


def triage(
    *,
    service: str | None = None,
    alert: AlertType | None = None,
    asset_class: AssetClass | None = None,
    note: str = "",
    mode: Mode | None = None,
    json_output: Annotated[bool, Parameter(name="--json", negative=())] = False,
) -> None:
    """Run a triage now; exit 0 when it finished, 1 when our own tool broke.

    Parameters
    ----------
    service
        Which watched service; all of them where it is left out.
    alert
        Which alert fired.
    asset_class
        Which asset class it is about.
    note
        What you saw; shown in the report.
    mode
        Go no further than this.
    json_output
        Print one JSON document.
    """
    door = open_door()
    parameters = {"service": service, "alert": alert, "asset_class": asset_class, "note": note, "mode": mode}
    with progress_bar() as bar:
        run = follow(door, start(door, parameters), bar, quiet=json_output)
    report = report_of(door, run["id"])
    summary = report["description"] if report else run["state"].get("message")
    facts = {"flow_run_id": run["id"], "state": run["state"]["name"], "summary": summary}
    if json_output:
        say_json({**facts, "started_at": run["start_time"], "finished_at": run["end_time"]})
    else:
        say(summary or run["state"]["name"])
    sys.exit(0 if run["state"]["type"] == "COMPLETED" else 1)


def start(door: PrefectDoor, parameters: dict[str, Any], name: str = "triage/manual") -> str:
    """Create a flow run of a deployment.

    Errors: `PREFECT_UNREACHABLE` when the server has no such deployment, refuses, or is away for longer than a moment.
    """
    return create_run(door, RunOrder(deployment=name, parameters=parameters))


def follow(door: PrefectDoor, run_id: str, bar: Bar = NO_BAR, *, quiet: bool, about: str = "") -> dict[str, Any]:
    """Follow the run until it ends; say each state that it goes through, and show how far its step has come."""
    said, progress = "", RunProgress(door, run_id, bar, about)
    while True:
        run = door.ask(f"/flow_runs/{run_id}") or {}
        state = (run.get("state") or {}).get("name", said)
        if state != said and not quiet:
            bar.hidden(partial(say, f"{state}  {run.get('name', '')}"))
        said = state
        if run and run["state"]["type"] in ENDED:
            return dict(run)
        progress.show(state)
        time.sleep(POLL_S)
