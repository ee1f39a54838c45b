"""The exposition as the triage itself reads it."""

import pytest

from tasks.clients.service.http import http_client
from tasks.clients.service.metrics import metrics_probe
from tasks.model.probes.probes import MetricsProbe, Seen
from tasks.model.service.http_settings import HttpSettings
from tasks.settings import ServiceSettings
from tests.fakes.service.scripted import replied, scripted
from tests.fakes.service.wire import answering, exactly

OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


async def look(body: str, kind: str) -> MetricsProbe:
    """One look of a triage at these metrics."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    async with answering(exactly((head + body).encode())) as url, http_client(HttpSettings(), 1.0) as client:
        return await metrics_probe(client, ServiceSettings.model_validate({"base_url": url}))


@pytest.mark.parametrize(
    ("body", "kind", "seen"),
    [
        ("# TYPE orders counter\norders_total 12\n# EOF\n", OPENMETRICS, Seen.PASSED),
        ("# TYPE orders counter\norders_total 12\n", OPENMETRICS, Seen.FAILED),
        ("# TYPE orders counter\norders_total 12\n", "text/plain; version=0.0.4", Seen.PASSED),
    ],
)
async def test_openmetrics_without_its_end_are_cut_off(body: str, kind: str, seen: Seen) -> None:
    """Half of the numbers passed in a triage, where `runbook inspect metrics` called them cut off."""
    found = await look(body, kind)

    assert found.seen is seen
    assert found.orders_count == (12 if seen is Seen.PASSED else None)


@pytest.mark.parametrize(
    ("described", "seen", "paths"),
    [
        ({"metrics": {"path": ""}}, Seen.NOT_CONFIGURED, []),
        ({"metrics": {"path": "/prometheus"}}, Seen.FAILED, ["/prometheus"]),
        ({"health": {"path": "/ping", "body_matches": "OK"}}, Seen.NOT_CONFIGURED, ["/metrics"]),
        ({}, Seen.FAILED, ["/metrics"]),
    ],
)
async def test_metrics_that_nobody_described_are_no_fault(
    described: dict[str, object], seen: Seen, paths: list[str]
) -> None:
    """The bundled service has them, and so has one that says where."""
    async with scripted(lambda _: replied(404)) as (url, kept), http_client(HttpSettings(), 1.0) as client:
        probe = await metrics_probe(client, ServiceSettings.model_validate({"base_url": url, **described}))

    assert (probe.seen, [one.path for one in kept]) == (seen, paths)
    assert probe.detail.startswith("not available") is (seen is Seen.NOT_CONFIGURED)
