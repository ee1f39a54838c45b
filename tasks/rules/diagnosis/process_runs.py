"""Tell from the ledger how the service lived: each start, and whether its end was ordered or a crash."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from tasks.model.diagnosis.changes import ExitReason, ProcessRun
from tasks.model.diagnosis.diagnosis import Cause
from tasks.model.incidents.incident import Action, Event, IncidentState, LedgerRecord, Outcome
from tasks.rules.formats.json_values import text_of
from tasks.rules.incidents.action_history import is_rearm

LIVES_LIMIT_COUNT = 50
# What our start says, and what the service says of a table that it does not take.
FAILED_START, TABLE_REFUSED = "START_FAILED", "ROUTING_TABLE_REFUSED"
QUOTED_COUNT = 600
# A start that a restart ordered comes within this.
COMES_UP_WITHIN = timedelta(seconds=90)


def process_runs(
    records: Iterable[LedgerRecord], incidents: Iterable[IncidentState], since: datetime, now: datetime
) -> tuple[ProcessRun, ...]:
    """Give the lives that ended or began since a time, oldest first; the last one may run still.

    Runbook: §2.1 Check the service process.
    Steps:
        1. each `service_started` begins a life; a `service_stopped` before the next one ends it as ordered
        2. our own restart of a hung service ends it as restarted
        3. any other next start says that it crashed
        4. a restart of ours that no start followed never came up: a crash at once
    """
    restarts = _restarts(incidents)
    lives: list[ProcessRun] = []
    for record in sorted(_of_lives(records, restarts, now), key=lambda one: one[0]):
        at, word, release = record
        if word == "stopped" and lives:
            lives[-1] = _ended(lives[-1], at, ExitReason.STOPPED)
        elif word == "started":
            if lives:
                lives[-1] = _ended(lives[-1], at, _how_it_ended(lives[-1].started_at, at, restarts))
            lives.append(ProcessRun(started_at=at, release=release))
        elif word == "never_came_up":
            if lives:
                lives[-1] = _ended(lives[-1], at, _how_it_ended(lives[-1].started_at, at, restarts))
            lives.append(ProcessRun(started_at=at, ended_at=at, end=ExitReason.CRASHED))
    return tuple(one for one in lives[-LIVES_LIMIT_COUNT:] if one.ended_at is None or one.ended_at > since)


def start_failure(
    records: Iterable[LedgerRecord], table_changed_at: datetime | None, seen_up_at: datetime | None = None
) -> str:
    """Quote how the last start of ours failed, where the service has not started since, and nobody re-armed.

    Runbook: §2.1 Check the service process.
    Steps: a refused routing table that was written again since then is another one, and says nothing.
    """
    found, at = "", None
    for record in records:
        detail = text_of(record.details, "detail", 2000) or ""
        if record.type == "service_started" or is_rearm(record):
            found = ""
        elif record.event == Event.ACTION_FINISHED and FAILED_START in detail:
            found, at = detail[detail.index(FAILED_START) :][:QUOTED_COUNT], record.timestamp
    is_another = at is not None and table_changed_at is not None and table_changed_at > at
    is_up = at is not None and seen_up_at is not None and seen_up_at > at
    return "" if is_up or (TABLE_REFUSED in found and is_another) else found


Restart = tuple[datetime, bool]


def _restarts(incidents: Iterable[IncidentState]) -> list[Restart]:
    """Find our own restarts, and whether each one ended a service that still lived."""
    return [
        (action.started_at, Cause.SERVICE_HUNG in incident.causes)
        for incident in incidents
        for action in incident.actions
        if action.action == Action.RESTART_SERVICE and action.outcome != Outcome.REFUSED
    ]


def _of_lives(
    records: Iterable[LedgerRecord], restarts: list[Restart], now: datetime
) -> list[tuple[datetime, str, str | None]]:
    words = {"service_started": "started", "service_stopped": "stopped"}
    told = [
        (one.timestamp, words[one.type], text_of(one.details, "release", 100)) for one in records if one.type in words
    ]
    starts = [at for at, word, _ in told if word == "started"]
    if not starts:
        return []
    # Only a restart whose time to come up is over has failed.
    failed = [
        (at, "never_came_up", None)
        for at, _ in restarts
        if starts[0] < at < now - COMES_UP_WITHIN and not any(at <= start <= at + COMES_UP_WITHIN for start in starts)
    ]
    return [*told, *failed]


def _how_it_ended(began: datetime, before: datetime, restarts: list[Restart]) -> ExitReason:
    hung = any(was_hung and began < at <= before for at, was_hung in restarts)
    return ExitReason.RESTARTED if hung else ExitReason.CRASHED


def _ended(life: ProcessRun, at: datetime, end: ExitReason) -> ProcessRun:
    if life.end is not ExitReason.RUNNING:
        return life
    return life.model_copy(update={"ended_at": at, "end": end})
