"""Look at `GET /metrics`."""

from datetime import UTC, datetime
from functools import partial

from tasks.clients.messages.known_secrets import secret_values
from tasks.clients.service.exposition import read_exposition
from tasks.clients.service.http import HttpClient
from tasks.clients.service.one_pass import pass_under_way
from tasks.clients.service.probes import get
from tasks.model.probes.metrics import MetricsSnapshot, MetricsUnreadable, OddityCode
from tasks.model.probes.probes import Exchange, MetricsProbe
from tasks.rules.messages.redaction import without_secrets
from tasks.rules.probes.http_status import asked_words, header
from tasks.rules.probes.metrics import cut_short, judge_metrics, metrics_fault, not_available
from tasks.rules.service.metric_names import in_our_words
from tasks.settings import ServiceSettings

NONE = "metrics.path is empty"
NO_SUCH_PATH = frozenset({404, 405, 501})


async def metrics_probe(client: HttpClient, service: ServiceSettings) -> MetricsProbe:
    """Read the orders count and the other metrics once, or wait for whom another check of the same pass has asked.

    Runbook: §1.2 Orders count and other custom metrics.
    Errors: none; a garbage exposition is *metrics unreadable*, which says nothing of the service.
    """
    current = pass_under_way()
    ask = partial(_asked, client, service)
    return await (current.metrics(ask) if current else ask())


async def _asked(client: HttpClient, service: ServiceSettings) -> MetricsProbe:
    if not service.metrics.path:
        return not_available(NONE, datetime.now(UTC)).model_copy(update={"asked": "metrics"})
    answer = await get(client, service, service.metrics.path, service.look.metrics_timeout_s)
    now = datetime.now(UTC)
    if answer.http_status in NO_SUCH_PATH and service.is_described and not service.metrics.model_fields_set:
        return not_available(f"http_status={answer.http_status} at {service.metrics.path}; set metrics.path", now)
    probe = metrics_fault(answer, now) or judge_metrics(read_metrics(answer, now, service), now)
    detail = without_secrets(probe.detail, secret_values(service))
    return probe.model_copy(update={"detail": detail, "asked": asked_words(answer)})


def read_metrics(answer: Exchange, now: datetime, service: ServiceSettings) -> MetricsSnapshot | MetricsUnreadable:
    """Read a page of metrics, in our own words.

    Steps: an answer whose length nobody said ended where the connection did; if that is in the middle of a line, the
    rest is missing.
    """
    body = answer.body.encode()
    read = read_exposition(body, now, header(answer, "content-type") or "", len(body))
    if isinstance(read, MetricsUnreadable):
        return read
    is_framed = header(answer, "content-length") or header(answer, "transfer-encoding")
    is_cut = any(one.code is OddityCode.UNFINISHED_LINE for one in read.oddities)
    return in_our_words(cut_short(read) if is_cut and not is_framed else read, service.metrics.names)
