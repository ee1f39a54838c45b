"""Look again until there are enough looks to act on, or until one shows nothing wrong (safety rule 1)."""

import asyncio
from datetime import UTC, datetime

from tasks.clients.observe import observe
from tasks.model.looks import Observation
from tasks.rules.causes.unexplained import symptoms
from tasks.settings import ServiceSettings


async def confirming_looks(service: ServiceSettings, first: Observation) -> tuple[Observation, ...]:
    """Repeat the round of looks, at least `confirm_interval_s` apart from start to start."""
    rounds = [first]
    while len(rounds) < service.look.confirm_looks_count and symptoms(rounds[-1]):
        await asyncio.sleep(_gap_s(service, (datetime.now(UTC) - rounds[-1].looked_at).total_seconds()))
        rounds.append(await observe(service))
    return tuple(rounds)


def _gap_s(service: ServiceSettings, spent_s: float) -> float:
    interval_s = service.look.confirm_interval_s
    return min(interval_s, max(0.0, interval_s - spent_s))
