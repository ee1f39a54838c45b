"""Look at `GET /metrics`."""

from datetime import UTC, datetime

import httpx

from tasks.clients.exposition import read_exposition
from tasks.clients.order_service import get
from tasks.model.looks import MetricsLook
from tasks.rules.http_words import header
from tasks.rules.metrics_answer import judge_metrics, metrics_fault
from tasks.settings import ServiceSettings


async def metrics_look(client: httpx.AsyncClient, service: ServiceSettings) -> MetricsLook:
    """Read the orders count and the other metrics once.

    Runbook: §1.2 Orders count and other custom metrics.
    Errors: none; a garbage exposition is *metrics unreadable*, which says nothing of the service.
    """
    answer = await get(client, service, "/metrics", service.look.metrics_timeout_s)
    now = datetime.now(UTC)
    kind = header(answer, "content-type") or ""
    return metrics_fault(answer, now) or judge_metrics(read_exposition(answer.body.encode(), now, kind), now)
