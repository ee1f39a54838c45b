"""Ask a service that nobody has described yet how it says that it is healthy, and where its metrics are."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import urlsplit

from tasks.clients.messages.known_secrets import secret_values
from tasks.clients.process.port_holders import program_on
from tasks.clients.service.exposition import read_exposition
from tasks.clients.service.http import HttpClient
from tasks.clients.service.one_pass import service_client
from tasks.clients.service.probes import get
from tasks.model.probes.control import printable_line
from tasks.model.probes.metrics import MetricsSnapshot
from tasks.model.probes.probes import Exchange, Fault
from tasks.rules.messages.redaction import without_secrets
from tasks.rules.probes.http_status import header, status_words
from tasks.rules.service.first_description import FirstAnswers
from tasks.rules.service.health_dialects import HEALTH_PATHS, HealthDialect, health_dialect
from tasks.rules.service.metric_dialects import METRICS_PATHS, MetricDialect, metric_dialects
from tasks.settings import ServiceSettings

LOCAL = {"127.0.0.1", "localhost", "::1"}
EXCERPT_CHARACTERS = 160


class _Health(NamedTuple):
    path: str | None
    dialect: HealthDialect | None
    said: str


class _Metrics(NamedTuple):
    path: str | None
    dialects: tuple[MetricDialect, ...]
    said: str


async def answered_by(service: ServiceSettings) -> FirstAnswers:
    """Ask every path that is in use, one after another and with GET; nothing is changed and no order is sent.

    Errors: none; a service that answers nowhere is described by comments alone.
    """
    async with service_client(service) as client:
        health, metrics = await _health(client, service), await _metrics(client, service)
    url = urlsplit(service.url)
    program = await asyncio.to_thread(program_on, service.port) if url.hostname in LOCAL else None
    return FirstAnswers(service.url, *health, *metrics, process_pattern=program)


async def _health(client: HttpClient, service: ServiceSettings) -> _Health:
    said = []
    async for path, answer in _each(client, service, HEALTH_PATHS):
        if dialect := health_dialect(answer):
            return _Health(path, dialect, "")
        if answer.http_status != 404:
            said.append(f"GET {path} said {_excerpt(service, answer)}")
    return _Health(None, None, "; ".join(said[:3]) or "none of the paths in use is there")


async def _metrics(client: HttpClient, service: ServiceSettings) -> _Metrics:
    said = ""
    async for path, answer in _each(client, service, METRICS_PATHS):
        read = _exposition(answer)
        if read is not None:
            return _Metrics(path, metric_dialects(read), "")
        if answer.http_status in {401, 403}:
            said = said or f"GET {path} said {status_words(answer)}: write its login into the table `http`"
    return _Metrics(None, (), said)


async def _each(
    client: HttpClient, service: ServiceSettings, paths: tuple[str, ...]
) -> AsyncIterator[tuple[str, Exchange]]:
    """Ask each path; a service that does not answer one is not waited for at every other."""
    for path in paths:
        answer = await get(client, service, path, service.look.health_timeout_s)
        yield path, answer
        if answer.http_status is None:
            return


def _exposition(answer: Exchange) -> MetricsSnapshot | None:
    if answer.fault is not Fault.NONE or answer.http_status != 200:
        return None
    read = read_exposition(answer.body.encode(), datetime.now(UTC), header(answer, "content-type") or "")
    return read if isinstance(read, MetricsSnapshot) else None


def _excerpt(service: ServiceSettings, answer: Exchange) -> str:
    said = answer.body.strip()[:EXCERPT_CHARACTERS] if answer.http_status == 200 else ""
    words = said or (status_words(answer) if answer.http_status else answer.detail)
    return without_secrets(printable_line(words), secret_values(service))
