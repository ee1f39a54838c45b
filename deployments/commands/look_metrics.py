"""`runbook look metrics`: one `GET /metrics`, whole or with the first bad line named."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from deployments.commands.looking import Answer, JsonOutput, Target, exit_code_of, give, target_of
from deployments.views.look import metrics_lines
from deployments.views.terminal import UNSURE, line
from tasks.clients.exposition import read_exposition
from tasks.clients.http_exchange import Call, exchange, http_client
from tasks.model.looks import Exchange, MetricsLook
from tasks.model.metrics import MetricsSnapshot, MetricsUnreadable
from tasks.rules.metrics_answer import judge_metrics, metrics_fault

ODDITIES_SHOWN_COUNT = 5


def look_metrics(*, service: str | None = None, url: str | None = None, json_output: JsonOutput = False) -> None:
    """Read the metrics once; metrics that cannot be read say nothing of the service's health.

    Parameters
    ----------
    service
        Which watched service; may be left out where there is one.
    url
        Ask this address instead, without any settings; a bare host gets `/metrics`.
    json_output
        Print one JSON document, with every sample.
    """
    give(lambda: asyncio.run(metrics_answer(target_of(url, service, "/metrics"))), json_output=json_output)


async def metrics_answer(target: Target) -> Answer:
    """Make the look and lay it out."""
    limits = target.limits
    async with http_client(limits.connect_timeout_s) as client:
        call = Call("GET", target.url, limits.metrics_timeout_s, body_limit_bytes=limits.body_limit_bytes)
        look, read = judged(await exchange(client, call), datetime.now(UTC))
    document = {"service": target.service, "url": target.shown_url, **look.model_dump(mode="json"), **_whole(read)}
    return Answer(document, [*metrics_lines(look), *_odd_lines(read)], exit_code_of([look.seen]))


def judged(answer: Exchange, now: datetime) -> tuple[MetricsLook, MetricsSnapshot | MetricsUnreadable | None]:
    """Judge one answer; the reading is None where nothing came that could be read."""
    fault = metrics_fault(answer, now)
    if fault:
        return fault, None
    headers = {name.lower(): value for name, value in answer.headers}
    read = read_exposition(answer.body.encode(), now, headers.get("content-type", ""))
    return judge_metrics(read, now), read


def _whole(read: MetricsSnapshot | MetricsUnreadable | None) -> dict[str, Any]:
    if not isinstance(read, MetricsSnapshot):
        return {"unreadable": read.model_dump(mode="json") if read else None, "samples": []}
    samples = [{"name": one.name, "labels": dict(one.labels), "value": one.value} for one in read.samples]
    oddities = [one.model_dump(mode="json") for one in read.oddities]
    return {"unreadable": None, "samples": samples, "types": dict(read.types), "oddities": oddities}


def _odd_lines(read: MetricsSnapshot | MetricsUnreadable | None) -> list[Any]:
    if isinstance(read, MetricsUnreadable):
        return [line("  ", (f"line {read.line}", UNSURE), f"  {read.text}")] if read.line else []
    odd = read.oddities[:ODDITIES_SHOWN_COUNT] if read else ()
    return [line("  ", (f"odd line {one.line}", UNSURE), f"  {one.code.value} {one.name}") for one in odd]
