"""Check again until there are enough checks to act on, or until one shows nothing wrong (safety rule 1)."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime

from tasks.clients.service.http import http_client
from tasks.clients.service.instances import instance_of
from tasks.clients.service.probes import health_probe
from tasks.model.evidence.evidence import Context
from tasks.model.probes.liveness import Silence
from tasks.model.probes.probes import HealthProbe, Observation
from tasks.model.reports.progress import LongStep, Progress, Report, Unit, unheard
from tasks.rules.diagnosis.confirming import decisive, settled
from tasks.rules.diagnosis.name_causes import worth_confirming
from tasks.rules.diagnosis.watched_silence import checks_before, is_hang_alone, is_of_now, long_probe
from tasks.settings import ServiceSettings
from tasks.work.triage.probe_pass import observe

# How soon it is seen that a question of the hang watch has waited for long enough.
LOOK_AGAIN_S = 0.1
Watched = Callable[[], Silence | None]


def unwatched() -> Silence | None:
    """Say nothing: nobody watches the service."""
    return None


async def confirming_checks(
    service: ServiceSettings,
    first: Observation,
    context: Context | None = None,
    report: Report = unheard,
    watched: Watched = unwatched,
) -> tuple[Observation, ...]:
    """Repeat the pass of checks, at least `confirm_interval_s` apart from start to start.

    With the context, also what only shows against the runs before is checked again.
    `watched` gives what the hang watch sees of the service now. Its open questions count among the confirming checks
    where a hang is all that is wrong; one that has waited for long enough is the long probe.
    Steps:
        1. the last rounds in a row must agree whether the service answers, is silent or is gone: one refused check of
           three is a restart under way, and pages nobody
        2. where health was silent, one more probe waits beside the rounds for longer than any client would, so that a
           slow service is told from a hung one
    """
    waiting = asyncio.create_task(patient_look(service)) if first.health.silent else None
    silent = [one.instance for one in first.instances if one.health.silent]
    long_probes = asyncio.gather(*(patient_look(instance_of(service, name)) for name in silent))
    passes, began_s, least_count = [_after(watched(), service, first)], first.steady_s, service.look.confirm_looks_count
    while not settled(tuple(passes), least_count) and worth_confirming(context, passes[-1]):
        if is_hang_alone(context, tuple(passes)):
            break
        report(_progress(service, len(passes)))
        await asyncio.sleep(_gap_s(service, began_s))
        began_s = time.monotonic()
        passes.append(await observe(service))
        passes[0] = _after(watched(), service, first)
    report(_progress(service, len(passes)))
    if waiting is not None:
        patience = await _long_probe(waiting, service, watched)
        passes[-1] = passes[-1].model_copy(update={"patience": patience, "ended_at": datetime.now(UTC)})
    passes[-1] = _with_patience(passes[-1], dict(zip(silent, await long_probes, strict=True)))
    return decisive(tuple(passes), least_count)


def _after(silence: Silence | None, service: ServiceSettings, first: Observation) -> Observation:
    if silence is None or not _is_of(silence, service):
        return first
    before = checks_before(silence, first, service.look, service.health)
    return first.model_copy(update={"checked_before": before})


def _is_of(silence: Silence, service: ServiceSettings) -> bool:
    is_its = silence.url == service.endpoint(service.health.path)
    return is_its and is_of_now(silence, datetime.now(UTC), time.monotonic())


async def _long_probe(waiting: "asyncio.Task[HealthProbe]", service: ServiceSettings, watched: Watched) -> HealthProbe:
    """Wait for the long probe; a question of the hang watch that has waited as long already takes its place."""
    while not waiting.done():
        silence = watched()
        if silence is not None and _is_of(silence, service):
            longest = long_probe(silence, service.look.patience_s, service.health)
            if longest is not None:
                waiting.cancel()
                return longest
        await asyncio.wait({waiting}, timeout=LOOK_AGAIN_S)
    return await waiting


def _with_patience(seen: Observation, probes: dict[str, HealthProbe]) -> Observation:
    if not probes:
        return seen
    instances = tuple(one.model_copy(update={"patience": probes.get(one.instance)}) for one in seen.instances)
    return seen.model_copy(update={"instances": instances, "ended_at": datetime.now(UTC)})


async def patient_look(service: ServiceSettings) -> HealthProbe:
    """Ask `GET /health` once, and wait `patience_s` for it."""
    long_probe = service.look.model_copy(update={"health_timeout_s": service.look.patience_s})
    async with http_client(service.http, service.look.connect_timeout_s) as client:
        look = await health_probe(client, service.model_copy(update={"look": long_probe}))
    return look.model_copy(update={"steady_s": time.monotonic()})


def _progress(service: ServiceSettings, looks_count: int) -> Progress:
    step, of = LongStep.CONFIRM_FAILURE, service.look.confirm_looks_count
    return Progress(step=step, done=looks_count, of=of, unit=Unit.CHECKS)


def _gap_s(service: ServiceSettings, began_s: float | None) -> float:
    interval_s = service.look.confirm_interval_s
    spent_s = 0.0 if began_s is None else time.monotonic() - began_s
    return min(interval_s, max(0.0, interval_s - spent_s))
