"""Ask a service that is being started whether it answers yet; synchronous, because a start waits for it."""

from datetime import UTC, datetime

import httpx

from tasks.clients.service.access import access_of
from tasks.model.errors import CannotObserve
from tasks.model.probes.probes import Exchange
from tasks.rules.probes.health import judge_health, serves
from tasks.settings import ServiceSettings

PROBE_TIMEOUT_S = 1.0


def answers_health(service: ServiceSettings) -> bool:
    """Say whether it says that it works; healthy and degraded both do. Errors: none; not yet is False."""
    url = service.endpoint(service.health.path)
    try:
        access = access_of(service.http)
        access.check(url.partition(":")[0])
        name = {"sni_hostname": access.server_name} if access.server_name else None
        client = httpx.Client(timeout=PROBE_TIMEOUT_S, trust_env=False, verify=access.tls, headers=access.headers)
        with client:
            answer = client.get(url, extensions=name)
    except (httpx.HTTPError, CannotObserve):
        return False
    seen = Exchange(method="GET", url=url, http_status=answer.status_code, body=answer.text)
    return serves(judge_health(seen, datetime.now(UTC), service.health))
