"""Measure how soon a triage follows trouble between the minutes: the service's incident, the silence of its heartbeat.

Steps:
    1. the whole local stack, its own schedule paused
    2. incidents as the order service posts them, each from an instance of its own, so that none is held back as part
       of a storm: from the event to the run that was created, and to its start
    3. the real order service is frozen (SIGSTOP) at any moment: from there to the start of the run that the watch on
       hangs asks for; it is let go at once, so that the next round finds it well
    4. the same while the watch is frozen, too, so that the missing heartbeat alone tells
"""

import argparse
import os
import signal
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from bench.measuring.figures import Figure, Judged, at_most
from bench.measuring.prefect_calls import deployment_id, expect_completed
from bench.measuring.report import Measured, bench_arguments, run_bench
from bench.measuring.stack import BenchStack, bench_stack
from deployments.local_http import ask
from deployments.ports import MONITORING

STARTED_BUDGET_S, CREATED_BUDGET_S = 2.0, 15.0
NAME = "order-service"
GIVE_UP_S = 60.0
# Two heartbeats and more: silence is only what follows a heartbeat.
BEAT_S = 3.0
# From the watch, as from the service, another event starts a run after this at the earliest.
DEBOUNCE_S = 31.0


def main() -> int:
    """Measure, print, write; 3 when a budget was missed, by the median start or the p95 of silence."""
    parser = bench_arguments("bench.events", __doc__)
    parser.add_argument("--rounds", type=int, help="incidents")
    parser.add_argument("--silences", type=int, help="silences")
    given = parser.parse_args()
    given.rounds = given.rounds or (5 if given.quick else 12)
    given.silences = given.silences or (1 if given.quick else 3)
    return run_bench("events", given, measure)


def measure(given: argparse.Namespace) -> Measured:
    """Take the rounds, after one incident that is not counted: the first run of a worker is slower."""
    with bench_stack(given.database) as stack:
        asked = deployment_id(stack.api, "triage/event")
        incident_round(stack.api, asked)
        busy = stack.elsewhere()
        incidents = [incident_round(stack.api, asked) for _ in range(given.rounds)]
        hangs = [silence_round(stack, asked, DEBOUNCE_S * bool(number)) for number in range(given.silences)]
        with frozen(stack.record.parts[MONITORING].identity.pid):
            # Each round begins at another moment between two heartbeats.
            rests_s = [2 * BEAT_S + BEAT_S * (number % 5) / 5 for number in range(given.silences)]
            silences = [silence_round(stack, asked, rest_s) for rest_s in rests_s]
        other_cores = busy.cores()
    created, started = zip(*incidents, strict=True)
    figures = (
        Figure(what="service's incident → run created", unit="s", values=created),
        Figure(what="service's incident → triage started", unit="s", values=started, budget=at_most(STARTED_BUDGET_S)),
        Figure(
            what="silence → triage started", unit="s", values=tuple(hangs), budget=at_most(CREATED_BUDGET_S, Judged.P95)
        ),
        Figure(
            what="silence → triage started, by the heartbeat alone", unit="s", values=tuple(silences),
            budget=at_most(CREATED_BUDGET_S, Judged.P95),
        ),
    )  # fmt: skip
    return Measured(figures, other_cores, {})


def incident_round(api: str, deployment: str) -> tuple[float, float]:
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
    run = ended_run(api, deployment, occurred)
    return _since(occurred, run["created"]), _since(occurred, run["start_time"])


def silence_round(stack: BenchStack, deployment: str, rest_s: float) -> float:
    """Freeze the service until a run was created for it. Units: seconds to the start of that run."""
    api, pid = stack.api, int(stack.state.pid_file.read_text("utf-8").split()[0])
    time.sleep(rest_s)
    silent_at = datetime.now(UTC)
    with frozen(pid):
        wait_for(lambda: runs_after(api, deployment, silent_at))
    return _since(silent_at, ended_run(api, deployment, silent_at)["start_time"])


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """Stop a process for as long as the block takes."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def ended_run(api: str, deployment: str, since: datetime) -> dict[str, Any]:
    """Wait for the end of the run that was created after a time.

    Errors: SystemExit when there is none, or it did not complete.
    """
    wait_for(lambda: [one for one in runs_after(api, deployment, since) if one["end_time"]])
    run = runs_after(api, deployment, since)[0]
    expect_completed(run)
    return run


def runs_after(api: str, deployment: str, since: datetime) -> list[dict[str, Any]]:
    """Find the runs of a deployment that were created after a time, the first one first."""
    question = {
        "flow_runs": {
            "deployment_id": {"any_": [deployment]},
            "expected_start_time": {"after_": (since - timedelta(seconds=1)).isoformat()},
        }
    }
    found = ask(f"{api}/flow_runs/filter", question, timeout_s=10.0) or []
    # A run that is due while another works is canceled: it looked at nothing.
    worked = [one for one in found if _since(since, one["created"]) > 0 and one["state_type"] != "CANCELLED"]
    return sorted(worked, key=lambda one: str(one["created"]))


def wait_for(holds: Callable[[], object]) -> None:
    """Poll until it holds.

    Errors: SystemExit when it does not in time.
    """
    deadline = time.monotonic() + GIVE_UP_S
    while not holds():
        if time.monotonic() > deadline:
            raise SystemExit(f"NO_RUN: expected a run of triage/event within {GIVE_UP_S:.0f} s was none")
        time.sleep(0.1)


def _since(start: datetime, moment: str) -> float:
    return (datetime.fromisoformat(moment) - start).total_seconds()


if __name__ == "__main__":
    sys.exit(main())
