"""Look at `GET /metrics`."""

from datetime import UTC, datetime

import httpx

from tasks.clients.exposition import read_exposition
from tasks.clients.known_secrets import secret_values
from tasks.clients.order_service import get
from tasks.model.looks import MetricsLook
from tasks.rules.http_words import header
from tasks.rules.metrics_answer import judge_metrics, metrics_fault
from tasks.rules.redaction import without_secrets
from tasks.settings import ServiceSettings


async def metrics_look(client: httpx.AsyncClient, service: ServiceSettings) -> MetricsLook:
    """Read the orders count and the other metrics once.

    Runbook: §1.2 Orders count and other custom metrics.
    Errors: none; a garbage exposition is *metrics unreadable*, which says nothing of the service.
    """
    answer = await get(client, service, "/metrics", service.look.metrics_timeout_s)
    now = datetime.now(UTC)
    kind = header(answer, "content-type") or ""
    look = metrics_fault(answer, now) or judge_metrics(read_exposition(answer.body.encode(), now, kind), now)
    return look.model_copy(update={"detail": without_secrets(look.detail, secret_values(service))})
