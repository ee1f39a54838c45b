"""Measure, fault by fault, how soon it is found, acted on, and proven to be over; the automation is on its own.

Steps:
    1. the whole local stack as it is left alone: its schedule, its automations, its monitoring of hangs
    2. under a flow of orders, one fault of the game day at a time, in the middle of a minute, so that what the minute's
       run alone can find counts half a minute
    3. end what a person would end; triages until no incident is open; the score of `runbook drill` has the times, and
       that every order is proven, none lost and none doubled
"""

import asyncio
import statistics
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime

from bench.figures import Bench, Database, Figure, Run, row
from bench.remedies import settings_of
from bench.stack import NAME, BenchStack, bench_stack, wait_for
from tasks.clients.drills.fixing import fixed
from tasks.clients.drills.injecting import injected
from tasks.clients.drills.notes import end
from tasks.clients.drills.order_flow import begin_orders
from tasks.drills.open_drill import opened
from tasks.drills.score_drill import scored
from tasks.model.drills.drills import DrillContext, DrillName, DrillScore
from tasks.model.errors import RunbookError
from tasks.rules.drills.catalogue import DRILLS, drill_of
from tasks.settings import RunbookSettings
from tasks.work.drills.watching import is_over, reaction_seen

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


def measure(run: Run) -> Iterator[Figure]:
    """Take one fault after the other; one that goes wrong is named, and ends none of the others."""
    scores: list[DrillScore] = []
    failures: list[str] = []
    with bench_stack(run, scheduled=True) as stack:
        settings = settings_of(stack, CONFIRM_FOR_S, TABLES)
        until_over(stack, settings, None)
        for name in run.given.faults * run.given.times:
            try:
                scores.append(one_fault(stack, settings, name))
            except (SystemExit, RunbookError) as error:
                failures.append(f"{name}: {error}")
                sys.stderr.write(f"{error}\n")
    faults = {name: steps_of([one for one in scores if one.drill is name]) for name in {one.drill for one in scores}}
    run.details |= {"confirm_for_s": CONFIRM_FOR_S, "failures": failures}
    run.details["faults"] = [
        {"fault": drill_of(name).fault, **{step: statistics.median(values) for step, values in steps.items()}}
        for name, steps in faults.items()
    ]
    yield row("faults without the expected reaction", "faults", [len(failures)], note="; ".join(failures))
    for name, steps in [("any fault", steps_of(scores)), *faults.items()]:
        for step, values in steps.items():
            yield row(f"{name.replace('_', ' ')}: {step}", "s", values)


def steps_of(scores: list[DrillScore]) -> dict[str, list[float]]:
    """Gather how long each step took; what a person ends has no proof of ours."""
    taken = {
        "found": [one.detect_s for one in scores],
        "acted on": [one.act_s for one in scores],
        "proven": [one.recover_s for one in scores if drill_of(one.drill).expected.heals],
    }
    known = {step: [one for one in values if one is not None] for step, values in taken.items()}
    return {step: values for step, values in known.items() if values}


def one_fault(stack: BenchStack, settings: RunbookSettings, name: DrillName) -> DrillScore:
    """Inject, wait for the automation, end the fault, and wait until all is over.

    Errors: SystemExit where it does not react in time, or an order is lost, doubled or not proven.
    """
    time.sleep((MIDDLE_S - time.time()) % MINUTE_S)
    scene = asyncio.run(opened(settings, name, NAME, ("bench", f"bench-{time.time_ns()}")))
    begin_orders(settings.state_dir, settings.service(NAME))
    none = f"NO_REACTION: expected one to {name} in {REACTS_WITHIN_S:.0f} s; see the ledger"
    try:
        scene = asyncio.run(injected(settings, scene))
        wait_for(lambda: asyncio.run(reaction_seen(settings, scene)), REACTS_WITHIN_S, none, every_s=0.5)
    finally:
        scene = asyncio.run(fixed(settings, scene))
        end(settings, scene)
        until_over(stack, settings, scene)
        score = asyncio.run(scored(settings, scene))
    if score.detect_s is None or score.act_s is None:
        raise SystemExit(none)
    if not score.is_safe:
        raise SystemExit(
            f"UNSAFE: expected nothing forbidden and every order once was {score.forbidden} {score.orders}"
        )
    sys.stderr.write(f"{name}: found {score.detect_s:.1f} s, acted on {score.act_s:.1f} s\n")
    return score


def until_over(stack: BenchStack, settings: RunbookSettings, scene: DrillContext | None) -> None:
    """Run triages until no incident is open and all is healthy, as the minutes would in more time."""
    manual, now = stack.deployment_id("triage/do-triage"), datetime.now(UTC)
    asked = scene or DrillContext(drill=FAULTS[0], service=NAME, by="bench", run_id="bench", opened_at=now)

    def over() -> bool:
        stack.run_to_end(manual)
        return asyncio.run(is_over(settings, asked))

    not_over = f"NOT_OVER: expected a healthy stack in {OVER_WITHIN_S:.0f} s; see `runbook incidents`"
    wait_for(over, OVER_WITHIN_S, not_over, every_s=0.5)


BENCH = Bench("faults", measure, (Database.SQLITE,), {"times": (1, 1), "faults": (FAULTS, QUICK)})
