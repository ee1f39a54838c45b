"""Measure how soon a triage follows trouble between the minutes: the service's incident, the silence of its heartbeat.

Steps:
    1. the whole local stack, its own schedule paused
    2. incidents as the order service posts them, each from an instance of its own, so that none is held back as part
       of a storm: from the event to the run that was created, and to its start
    3. the real order service is frozen (SIGSTOP) at any moment: from there to the start of the run that the monitoring
       of hangs asks for; it is let go at once, so that the next round finds it healthy
    4. the same while that monitoring is frozen, too, so that the missing heartbeat alone tells
"""

import os
import signal
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from bench.figures import Bench, Database, Figure, Run, row
from bench.stack import NAME, BenchStack, bench_stack, expect_completed, since, wait_for
from deployments.stack.ports import MONITORING

GIVE_UP_S = 60.0
NO_RUN = f"NO_RUN: expected a run of triage/event within {GIVE_UP_S:.0f} s was none"
# Two heartbeats and more: silence is only what follows a heartbeat.
BEAT_S = 3.0
# From the monitoring, as from the service, another event starts a run after this at the earliest.
DEBOUNCE_S = 31.0


def measure(run: Run) -> Iterator[Figure]:
    """Take the rounds, after one incident that is not counted: the first run of a worker is slower."""
    with bench_stack(run) as stack:
        incident_round(stack)
        created, started = zip(*(incident_round(stack) for _ in range(run.given.rounds)), strict=True)
        numbers = range(run.given.silences)
        hangs = [silence_round(stack, DEBOUNCE_S * bool(number)) for number in numbers]
        with frozen(stack.record.parts[MONITORING].identity.pid):
            silences = [silence_round(stack, rest_s(number)) for number in numbers]
    yield row("service's incident → run created", "s", created)
    yield row("service's incident → triage started", "s", started)
    yield row("silence → triage started", "s", hangs)
    yield row("silence → triage started, by the heartbeat alone", "s", silences)


def rest_s(number: int) -> float:
    """Begin each round at another moment between two heartbeats."""
    return 2 * BEAT_S + BEAT_S * (number % 5) / 5


def incident_round(stack: BenchStack) -> tuple[float, float]:
    """Post one incident. Units: seconds from the event to the run that was created, and to its start."""
    occurred = datetime.now(UTC)
    event = {
        "id": str(uuid.uuid4()),
        "occurred": occurred.isoformat(),
        "event": f"{NAME}.incident",
        "resource": {"prefect.resource.id": f"order-service.{uuid.uuid4()}", "prefect.resource.name": NAME},
        "payload": {"type": "order_routing_failed"},
    }
    stack.call("POST", "/events", [event])
    run = ended_run(stack, occurred)
    return since(occurred, run["created"]), since(occurred, run["start_time"])


def silence_round(stack: BenchStack, rest_before_s: float) -> float:
    """Freeze the service until a run was created for it. Units: seconds to the start of that run."""
    pid = int(stack.state.pid_file.read_text("utf-8").split()[0])
    time.sleep(rest_before_s)
    silent_at = datetime.now(UTC)
    with frozen(pid):
        wait_for(lambda: runs_after(stack, silent_at), GIVE_UP_S, NO_RUN, every_s=0.1)
    return since(silent_at, ended_run(stack, silent_at)["start_time"])


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def ended_run(stack: BenchStack, after: datetime) -> dict[str, Any]:
    """Wait for the end of the run that an event started after a time.

    Errors: SystemExit when there is none, or it did not complete.
    """
    wait_for(lambda: [one for one in runs_after(stack, after) if one["end_time"]], GIVE_UP_S, NO_RUN, every_s=0.1)
    run = runs_after(stack, after)[0]
    expect_completed(run)
    return run


def runs_after(stack: BenchStack, after: datetime) -> list[dict[str, Any]]:
    """Find the runs that events started after a time, the first one first."""
    begins = {"expected_start_time": {"after_": (after - timedelta(seconds=1)).isoformat()}}
    question = {"flow_runs": {"deployment_id": {"any_": [stack.deployment_id("triage/event")]}, **begins}}
    found = stack.call("POST", "/flow_runs/filter", question)
    # A run that is due while another works is canceled: it checked nothing.
    worked = [one for one in found if since(after, one["created"]) > 0 and one["state_type"] != "CANCELLED"]
    return sorted(worked, key=lambda one: str(one["created"]))


BENCH = Bench("events", measure, tuple(Database), {"rounds": (12, 5), "silences": (3, 1)})
