"""Measure how long a hung service stays hung: from SIGSTOP to a recovery that is proven, and where the time goes.

Steps:
    1. the whole local stack; its own schedule is paused, so that no minute helps
    2. stop the order service with a signal at any moment between two heartbeats: its silence starts a triage, which
       looks, decides, restarts and proves; nobody else tells of it
    3. likewise, with an alert at the moment of the hang, as one that a monitoring of your own would send
    4. read from the ledger and from Prefect when each step began and ended; re-arm, and again
"""

import argparse
import asyncio
import os
import re
import signal
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from bench.events import BEAT_S, ended_run
from bench.measuring.figures import Alternative, Figure, at_most
from bench.measuring.prefect_calls import deployment_id, run_to_end
from bench.measuring.report import Measured, bench_arguments, run_bench
from bench.measuring.stack import BenchStack, bench_stack
from tasks.clients.incident_ledger import read_ledger
from tasks.clients.observe import observe
from tasks.clients.process_look import service_identity
from tasks.model.incident import Event, LedgerRecord
from tasks.rules.recovery import looks_recovered
from tasks.settings import ServiceSettings, load_settings

BUDGET_S = 25.0
NAME = "order-service"
ALERT = {"alert": "health_check_failed"}
# Its defaults: a probe each 10 s, and three that fail in a row, before it even begins to restart.
KUBERNETES_DETECTS_S = 30.0
PHASES = {
    "started": "hang to the start of the triage",
    "looked": "three looks, the patient probe, the diagnosis",
    "prepared": "plan, page, evidence, the last look",
    "restarted": "kill, start, first answer",
    "proven": "proof: good for the whole of confirm_for_s",
}
Phases = dict[str, float]


def main() -> int:
    """Measure, print, write; 3 when the budget was missed."""
    parser = bench_arguments("bench.remedies", __doc__)
    parser.add_argument("--runs", type=int, help="hangs of each kind")
    parser.add_argument("--confirm-for-s", type=int, default=10, help="how long a recovery is proven")
    given = parser.parse_args()
    given.runs = given.runs or (1 if given.quick else 3)
    return run_bench("remedies", given, measure)


def measure(given: argparse.Namespace) -> Measured:
    """Hang the service again and again; the worker's first run is not counted."""
    with bench_stack(given.database) as stack:
        service = settings_of(stack, given.confirm_for_s)
        manual = deployment_id(stack.api, "triage/manual")
        run_to_end(stack.api, manual, ALERT)
        busy = stack.elsewhere()
        silent = [one_hang(stack, service, number, "") for number in range(given.runs)]
        alerted = [] if given.quick else [one_hang(stack, service, number, manual) for number in range(given.runs)]
        other_cores = busy.cores()
    return Measured(tuple(rows_of(silent, alerted, given.confirm_for_s)), other_cores, {})


def rows_of(silent: list[Phases], alerted: list[Phases], confirm_for_s: int) -> list[Figure]:
    """Lay the rows out: the whole under its budget, then its phases."""

    def row(what: str, runs: list[Phases], names: Sequence[str], **more: Any) -> Figure:
        return Figure(what=what, unit="s", values=tuple(sum(one[name] for name in names) for one in runs), **more)

    whole, answers = tuple(PHASES), tuple(PHASES)[:-1]
    detects = Alternative(
        name="Kubernetes liveness, until it detects (by its defaults)", values=(KUBERNETES_DETECTS_S,)
    )
    return [
        row(
            "hang → recovered and verified, found by its silence", silent, whole, budget=at_most(BUDGET_S),
            note=f"verified: good for confirm_for_s = {confirm_for_s}",
        ),
        *(
            [row("hang → recovered and verified, told by an alert at once", alerted, whole, budget=at_most(BUDGET_S))]
            if alerted
            else []
        ),
        row("hang → orders answered again, found by its silence", silent, answers, alternatives=(detects,)),
        *(row(f"  {words}", silent, (name,)) for name, words in PHASES.items()),
    ]  # fmt: skip


def settings_of(stack: BenchStack, confirm_for_s: int) -> ServiceSettings:
    """Set how long a recovery is proven, and read the settings as every run reads them."""
    path = stack.state.settings_file
    text = re.sub(r"confirm_for_s = \d+", f"confirm_for_s = {confirm_for_s}", path.read_text("utf-8"))
    path.write_text(text, "utf-8")
    return load_settings({"RUNBOOK_CONFIG": str(path), "RUNBOOK_STATE_DIR": str(stack.folder)}).service(NAME)


def one_hang(stack: BenchStack, service: ServiceSettings, number: int, alerted: str) -> Phases:
    """Hang the service, and give how long each phase took; `alerted` is the deployment that an alert starts, if one.

    Units: seconds. Errors: SystemExit where it is not well before, or not healed.
    """
    ledger = stack.state.incidents_file
    stack.runbook("rearm", "--reason", "bench")
    until_well(service)
    # Each hang begins at another moment between two heartbeats.
    time.sleep(2 * BEAT_S + BEAT_S * (number % 5) / 5)
    before = len(read_ledger(ledger).records)
    identity = service_identity(service)
    if identity is None:
        raise SystemExit("NOT_WELL: expected a running order service was none; run the bench again")
    hung_at = datetime.now(UTC)
    os.kill(identity.pid, signal.SIGSTOP)
    run = run_to_end(stack.api, alerted, ALERT) if alerted else healing_run(stack, hung_at)
    return phases(hung_at, datetime.fromisoformat(run["start_time"]), read_ledger(ledger).records[before:])


def healing_run(stack: BenchStack, hung_at: datetime) -> dict[str, Any]:
    """Wait for the run that the silence starts, to its end."""
    return ended_run(stack.api, deployment_id(stack.api, "triage/event"), hung_at)


def phases(hung_at: datetime, started_at: datetime, records: Sequence[LedgerRecord]) -> Phases:
    """Cut one recovery into its phases, as the ledger tells them.

    Errors: SystemExit where the ledger tells of no restart that was proven.
    """
    begun = [one for one in records if one.event == Event.ACTION_STARTED]
    ended = [one.timestamp for one in records if one.event == Event.ACTION_FINISHED]
    recovered = [one.timestamp for one in records if one.event == Event.RECOVERED]
    opened = [one.timestamp for one in records if one.event == Event.OPENED]
    if len(begun) != 1 or len(ended) != 2 or not recovered or not opened:
        told = ", ".join(str(one.event) for one in records)
        raise SystemExit(f"NOT_HEALED: expected one restart and its proof was {told}; see the ledger")
    ends = (hung_at, started_at, opened[0], begun[0].timestamp, ended[0], recovered[0])
    return {name: (ends[at + 1] - ends[at]).total_seconds() for at, name in enumerate(PHASES)}


def until_well(service: ServiceSettings) -> None:
    """Wait until a look finds all well.

    Errors: SystemExit where it does not in a minute.
    """
    deadline = time.monotonic() + 60
    while not looks_recovered(asyncio.run(observe(service))).good:
        if time.monotonic() > deadline:
            raise SystemExit("NOT_WELL: expected a healthy order service was none in 60 s; run the bench again")
        time.sleep(0.5)


if __name__ == "__main__":
    sys.exit(main())
