"""`runbook triage`: start a triage through Prefect, and follow it to its report."""

import time
from functools import partial
from typing import Annotated, Any

from cyclopts import Parameter

from deployments.commands.answer import FAILED, OK, Answer, end_with
from deployments.commands.options import JsonOutput
from deployments.prefect_api.client import PrefectDoor, open_door
from deployments.prefect_api.create_runs import RunOrder, create_run
from deployments.prefect_api.run_progress import RunProgress
from deployments.stack.last_triage import report_of
from deployments.views.bars import NO_BAR, Bar, progress_bar
from deployments.views.words import say
from tasks.model.incidents.incident import AlertType
from tasks.model.incidents.modes import Mode
from tasks.model.probes.orders import AssetClass

POLL_S = 0.2
ENDED = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}


def triage(
    *,
    service: Annotated[str | None, Parameter(help="The monitored service; default: all of them.")] = None,
    alert: Annotated[AlertType | None, Parameter(help="Which alert fired.")] = None,
    asset_class: Annotated[AssetClass | None, Parameter(help="Which asset class it is about.")] = None,
    note: Annotated[str, Parameter(help="What you saw; shown in the report.")] = "",
    mode: Annotated[Mode | None, Parameter(help="Go no further than this.")] = None,
    json_output: JsonOutput = False,
) -> None:
    """Run a triage now; exit 0 when it finished, 1 when our own tool broke."""
    door = open_door()
    parameters = {"service": service, "alert": alert, "asset_class": asset_class, "note": note, "mode": mode}
    with progress_bar() as bar:
        run = follow(door, start(door, parameters), bar, quiet=json_output)
    report, state = report_of(door, run["id"]), run["state"]
    summary = report["description"] if report else state.get("message")
    document = {
        "flow_run_id": run["id"],
        "state": state["name"],
        "summary": summary,
        "started_at": run["start_time"],
        "finished_at": run["end_time"],
    }
    exit_code = OK if state["type"] == "COMPLETED" else FAILED
    end_with(Answer(document, [summary or state["name"]], exit_code), json_output=json_output)


def start(door: PrefectDoor, parameters: dict[str, Any], name: str = "triage/do-triage") -> str:
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
