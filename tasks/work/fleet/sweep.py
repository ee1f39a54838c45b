"""Check every service of a host once, each in an isolated loop: one that hangs, drips or breaks delays no other."""

import asyncio
import time
from datetime import UTC, datetime

from tasks.clients.evidence.history import history_path, remember_observation
from tasks.clients.logs.scan_logs import logs_check
from tasks.clients.service.isolated_loop import IsolatedLoop, in_own_thread
from tasks.model.diagnosis.diagnosis import Diagnosis, Status
from tasks.model.evidence.evidence import Evidence, TriageRequest
from tasks.model.fleet.sweep import ServiceSeen, Standing, SweepObservations, SweepRequest
from tasks.model.logs.findings import LogCheck, ScanQuestion
from tasks.model.reports.report import TriageStory
from tasks.rules.diagnosis.name_causes import name_cause
from tasks.rules.fleet.sweep import error_lines_count, notes_of, why_triage
from tasks.rules.in_force.headline import held_now, overall_status, story_headline
from tasks.rules.messages.templates import one_line
from tasks.rules.probes.history import past_observation
from tasks.settings import RunbookSettings
from tasks.work.fleet.shared_reads import SharedReads
from tasks.work.triage.context import context_around
from tasks.work.triage.probe_pass import observe

# Python computes in one thread at a time: more at once would only measure each other.
AT_ONCE_COUNT = 3
# Who has waited this long for an answer computes nothing, and lets the next one begin; so does who computes for long.
WAITING_S = 0.2
PLACE_S = 1.5
CHECK_S = 15.0
SWEEP_S = 40.0
LOGS_S = 2.0
SHARED_S = 3.0


async def sweep_observations(settings: RunbookSettings, request: SweepRequest) -> SweepObservations:
    """Check every service of a sweep, a few at a time.

    Runbook: §1.1 to §1.4.
    Errors: none; a service that could not be checked is *blind*, and says why.
    """
    begun_s = time.monotonic()
    reads, places = SharedReads(settings), asyncio.Semaphore(AT_ONCE_COUNT)
    checks = [_Check(settings, reads, request.of(service), begun_s).ended(places) for service in request.services]
    seen = await asyncio.gather(*checks)
    return SweepObservations(services=tuple(seen), unsent_count=await _unsent_count(reads))


class _Check:
    """One pass over one service. Units: seconds on the monotonic clock."""

    def __init__(self, settings: RunbookSettings, reads: SharedReads, asked: TriageRequest, begun_s: float) -> None:
        self._settings, self._reads, self._asked, self._begun_s = settings, reads, asked, begun_s

    async def ended(self, places: asyncio.Semaphore) -> ServiceSeen:
        """Wait for a place, check, and say what came of it."""
        async with places:
            started_s = time.monotonic()
            waited_s = started_s - self._begun_s
            if waited_s > SWEEP_S:
                return self._blind(f"expected a check within sweep_s={SWEEP_S:g} was none; see what takes the machine")
            work = IsolatedLoop(self._checked)
            await work.settled(WAITING_S, PLACE_S)
        seen = await self._result(work)
        took_s = time.monotonic() - started_s
        return seen.model_copy(update={"waited_s": round(waited_s, 3), "took_s": round(took_s, 3)})

    async def _result(self, work: IsolatedLoop[ServiceSeen]) -> ServiceSeen:
        try:
            return await work.result(CHECK_S)
        except TimeoutError:
            return self._blind(f"expected its end within check_s={CHECK_S:g} was none; something blocks it")
        except Exception as error:  # noqa: BLE001 - the door of one service: it reports, and the others go on
            return self._blind(f"{type(error).__name__}: {error}")

    async def _checked(self) -> ServiceSeen:
        context = context_around(
            self._settings, self._asked, datetime.now(UTC), self._reads.kept_of(self._asked.service)
        )
        first = await observe(self._settings.service(self._asked.service))
        evidence = Evidence(context=context, observations=(first,))
        story = TriageStory(evidence=evidence, diagnosis=name_cause(evidence))
        why = why_triage(story)
        return _to_be_triaged(story, why) if why else await self._kept(story)

    async def _kept(self, story: TriageStory) -> ServiceSeen:
        """Keep what a healthy triage keeps. The logs of one that needs a triage are left to that triage."""
        question = ScanQuestion(now=datetime.now(UTC), deadline_s=LOGS_S)
        service = self._asked.service
        logs = await logs_check(self._settings.service(service), self._settings.state_dir, question)
        kept = remember_observation(
            history_path(self._settings, service), past_observation(story.evidence, story.diagnosis)
        )
        unkept = () if kept else ("observation not remembered: the state directory cannot be written",)
        return _healthy(story, logs, unkept)

    def _blind(self, reason: str) -> ServiceSeen:
        return ServiceSeen(
            service=self._asked.service,
            standing=Standing.BLIND,
            because=one_line(reason)[:500],
            looked_at=datetime.now(UTC),
        )


def _to_be_triaged(story: TriageStory, why: str) -> ServiceSeen:
    found: Diagnosis = story.diagnosis
    return ServiceSeen(
        service=story.evidence.context.request.service,
        standing=Standing.NEEDS_TRIAGE,
        because=why,
        looked_at=story.evidence.latest.looked_at,
        status=found.status,
        findings=found.findings,
        notes=notes_of(story),
        past=past_observation(story.evidence, found),
    )


def _healthy(story: TriageStory, logs: LogCheck, unkept: tuple[str, ...]) -> ServiceSeen:
    whole = story.model_copy(update={"logs": logs})
    status = overall_status(story.diagnosis, held_now(story.evidence), story.evidence)
    return ServiceSeen(
        service=story.evidence.context.request.service,
        standing=Standing.HEALTHY if status is Status.OK else Standing.RESTRICTED,
        because=story_headline(story),
        looked_at=story.evidence.latest.looked_at,
        status=status,
        error_lines_count=error_lines_count(logs),
        notes=(*notes_of(whole), *unkept),
    )


async def _unsent_count(reads: SharedReads) -> int:
    """Count what is still to be sent; a disk that does not answer is asked again by the next run."""
    try:
        return await in_own_thread(reads.unsent_count, SHARED_S)
    except TimeoutError:
        return 0
