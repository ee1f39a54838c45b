"""Measure how long a hung service stays hung: from SIGSTOP to a recovery that is proven, and where the time goes.

Steps:
    1. the whole local stack; its own schedule is paused, so that no minute helps
    2. stop the order service with a signal at any moment between two heartbeats: its silence starts a triage, which
       checks, decides, restarts and proves; nobody else reports it
    3. the same with an alert at the moment of the hang, as one that a monitoring of your own would send
    4. read from the ledger and from Prefect when each step began and ended; re-arm, and again
"""

import asyncio
import os
import re
import signal
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise

from bench.events import DEBOUNCE_S, ended_run, rest_s
from bench.figures import Bench, Database, Figure, Run, row
from bench.stack import NAME, BenchStack, bench_stack, wait_for
from bench.timeline import pieces
from tasks.clients.incidents.ledger import read_ledger
from tasks.clients.process.probe import service_identity
from tasks.model.incidents.incident import Event, LedgerRecord
from tasks.rules.remediation.recovery import has_recovered
from tasks.settings import RunbookSettings, ServiceSettings, load_settings
from tasks.work.triage.probe_pass import observe

ALERT = {"alert": "health_check_failed"}
# Its defaults: a probe each 10 s, and three that fail in a row, before it even begins to restart.
KUBERNETES = {"Kubernetes liveness, until it detects (by its defaults)": [30.0]}
PHASES = (
    "hang to the start of the triage",
    "three observations, the long probe, the diagnosis",
    "plan, page, evidence, the recheck",
    "kill, start, first answer",
    "proof: healthy for the whole of confirm_for_s",
)


def measure(run: Run) -> Iterator[Figure]:
    """Measure the hangs, after one alert that is not counted."""
    with bench_stack(run) as stack:
        service = settings_of(stack, run.given.confirm_for_s).service(NAME)
        stack.run_to_end(stack.deployment_id("triage/do-triage"), ALERT)
        silent = [one_hang(run, stack, service, number, alerted=False) for number in range(run.given.runs)]
        alerts = range(0 if run.quick else run.given.runs)
        alerted = [one_hang(run, stack, service, number, alerted=True) for number in alerts]

    note = f"proven: healthy for confirm_for_s = {run.given.confirm_for_s}"
    yield row("hang → recovered and proven, found by its silence", "s", map(sum, silent), note=note)
    if alerted:
        yield row("hang → recovered and proven, alerted at once", "s", map(sum, alerted))
    answers = [sum(hang[:-1]) for hang in silent]
    yield row("hang → the service answers again, found by its silence", "s", answers, KUBERNETES)
    for phase, taken in zip(PHASES, zip(*silent, strict=True), strict=True):
        yield row(f"  {phase}", "s", taken)


def settings_of(stack: BenchStack, confirm_for_s: int, more: str = "") -> RunbookSettings:
    """Set how long a recovery is proven, and read the settings as every run reads them."""
    path = stack.state.settings_file
    text = re.sub(r"confirm_for_s = \d+", f"confirm_for_s = {confirm_for_s}", path.read_text("utf-8"))
    path.write_text(text + more, "utf-8")
    return load_settings({"RUNBOOK_CONFIG": str(path), "RUNBOOK_STATE_DIR": str(stack.state.root)})


def one_hang(run: Run, stack: BenchStack, service: ServiceSettings, number: int, *, alerted: bool) -> list[float]:
    """Hang the service, and give how long each phase took; what the last one was made of is kept for its picture.

    Units: seconds. Errors: SystemExit where it is not healthy before, or not recovered.
    """
    ledger = stack.state.incidents_file
    stack.runbook("rearm", "--reason", "bench")
    not_well = "NOT_WELL: expected a healthy order service was none in 60 s; run the bench again"
    wait_for(lambda: has_recovered(asyncio.run(observe(service))).good, 60, not_well, every_s=0.5)
    time.sleep(rest_s(number) + DEBOUNCE_S * bool(number))
    before, identity = len(read_ledger(ledger).records), service_identity(service)
    if identity is None:
        raise SystemExit(not_well)
    hung_at = datetime.now(UTC)
    os.kill(identity.pid, signal.SIGSTOP)
    asked = stack.deployment_id("triage/do-triage")
    ended = stack.run_to_end(asked, ALERT) if alerted else ended_run(stack, hung_at)
    records, started_at = read_ledger(ledger).records[before:], datetime.fromisoformat(ended["start_time"])
    tasks = stack.call("POST", "/task_runs/filter", {"flow_runs": {"start_time": {"after_": hung_at.isoformat()}}})
    run.details["recovery"] = list(pieces(hung_at, started_at, acted(records), tasks))
    return phases(hung_at, started_at, records)


def acted(records: Sequence[LedgerRecord]) -> tuple[datetime, datetime]:
    """Give when the restart began and ended. Errors: SystemExit where there was none."""
    wanted = (Event.ACTION_STARTED, Event.ACTION_FINISHED)
    found = [[one.timestamp for one in records if one.event == event] for event in wanted]
    if not all(found):
        raise SystemExit("NOT_RECOVERED: expected a restart was none; see the ledger")
    return found[0][0], found[1][0]


def phases(hung_at: datetime, started_at: datetime, records: Sequence[LedgerRecord]) -> list[float]:
    """Cut one recovery into its phases, as the ledger has them.

    Errors: SystemExit where the ledger has no restart that was proven.
    """
    at = {event: [one.timestamp for one in records if one.event == event] for event in Event}
    begun, ended = at[Event.ACTION_STARTED], at[Event.ACTION_FINISHED]
    if len(begun) != 1 or len(ended) != 2 or not at[Event.RECOVERED] or not at[Event.OPENED]:
        seen = ", ".join(str(one.event) for one in records)
        raise SystemExit(f"NOT_RECOVERED: expected one restart and its proof was {seen}; see the ledger")
    ends = (hung_at, started_at, at[Event.OPENED][0], begun[0], ended[0], at[Event.RECOVERED][0])
    return [(end - begin).total_seconds() for begin, end in pairwise(ends)]


BENCH = Bench("remedies", measure, tuple(Database), {"runs": (3, 1), "confirm_for_s": (10, 10)})
