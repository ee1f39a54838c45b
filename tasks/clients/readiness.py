"""Ask a service that is being started whether it answers yet; synchronous, because a start waits for it."""

import httpx

from tasks.settings import ServiceSettings

PROBE_TIMEOUT_S = 1.0


def answers_health(service: ServiceSettings) -> bool:
    """Say whether `GET /health` answers 200; ok and degraded both serve. Errors: none; not yet is False."""
    try:
        answer = httpx.get(f"{service.url}/health", timeout=PROBE_TIMEOUT_S, trust_env=False)
    except httpx.HTTPError:
        return False
    return answer.status_code == 200
