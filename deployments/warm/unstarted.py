"""End what was submitted and does not start: it holds the one place of its deployment, and every later run is canceled.

Prefect itself ends the hold after five minutes. Whichever worker submitted it, and whether that one still lives: a run
that is ended here can no longer begin, since its engine asks Prefect first.
"""

import math
import time
from collections.abc import Container, Iterable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelled

from deployments.warm.adoption import Ours, runs_in
from deployments.warm.attempts import Attempts
from deployments.warm.places import read_place
from tasks.clients.process.sessions import kill_session

# A worker that lives gives a run its process within a second or two, and after its own start within ten.
PROCESS_WITHIN_S = 20.0
# Our own fork server may still import; see `fork_servers`.
OURS_WITHIN_S = 45.0
# A run is taken up to eight seconds ahead of its time, and then imports its flow.
BEGUN_WITHIN_S = 30.0
# Without a place nobody waits for it.
PLACELESS_WITHIN_S = 60.0
CHECK_EVERY_S = 9.0
# After a longer pause (Prefect was away, the machine slept) everybody has their time again.
PAUSE_S = 25.0


class Unstarted:
    """The runs that are taken and not begun, and for how long this worker has seen them so, by its own clock."""

    def __init__(self) -> None:
        self._since_s: dict[tuple[UUID, datetime | None], float] = {}
        self._checked_at_s = -math.inf

    def is_due(self, now_s: float) -> bool:
        """Say whether to check now: often only while there is something to watch."""
        return bool(self._since_s) or now_s - self._checked_at_s >= CHECK_EVERY_S

    def overdue(self, runs: Iterable[FlowRun], now_s: float, own: Container[UUID] = ()) -> list[FlowRun]:
        """Take what is pending now, and give those that had their time. Each is given once in that time."""
        known = self._since_s if now_s - self._checked_at_s <= PAUSE_S else {}
        self._checked_at_s = now_s
        waiting = {(run.id, _since(run)): run for run in runs if is_unstarted(run)}
        self._since_s = {key: known.get(key, now_s) for key in waiting}
        found = [key for key, run in waiting.items() if now_s - self._since_s[key] >= limit_s(run, own=run.id in own)]
        for key in found:
            self._since_s[key] = now_s
        return [waiting[key] for key in found]


def is_unstarted(run: FlowRun) -> bool:
    """Say whether a run is taken and not begun; one that is being canceled only where no process could say so."""
    if run.state is None:
        return False
    return run.state.is_pending() or (run.state.is_cancelling() and not run.infrastructure_pid)


def holds_place(run: FlowRun) -> bool:
    return run.state is not None and run.state.state_details.deployment_concurrency_lease_id is not None


def limit_s(run: FlowRun, *, own: bool = False) -> float:
    """Say for how long a run may be taken and not begun. Units: seconds."""
    if run.infrastructure_pid:
        return BEGUN_WITHIN_S if holds_place(run) else math.inf
    if not holds_place(run):
        return PLACELESS_WITHIN_S
    return OURS_WITHIN_S if own else PROCESS_WITHIN_S


class Seen(NamedTuple):
    """Runs that this worker knows: those it is submitting, and those that it will put back by itself."""

    submitting: Container[UUID] = ()
    put_back: Container[UUID] = ()


async def find_overdue(client: PrefectClient, ours: Ours, unstarted: Unstarted, seen: Seen) -> list[FlowRun]:
    """Find the runs of our queues that had their time; one that is put back by itself, and holds no place, has more."""
    now_s = time.monotonic()
    if not unstarted.is_due(now_s):
        return []
    runs = await runs_in(client, ours, [StateType.PENDING, StateType.CANCELLING])
    watched = (run for run in runs if holds_place(run) or run.id not in seen.put_back)
    return unstarted.overdue(watched, now_s, seen.submitting)


async def end(client: PrefectClient, attempts: Attempts, run: FlowRun) -> None:
    """End one run that does not start, with its process where it has one here; its place is free with that.

    Errors: none; a run that has begun or ended in between is left as it is.
    """
    if run.state is not None and run.state.is_cancelling():
        try:
            await client.set_flow_run_state(
                run.id, Cancelled(message="It was canceled before it had a process."), force=True
            )
        except ObjectNotFound:
            return
    elif run.id in attempts.under_way():
        await attempts.give_up(run, why(run))
    else:
        await attempts.report(run, why(run))
        place = read_place(run.infrastructure_pid)
        if place is not None and place.lives:
            kill_session(place.process.pid)


def why(run: FlowRun) -> str:
    missing = "its process had not begun" if run.infrastructure_pid else "it had no process"
    return f"A worker took it and {missing}. It was ended, so that it holds up no other run."


def _since(run: FlowRun) -> datetime | None:
    return run.state.timestamp if run.state else None
