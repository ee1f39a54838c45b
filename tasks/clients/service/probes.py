"""The door to the watched order service and its gateways: one probe each, in the words of the HTTP contract."""

from datetime import UTC, datetime
from functools import partial
from urllib.parse import quote

from tasks.clients.messages.known_secrets import secret_values
from tasks.clients.service.connection import connect_once
from tasks.clients.service.http import Call, HttpClient, exchange
from tasks.clients.service.one_pass import pass_under_way, service_client
from tasks.model.probes.probes import Exchange, GatewayProbe, HealthProbe, Seen
from tasks.model.service.gateway_settings import ProbeKind
from tasks.rules.messages.redaction import cleaned, without_secrets
from tasks.rules.probes.clock_skew import clock_skew_s
from tasks.rules.probes.gateway import judge_connection, judge_gateway
from tasks.rules.probes.health import judge_health
from tasks.settings import Gateway, ServiceSettings


async def health_probe(client: HttpClient, service: ServiceSettings) -> HealthProbe:
    """Ask `GET /health` once, as a client would.

    Runbook: §1.2 Quick health checks.
    """
    answer = await get(client, service, service.health.path, service.look.health_timeout_s)
    probe = judge_health(answer, datetime.now(UTC), service.health, logs_in=service.http.logs_in)
    return cleaned(probe, secret_values(service))


async def health_once(client: HttpClient, service: ServiceSettings) -> HealthProbe:
    """Ask `GET /health`, or wait for the answer where another check of the same pass has asked."""
    current = pass_under_way()
    ask = partial(health_probe, client, service)
    return await (current.health(ask) if current else ask())


async def get(client: HttpClient, service: ServiceSettings, path: str, deadline_s: float) -> Exchange:
    return await exchange(
        client, Call("GET", service.endpoint(path), deadline_s, body_limit_bytes=service.look.body_limit_bytes)
    )


async def gateway_probe(service: ServiceSettings, name: str, gateway: Gateway) -> GatewayProbe:
    """Probe a gateway past the service: its own health, or a connection alone.

    Errors: none; one that is not to be probed is *not available*.
    """
    now = datetime.now(UTC)
    if gateway.probe is ProbeKind.NONE:
        detail = 'not available: probe = "none"'
        return GatewayProbe(gateway=name, seen=Seen.NOT_CONFIGURED, detail=detail, looked_at=now, is_asked=False)
    if gateway.probe is ProbeKind.HTTP:
        async with service_client(service, gateway.http) as client:
            answer = await exchange(client, Call("GET", gateway.health_url, service.look.gateway_timeout_s))
        probe = judge_gateway(answer)
    else:
        answer = await connect_once(gateway, service.look.gateway_timeout_s)
        probe = judge_connection(answer)
    now = datetime.now(UTC)
    return GatewayProbe(
        gateway=name,
        seen=probe.seen,
        detail=without_secrets(probe.detail, secret_values(service)),
        looked_at=now,
        fault=probe.fault,
        latency_ms=round(answer.seconds_s * 1000, 2),
        clock_skew_s=clock_skew_s(answer, now),
    )


async def order_status(client: HttpClient, service: ServiceSettings, client_order_id: str) -> Exchange:
    """Ask the journal for one order; an unknown order is asked for, never sent again."""
    return await get(client, service, f"/orders/{quote(client_order_id, safe='')}", service.look.order_timeout_s)
