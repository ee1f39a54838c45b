"""Look again until there are enough looks to act on, or until one shows nothing wrong (safety rule 1)."""

import asyncio
import time
from datetime import UTC, datetime

from tasks.clients.http_exchange import http_client
from tasks.clients.observe import observe
from tasks.clients.order_service import health_look
from tasks.model.evidence import Context
from tasks.model.looks import HealthLook, Observation
from tasks.model.progress import LongStep, Progress, Report, Unit, unheard
from tasks.rules.confirming import decisive, settled
from tasks.rules.diagnosis import worth_confirming
from tasks.settings import ServiceSettings


async def confirming_looks(
    service: ServiceSettings, first: Observation, context: Context | None = None, report: Report = unheard
) -> tuple[Observation, ...]:
    """Repeat the round of looks, at least `confirm_interval_s` apart from start to start.

    With the context, also what only shows against the runs before is looked at again.
    Steps:
        1. the last rounds in a row must agree whether the service answers, is silent or is gone: one refused round of
           three is a restart under way, and pages nobody
        2. where health was silent, one more probe waits beside the rounds for longer than any client would, so that a
           slow service is told from a hung one
    """
    waiting = asyncio.create_task(patient_look(service)) if first.health.silent else None
    rounds, began_s, least_count = [first], first.steady_s, service.look.confirm_looks_count
    while not settled(tuple(rounds), least_count) and worth_confirming(context, rounds[-1]):
        report(_progress(service, len(rounds)))
        await asyncio.sleep(_gap_s(service, began_s))
        began_s = time.monotonic()
        rounds.append(await observe(service))
    report(_progress(service, len(rounds)))
    if waiting is not None:
        patience = await waiting
        rounds[-1] = rounds[-1].model_copy(update={"patience": patience, "ended_at": datetime.now(UTC)})
    return decisive(tuple(rounds), least_count)


async def patient_look(service: ServiceSettings) -> HealthLook:
    """Ask `GET /health` once, and wait `patience_s` for it."""
    patient = service.look.model_copy(update={"health_timeout_s": service.look.patience_s})
    async with http_client(service.look.connect_timeout_s) as client:
        look = await health_look(client, service.model_copy(update={"look": patient}))
    return look.model_copy(update={"steady_s": time.monotonic()})


def _progress(service: ServiceSettings, looks_count: int) -> Progress:
    step, of = LongStep.CONFIRM_FAILURE, service.look.confirm_looks_count
    return Progress(step=step, done=looks_count, of=of, unit=Unit.LOOKS)


def _gap_s(service: ServiceSettings, began_s: float | None) -> float:
    interval_s = service.look.confirm_interval_s
    spent_s = 0.0 if began_s is None else time.monotonic() - began_s
    return min(interval_s, max(0.0, interval_s - spent_s))
