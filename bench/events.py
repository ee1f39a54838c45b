"""Measure how soon a triage follows trouble between the minutes: the service's incident, the silence of its heartbeat.

Steps:
    1. the whole local stack, its own schedule paused
    2. incidents as the order service posts them, each from an instance of its own, so that none is held back as part
       of a storm: from the event to the run that was created, and to its start
    3. the real order service is frozen (SIGSTOP) at any moment between two heartbeats: from there to the run that was
       created; it is let go at once, so that the next round finds it well
"""

import argparse
import json
import math
import os
import signal
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.orders import Elsewhere
from bench.runs import stack
from deployments.local_http import ask
from deployments.state_dir import StateDir

STARTED_BUDGET_S, CREATED_BUDGET_S = 2.0, 15.0
RESULTS = Path(__file__).parent / "results"
NAME = "order-service"
GIVE_UP_S = 60.0
# Two heartbeats and more: silence is only what follows a heartbeat.
BEAT_S = 3.0


def main() -> int:
    """Measure, print, write the figures; 3 when a budget was missed, by the median start or the p95 of silence."""
    given = _arguments()
    with tempfile.TemporaryDirectory(prefix="bench-events-") as folder, stack(Path(folder), given.up) as api:
        figures = measure(api, Path(folder), given)
    sys.stdout.write(table(figures))
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "events.json").write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    started, created = figures["incident_to_started"], figures["silence_to_created"]
    return 0 if started["median_s"] <= STARTED_BUDGET_S and created["p95_s"] <= CREATED_BUDGET_S else 3


def measure(api: str, folder: Path, given: argparse.Namespace) -> dict[str, Any]:
    """Take the rounds, after one incident that is not counted: the first run of a worker is slower."""
    asked = ask(f"{api}/deployments/name/triage/event", timeout_s=10.0) or {}
    incident_round(api, asked["id"])
    busy = Elsewhere()
    incidents = [incident_round(api, asked["id"]) for _ in range(given.rounds)]
    incident_cores = busy.cores()
    pid = int(StateDir(folder).pid_file.read_text("utf-8").split()[0])
    busy = Elsewhere()
    silences = [silence_round(api, asked["id"], pid, number) for number in range(given.silences)]
    return {
        "measured_at": datetime.now(UTC).isoformat(),
        "cores": os.cpu_count(),
        "incident_to_created": figures_of([created for created, _ in incidents]),
        "incident_to_started": {**figures_of([started for _, started in incidents]), "budget_s": STARTED_BUDGET_S},
        "incident_other_work_cores": incident_cores,
        "silence_to_created": {**figures_of(silences), "budget_s": CREATED_BUDGET_S},
        "silence_other_work_cores": busy.cores(),
    }


def incident_round(api: str, deployment_id: str) -> tuple[float, float]:
    """Post one incident. Units: seconds from the event to the run that was created, and to its start."""
    occurred = datetime.now(UTC)
    event = {
        "id": str(uuid.uuid4()),
        "occurred": occurred.isoformat(),
        "event": f"{NAME}.incident",
        "resource": {"prefect.resource.id": f"order-service.{uuid.uuid4()}", "prefect.resource.name": NAME},
        "payload": {"type": "order_routing_failed"},
    }
    ask(f"{api}/events", [event], timeout_s=10.0)
    run = ended_run(api, deployment_id, occurred)
    return _since(occurred, run["created"]), _since(occurred, run["start_time"])


def silence_round(api: str, deployment_id: str, pid: int, number: int) -> float:
    """Freeze the service until a run was created for it. Units: seconds."""
    # Each round begins at another moment between two heartbeats.
    time.sleep(2 * BEAT_S + BEAT_S * (number % 5) / 5)
    silent_at = datetime.now(UTC)
    os.kill(pid, signal.SIGSTOP)
    try:
        wait_for(lambda: runs_after(api, deployment_id, silent_at))
    finally:
        os.kill(pid, signal.SIGCONT)
    return _since(silent_at, ended_run(api, deployment_id, silent_at)["created"])


def ended_run(api: str, deployment_id: str, since: datetime) -> dict[str, Any]:
    """Wait for the end of the run that was created after a time.

    Errors: SystemExit when there is none, or it did not complete.
    """
    wait_for(lambda: [one for one in runs_after(api, deployment_id, since) if one["end_time"]])
    run = runs_after(api, deployment_id, since)[0]
    if run["state_type"] != "COMPLETED":
        raise SystemExit(f"NOT_COMPLETED: expected a completed triage was {run['state_name']}")
    return run


def runs_after(api: str, deployment_id: str, since: datetime) -> list[dict[str, Any]]:
    """Find the runs of a deployment that were created after a time."""
    question = {
        "flow_runs": {
            "deployment_id": {"any_": [deployment_id]},
            "expected_start_time": {"after_": (since - timedelta(seconds=1)).isoformat()},
        }
    }
    found = ask(f"{api}/flow_runs/filter", question, timeout_s=10.0) or []
    return [one for one in found if _since(since, one["created"]) > 0]


def wait_for(holds: Callable[[], object]) -> None:
    """Poll until it holds.

    Errors: SystemExit when it does not in time.
    """
    deadline = time.monotonic() + GIVE_UP_S
    while not holds():
        if time.monotonic() > deadline:
            raise SystemExit(f"NO_RUN: expected a run of triage/event within {GIVE_UP_S:.0f} s was none")
        time.sleep(0.1)


def figures_of(seconds: list[float]) -> dict[str, Any]:
    """Summarise one kind of round."""
    return {
        "median_s": statistics.median(seconds),
        "p95_s": sorted(seconds)[math.ceil(0.95 * len(seconds)) - 1],
        "rounds_s": seconds,
    }


def table(figures: dict[str, Any]) -> str:
    """Write the figures for a person."""
    rows = [
        ("incident → run created", "incident_to_created", "incident_other_work_cores"),
        ("incident → run started", "incident_to_started", "incident_other_work_cores"),
        ("silence → run created", "silence_to_created", "silence_other_work_cores"),
    ]
    head = f"{'between the minutes':<26}{'median':>9}{'p95':>9}{'budget':>9}{'rounds':>8}{'other work':>16}\n"
    return head + "".join(_row(words, figures[key], figures[load]) for words, key, load in rows)


def _row(words: str, one: dict[str, Any], other_cores: float) -> str:
    budget = f"{one['budget_s']:.0f} s" if "budget_s" in one else ""
    times = f"{one['median_s']:>7.2f} s{one['p95_s']:>7.2f} s"
    return f"{words:<26}{times}{budget:>9}{len(one['rounds_s']):>8}{other_cores:>10.1f} cores\n"


def _since(start: datetime, moment: str) -> float:
    return (datetime.fromisoformat(moment) - start).total_seconds()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure what starts a triage between the minutes.")
    parser.add_argument("--rounds", type=int, default=20, help="incidents")
    parser.add_argument("--silences", type=int, default=10, help="silences")
    parser.add_argument("--up", nargs="*", default=[], help="further words for `runbook up`")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
