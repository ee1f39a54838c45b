"""The exposition as the triage itself reads it."""

import pytest

from tasks.clients.http_exchange import http_client
from tasks.clients.metrics_look import metrics_look
from tasks.model.looks import MetricsLook, Seen
from tasks.settings import ServiceSettings
from tests.fakes.wire import answering, exactly

OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


async def look(body: str, kind: str) -> MetricsLook:
    """One look of a triage at these metrics."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    async with answering(exactly((head + body).encode())) as url, http_client(1.0) as client:
        return await metrics_look(client, ServiceSettings.model_validate({"base_url": url}))


@pytest.mark.parametrize(
    ("body", "kind", "seen"),
    [
        ("# TYPE orders counter\norders_total 12\n# EOF\n", OPENMETRICS, Seen.PASSED),
        ("# TYPE orders counter\norders_total 12\n", OPENMETRICS, Seen.FAILED),
        ("# TYPE orders counter\norders_total 12\n", "text/plain; version=0.0.4", Seen.PASSED),
    ],
)
async def test_openmetrics_without_its_end_are_cut_off(body: str, kind: str, seen: Seen) -> None:
    """Half of the numbers passed in a triage, where `runbook look metrics` called them cut off."""
    found = await look(body, kind)

    assert found.seen is seen
    assert found.orders_count == (12 if seen is Seen.PASSED else None)
