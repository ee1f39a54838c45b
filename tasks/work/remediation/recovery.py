"""Prove that an action helped, by its effect and not by its exit code (safety rule 10), and record it."""

import asyncio
import time
from collections import deque
from datetime import UTC, datetime

from tasks.clients.incidents.ledger import append_or_keep
from tasks.model.incidents.incident import Event, LedgerRecord, Outcome
from tasks.model.probes.probes import Observation
from tasks.model.remediation.remediation import ActionResult, Recovery, RemediationCase
from tasks.model.reports.progress import LongStep, Progress, Report, unheard
from tasks.rules.in_force.class_standing import class_standings
from tasks.rules.in_force.restrictions import in_force
from tasks.rules.incidents.fold import fold_incidents
from tasks.rules.incidents.hysteresis import keeps_open
from tasks.rules.incidents.transitions import End, ending_records, record_of
from tasks.rules.remediation.planning.due import ends_incident
from tasks.rules.remediation.recovery import LOST_CHECKS_COUNT, has_recovered, is_lost
from tasks.settings import RunbookSettings, ServiceSettings
from tasks.work.triage.context import ledger_or_fault
from tasks.work.triage.probe_pass import observe

LOOK_EVERY_S = 1.0


async def proven(
    settings: RunbookSettings, case: RemediationCase, result: ActionResult, report: Report = unheard
) -> ActionResult:
    """Prove the effect of an action, and record it; where the ledger cannot be written now, once that is possible."""
    recovery = await proven_recovery(settings.service(case.service), report)
    recovery = recovery.model_copy(update={"ended_at": datetime.now(UTC)})
    after = result.model_copy(update={"recovery": recovery})
    _record(settings, case, after, recovery)
    return after


async def proven_recovery(service: ServiceSettings, report: Report = unheard) -> Recovery:
    """Repeat the checks until they have been good for `confirm_for_s`, or `confirm_timeout_s` is over.

    Steps: errors are counted over the very time that is to be good; a check that is not good starts it over. A service
    that is gone again ends the wait at once: it crashed, and what follows a crash must not wait for this.
    """
    started, good_since, count, detail = time.monotonic(), None, 0, "not checked yet"
    first: Observation | None = None
    last_two: deque[Observation] = deque(maxlen=LOST_CHECKS_COUNT)
    while time.monotonic() - started < service.restart.confirm_timeout_s:
        seen = await observe(service)
        verdict = has_recovered(seen, first)
        count, now, detail = count + 1, time.monotonic(), verdict.detail
        first, good_since = (first or seen, good_since or now) if verdict.good else (None, None)
        if good_since is not None and now - good_since >= service.restart.confirm_for_s:
            return Recovery(
                outcome=Outcome.RECOVERED,
                detail=detail,
                good_for_s=round(now - good_since, 1),
                looks_count=count,
                held=in_force(seen),
                standings=class_standings(seen),
            )
        last_two.append(seen)
        if is_lost(last_two):
            detail = f"the service is gone again: {detail}"
            break
        report(_progress(service, now - started, None if good_since is None else now - good_since))
        left_s = service.restart.confirm_for_s - (time.monotonic() - (good_since or time.monotonic()))
        await asyncio.sleep(min(LOOK_EVERY_S, max(0.0, left_s)))
    return Recovery(outcome=Outcome.NOT_RECOVERED, detail=detail, looks_count=count)


def _progress(service: ServiceSettings, spent_s: float, good_for_s: float | None) -> Progress:
    if good_for_s is None:
        return Progress(step=LongStep.NOT_HEALTHY_YET, done=spent_s, of=service.restart.confirm_timeout_s, ticks=True)
    return Progress(step=LongStep.STAYS_HEALTHY, done=good_for_s, of=service.restart.confirm_for_s)


def _record(settings: RunbookSettings, case: RemediationCase, result: ActionResult, recovery: Recovery) -> None:
    ledger, now = settings.ledger(case.service), datetime.now(UTC)
    # What was done is reported and recorded, also where the ledger was lost since.
    known = (*fold_incidents(ledger_or_fault(ledger)[0], case.service), *case.incidents)
    incident = next((one for one in known if one.incident_id == result.planned.incident_id), None)
    if incident is None:
        return
    details: dict[str, object] = {"action": result.action, "key": result.key, "outcome": recovery.outcome}
    proof = record_of(incident, Event.ACTION_FINISHED, now, f"after {result.action}: {recovery.detail}", details)
    ending: tuple[LedgerRecord, ...] = ()
    if recovery.outcome is Outcome.RECOVERED and ends_incident(result.planned):
        because = f"good for {recovery.good_for_s:g} s: {recovery.detail}"
        kept = keeps_open(incident, recovery.held) if recovery.held else ()
        ending = ending_records(incident, now, End(because=because, kept=kept, standings=recovery.standings))
    append_or_keep(ledger, [proof, *ending])
