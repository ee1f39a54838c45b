"""Measure, fault by fault, how soon it is found, acted on, and proven to be over; the automation is on its own.

Steps:
    1. the whole local stack as it is left alone: its schedule, its automations, its watch on hangs
    2. under a flow of orders, one fault of the game day at a time, in the middle of a minute, so that what the minute's
       run alone can find counts half a minute
    3. from the ledger: injection to the opened incident, to the end of the last action, to the proof
    4. heal what a person would heal; every order is proven, none lost and none doubled; close, and the next one
"""

import argparse
import asyncio
import re
import statistics
import sys
import time
from datetime import UTC, datetime
from typing import NamedTuple

from bench.measuring.figures import Figure, at_most
from bench.measuring.prefect_calls import deployment_id, run_to_end
from bench.measuring.report import Measured, bench_arguments, run_bench
from bench.measuring.stack import BenchStack, bench_stack
from tasks.clients.drills.healing import healed
from tasks.clients.drills.injecting import injected
from tasks.clients.drills.notes import end
from tasks.clients.drills.order_flow import begin_orders, end_orders
from tasks.clients.drills.watching import is_over, reaction_seen, records_since
from tasks.model.drills import DrillName, DrillScene
from tasks.model.errors import RunbookError
from tasks.model.incident import Event, Outcome
from tasks.open_drill import opened
from tasks.rules.drills.drill_table import DRILLS, drill_of
from tasks.rules.json_values import text_of
from tasks.settings import RunbookSettings, load_settings

NAME = "order-service"
QUICK = (DrillName.SERVICE_STOPPED, DrillName.GATEWAY_KILLED)
FAULTS = tuple(name for name, drill in DRILLS.items() if not drill.expected.is_control)
# Trading hours, the time to a closed incident and the wait for flapping would make a fault of this hour another one.
TABLES = """
[services.order-service.limits]
close_good_count = 1
close_good_s = 0

[services.order-service.escalation]
flapping_window_s = 0

[services.order-service.calendars]
equity = "24/7"
future = "24/7"
fx = "24/7"
crypto = "24/7"
"""
CONFIRM_FOR_S = 10
MINUTE_S, MIDDLE_S = 60.0, 30.0
REACTS_WITHIN_S, OVER_WITHIN_S = 180.0, 120.0
POLL_S = 0.5


class Course(NamedTuple):
    """One fault, from its injection. Units: seconds; `proven_s` None where a person has to end it."""

    fault: DrillName
    found_s: float
    acted_s: float
    proven_s: float | None


def main() -> int:
    """Measure, print, write."""
    parser = bench_arguments("bench.faults", __doc__)
    parser.add_argument("--times", type=int, default=1, help="how often each fault")
    parser.add_argument("--faults", nargs="+", type=DrillName, choices=FAULTS, help="these alone")
    given = parser.parse_args()
    given.faults = given.faults or (QUICK if given.quick else FAULTS)
    return run_bench("faults", given, measure)


def measure(given: argparse.Namespace) -> Measured:
    """Take one fault after the other."""
    with bench_stack(given.database, scheduled=True) as stack:
        settings = prepared(stack)
        until_over(stack, settings, None)
        busy = stack.elsewhere()
        courses, failures = all_faults(stack, settings, [name for _ in range(given.times) for name in given.faults])
        seen = [name for name in given.faults if name in {one.fault for one in courses}]
        details = {"confirm_for_s": CONFIRM_FOR_S, "failures": failures, "faults": [told(courses, one) for one in seen]}
        missed = Figure(
            what="faults without the expected reaction", unit="faults", values=(len(failures),), budget=at_most(0),
            note="; ".join(failures),
        )  # fmt: skip
        return Measured((missed, *rows_of(courses)), busy.cores(), details)


def all_faults(stack: BenchStack, settings: RunbookSettings, names: list[DrillName]) -> tuple[list[Course], list[str]]:
    """Take one fault after the other; one that goes wrong is named, and ends none of the others."""
    courses, failures = [], []
    for name in names:
        try:
            courses.append(one_fault(stack, settings, name))
        except (SystemExit, RunbookError) as error:
            failures.append(f"{name}: {error}")
            sys.stderr.write(f"{error}\n")
    return courses, failures


def prepared(stack: BenchStack) -> RunbookSettings:
    """Set what must not depend on the hour, and read the settings as every run reads them."""
    path = stack.state.settings_file
    text = re.sub(r"confirm_for_s = \d+", f"confirm_for_s = {CONFIRM_FOR_S}", path.read_text("utf-8"))
    path.write_text(text + TABLES, "utf-8")
    return load_settings({"RUNBOOK_CONFIG": str(path), "RUNBOOK_STATE_DIR": str(stack.folder)})


def one_fault(stack: BenchStack, settings: RunbookSettings, name: DrillName) -> Course:
    """Inject, wait for the automation, heal, and wait until all is over.

    Errors: SystemExit where it does not react in time, or an order is lost, doubled or not proven.
    """
    time.sleep((MIDDLE_S - time.time()) % MINUTE_S)
    sys.stderr.write(f"{name}: ")
    scene = asyncio.run(opened(settings, name, NAME, ("bench", f"bench-{time.time_ns()}")))
    begin_orders(settings.state_dir, settings.service(NAME))
    try:
        scene = asyncio.run(injected(settings, scene))
        until_reacted(settings, scene)
        course = course_of(settings, scene)
    finally:
        scene = asyncio.run(healed(settings, scene))
        end(settings, scene)
        orders = asyncio.run(end_orders(settings.state_dir, settings.service(NAME)))
        until_over(stack, settings, scene)
    if orders.lost or orders.doubled or orders.unproven or orders.blind:
        raise SystemExit(f"ORDERS_WRONG: expected every order once and proven was {orders}")
    sys.stderr.write(f"found {course.found_s:.1f} s, acted {course.acted_s:.1f} s\n")
    return course


def until_reacted(settings: RunbookSettings, scene: DrillScene) -> None:
    """Wait until the automation has done all that is expected of it, and proven what is to be proven."""
    deadline = time.monotonic() + REACTS_WITHIN_S
    while not asyncio.run(reaction_seen(settings, scene)):
        if time.monotonic() > deadline:
            raise SystemExit(f"NO_REACTION: expected one to {scene.drill} in {REACTS_WITHIN_S:.0f} s; see the ledger")
        time.sleep(POLL_S)


def course_of(settings: RunbookSettings, scene: DrillScene) -> Course:
    """Read from the ledger when each step was done."""
    began_at = scene.injected_at or scene.opened_at
    records = [one for one in records_since(settings, scene) if one.timestamp >= began_at]

    def after(moments: list[datetime]) -> float:
        return (max(moments) - began_at).total_seconds()

    found = [one.timestamp for one in records if one.event == Event.OPENED and one.source == "triage"][:1]
    ends = [
        (one.timestamp, text_of(one.details, "outcome", 100)) for one in records if one.event == Event.ACTION_FINISHED
    ]
    acted = [at for at, outcome in ends if outcome == Outcome.DONE]
    proven = [at for at, outcome in ends if outcome == Outcome.RECOVERED]
    if not found or not acted:
        raise SystemExit(
            f"NO_REACTION: expected an incident and an action for {scene.drill} was {ends}; see the ledger"
        )
    heals = drill_of(scene.drill).expected.heals
    return Course(scene.drill, after(found), after(acted), after(proven) if heals and proven else None)


def until_over(stack: BenchStack, settings: RunbookSettings, scene: DrillScene | None) -> None:
    """Run triages until no incident is open and all is well, as the minutes would in more time."""
    manual = deployment_id(stack.api, "triage/manual")
    asked = scene or DrillScene(
        drill=FAULTS[0], service=NAME, by="bench", run_id="bench", opened_at=datetime.now(UTC)
    )  # fmt: skip
    deadline = time.monotonic() + OVER_WITHIN_S
    run_to_end(stack.api, manual)
    while not asyncio.run(is_over(settings, asked)):
        if time.monotonic() > deadline:
            raise SystemExit(
                f"NOT_OVER: expected a stack that is well in {OVER_WITHIN_S:.0f} s; see `runbook incidents`"
            )
        time.sleep(POLL_S)
        run_to_end(stack.api, manual)


def rows_of(courses: list[Course]) -> list[Figure]:
    """Lay the rows out: all faults together, then each of them."""
    proven = tuple(one.proven_s for one in courses if one.proven_s is not None)
    if not courses:
        return []
    found = [
        Figure(what="any fault → incident opened", unit="s", values=tuple(one.found_s for one in courses)),
        Figure(what="any fault → last action done", unit="s", values=tuple(one.acted_s for one in courses)),
    ]
    if proven:
        found.append(Figure(what="what it heals by itself → recovery proven", unit="s", values=proven))
    for name in dict.fromkeys(one.fault for one in courses):
        found += rows_of_fault(name, [one for one in courses if one.fault is name])
    return found


def rows_of_fault(name: DrillName, courses: list[Course]) -> list[Figure]:
    """Lay the rows of one fault out; what a person ends has no proof of ours."""
    steps = {"found": [one.found_s for one in courses], "acted on": [one.acted_s for one in courses]}
    steps["proven"] = [one.proven_s for one in courses if one.proven_s is not None]
    return [
        Figure(what=f"{name.replace('_', ' ')}: {step}", unit="s", values=tuple(seconds))
        for step, seconds in steps.items()
        if seconds
    ]


def told(courses: list[Course], name: DrillName) -> dict[str, object]:
    """Say of one fault, in the middle, how long each step took."""
    ours = [one for one in courses if one.fault is name]
    proven = [one.proven_s for one in ours if one.proven_s is not None]
    return {
        "fault": drill_of(name).fault,
        "found_s": statistics.median(one.found_s for one in ours),
        "acted_s": statistics.median(one.acted_s for one in ours),
        "proven_s": statistics.median(proven) if proven else None,
    }


if __name__ == "__main__":
    sys.exit(main())
