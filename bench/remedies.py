"""Measure how long a hung service stays hung: from SIGSTOP to a recovery that is proven, and where the time goes.

Steps:
    1. the whole local stack; its own schedule is paused, so that each run is started by an event, as an alert does
    2. stop the order service with a signal, start a triage, and let it look, decide, restart and prove
    3. read from the ledger and from Prefect when each step began and ended; re-arm, and again
"""

import argparse
import asyncio
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.orders import Elsewhere
from bench.runs import COMMAND, stack
from deployments.local_http import ask
from tasks.clients.incident_ledger import read_ledger
from tasks.clients.observe import observe
from tasks.clients.process_look import service_identity
from tasks.model.incident import Event, LedgerRecord
from tasks.rules.recovery import looks_recovered
from tasks.settings import ServiceSettings, load_settings

BUDGET_S = 25.0
NAME = "order-service"
RESULTS = Path(__file__).parent / "results"
FINAL = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}
PHASES = {
    "started": "trigger to the start of the triage",
    "looked": "three looks, the patient probe, the diagnosis",
    "prepared": "plan, page, evidence, the last look",
    "restarted": "kill, start, first answer",
    "proven": "proof: good for the whole of confirm_for_s",
}


def main() -> int:
    """Measure, print, write the figures; 1 when a run did not heal, 3 when the budget was missed."""
    given = _arguments()
    with tempfile.TemporaryDirectory(prefix="bench-remedies-") as folder, stack(Path(folder), []) as api:
        figures = measure(api, Path(folder), given)
    sys.stdout.write(table(figures))
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "remedies.json").write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    return 0 if figures["total_s"]["median"] <= BUDGET_S else 3


def measure(api: str, folder: Path, given: argparse.Namespace) -> dict[str, Any]:
    """Hang the service again and again; the worker's first run is not counted."""
    path = folder / "runbook.toml"
    text = re.sub(r"confirm_for_s = \d+", f"confirm_for_s = {given.confirm_for_s}", path.read_text("utf-8"))
    path.write_text(text, "utf-8")
    service = load_settings({"RUNBOOK_CONFIG": str(path), "RUNBOOK_STATE_DIR": str(folder)}).service(NAME)
    _triage(api)
    busy = Elsewhere()
    runs = [one_hang(api, folder, service) for _ in range(given.runs)]
    return {
        "measured_at": datetime.now(UTC).isoformat(),
        "runs": given.runs,
        "confirm_for_s": given.confirm_for_s,
        "budget_s": BUDGET_S,
        "other_work_cores": busy.cores(),
        "total_s": _spread([sum(one.values()) for one in runs]),
        "answers_again_s": _spread([sum(one.values()) - one["proven"] for one in runs]),
        **{f"{name}_s": _spread([one[name] for one in runs]) for name in PHASES},
        "each": runs,
    }


def one_hang(api: str, folder: Path, service: ServiceSettings) -> dict[str, float]:
    """Hang the service, start a triage, and give how long each phase took. Units: seconds."""
    _runbook(folder, "rearm", "--reason", "bench")
    _until_well(service)
    before = len(read_ledger(folder / "incidents.jsonl").records)
    identity = service_identity(service)
    if identity is None:
        raise SystemExit("NOT_WELL: expected a running order service was none; run the bench again")
    hung_at = datetime.now(UTC)
    os.kill(identity.pid, signal.SIGSTOP)
    run = _triage(api)
    records = read_ledger(folder / "incidents.jsonl").records[before:]
    return phases(hung_at, datetime.fromisoformat(run["start_time"]), records)


def phases(hung_at: datetime, started_at: datetime, records: Sequence[LedgerRecord]) -> dict[str, float]:
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


def table(figures: dict[str, Any]) -> str:
    """Write the figures for a person."""
    head = f"a hung service (SIGSTOP), triage started by an event, {figures['runs']} runs\n"
    rows = [("hung to recovered and proven", "total"), ("hung to the first answer", "answers_again")]
    rows += [(f"  {words}", name) for name, words in PHASES.items()]
    lines = [
        f"{words:<48}{figures[f'{name}_s']['median']:>7.2f} s{figures[f'{name}_s']['worst']:>8.2f} s"
        for words, name in rows
    ]
    budget = (
        f"budget {BUDGET_S:g} s median with confirm_for_s={figures['confirm_for_s']}; "
        f"other work on the machine {figures['other_work_cores']:.1f} cores\n"
    )
    return f"{head}{'':<48}{'median':>9}{'worst':>10}\n" + "\n".join(lines) + f"\n{budget}"


def _spread(values: list[float]) -> dict[str, float]:
    return {"median": statistics.median(values), "worst": max(values)}


def _until_well(service: ServiceSettings) -> None:
    deadline = time.monotonic() + 60
    while not looks_recovered(asyncio.run(observe(service))).good:
        if time.monotonic() > deadline:
            raise SystemExit("NOT_WELL: expected a healthy order service was none in 60 s; run the bench again")
        time.sleep(0.5)


def _triage(api: str) -> dict[str, Any]:
    deployment = ask(f"{api}/deployments/name/triage/manual") or {}
    body = {"parameters": {"alert": "health_check_failed"}, "idempotency_key": uuid.uuid4().hex}
    run = ask(f"{api}/deployments/{deployment['id']}/create_flow_run", body, timeout_s=30) or {}
    while run.get("state", {}).get("type") not in FINAL:
        time.sleep(0.1)
        run = ask(f"{api}/flow_runs/{run['id']}", timeout_s=30) or run
    if run["state"]["type"] != "COMPLETED":
        raise SystemExit(f"NOT_COMPLETED: expected a completed triage was {run['state']['type']}")
    return dict(run)


def _runbook(folder: Path, *words: str) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RUNBOOK_", "PREFECT_"))}
    environment = {**kept, "RUNBOOK_STATE_DIR": str(folder)}
    subprocess.run([*COMMAND, *words], env=environment, check=True, stdout=subprocess.DEVNULL)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.remedies", description=__doc__.splitlines()[0] if __doc__ else ""
    )
    parser.add_argument("--runs", type=int, default=7, help="hangs")
    parser.add_argument("--confirm-for-s", type=int, default=10, help="how long a recovery is proven")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
