"""The endpoint: `GET /metrics` for Prometheus, `POST /alerts` for Alertmanager; and the hang and stall watches."""

import logging
import secrets
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from deployments.monitoring.alerts import BODY_LIMIT_BYTES, Webhook, read_webhook
from deployments.monitoring.exposition import Exposition
from deployments.monitoring.hang_watch import watch_for_hangs
from deployments.monitoring.prefect_door import start_triage
from deployments.monitoring.stall_watch import StallWatch
from deployments.prefect_server.own_origin import OwnNames, OwnOriginOnly
from tasks.model.errors import RunbookError
from tasks.settings import RunbookSettings

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
LOGGER = logging.getLogger("runbook.monitoring")


def monitoring_app(settings: RunbookSettings) -> Starlette:
    """Make the endpoint of one set of settings."""
    endpoint = Endpoint(settings)

    @asynccontextmanager
    async def watching(_: Starlette) -> AsyncIterator[None]:
        stop = threading.Event()
        hangs = watch_for_hangs(settings, stop)
        watch = StallWatch(settings, datetime.now(UTC), lambda service: hangs[service].seen)
        threading.Thread(target=watch.run, name="stall watch", daemon=True).start()
        yield
        stop.set()
        watch.stop()

    names = OwnNames.of(settings.monitoring_host, hosts=settings.monitoring_names)
    return Starlette(
        lifespan=watching,
        middleware=[Middleware(OwnOriginOnly, names=names)],
        routes=[
            Route("/metrics", endpoint.metrics),
            Route("/health", endpoint.health),
            Route("/alerts", endpoint.alerts, methods=["POST"]),
        ],
    )


class Endpoint:
    """What is answered to each call."""

    def __init__(self, settings: RunbookSettings) -> None:
        self._settings = settings
        self._exposition = Exposition(settings)

    def metrics(self, _: Request) -> Response:
        return Response(self._exposition.text(), media_type=CONTENT_TYPE)

    def health(self, _: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def alerts(self, request: Request) -> Response:
        """Start a triage with what Alertmanager sends, once for each service of a group that fires.

        Runbook: §1.1 Which alert fired, and when did it start.
        Errors: 401 and 403 before anything is read; 413, 422 for what is no webhook of ours, which is not sent again;
        503 where Prefect does not take it, and Alertmanager sends it again.
        """
        token = self._settings.alert_token
        if token is None:
            return self._refused(403, "ALERTS_CLOSED: expected RUNBOOK_ALERT_TOKEN was none; set it to take alerts")
        if not _allowed(request, token):
            return self._refused(401, "ALERTS_UNAUTHORIZED: expected the bearer token of RUNBOOK_ALERT_TOKEN")
        body = await _body(request)
        if body is None:
            return self._refused(413, f"ALERTS_TOO_LARGE: expected at most bytes={BODY_LIMIT_BYTES}; set max_alerts")
        return await run_in_threadpool(self._take, body)

    def _take(self, body: bytes) -> Response:
        try:
            found = read_webhook(body, self._settings)
        except RunbookError as error:
            return self._refused(422, str(error))
        for reason in found.refused:
            self._exposition.alert_taken("refused")
            LOGGER.warning("no triage for one alert of a group: %s", reason)
        if not found.orders:
            self._exposition.alert_taken("resolved")
            return JSONResponse({"flow_run_id": None})
        return self._start(found)

    def _start(self, found: Webhook) -> Response:
        """Start every triage that can be; where one cannot, Alertmanager sends again, and the keys keep the others."""
        started: dict[str, str] = {}
        failed = ""
        for order in found.orders:
            try:
                started[order.service] = start_triage(order, queue=self._settings.queue)
            except RunbookError as error:
                failed = str(error)
            self._exposition.alert_taken("started" if order.service in started else "failed")
        if failed:
            return _error(503, failed)
        first = next(iter(started.values()))
        return JSONResponse({"flow_run_id": first, "flow_run_ids": started, "refused": list(found.refused)}, 202)

    def _refused(self, status: int, reason: str) -> Response:
        self._exposition.alert_taken("refused")
        return _error(status, reason)


def _error(status: int, reason: str) -> Response:
    LOGGER.warning("%s", reason)
    code, _, detail = reason.partition(": ")
    return JSONResponse({"error": {"code": code, "detail": detail}}, status)


def _allowed(request: Request, token: SecretStr) -> bool:
    given = request.headers.get("authorization", "").encode("utf-8", errors="replace")
    return secrets.compare_digest(given, f"Bearer {token.get_secret_value()}".encode())


async def _body(request: Request) -> bytes | None:
    found = bytearray()
    try:
        async for part in request.stream():
            found += part
            if len(found) > BODY_LIMIT_BYTES:
                return None
    except ClientDisconnect:
        return None
    return bytes(found)
