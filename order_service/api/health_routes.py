"""`/health`, `/metrics` and `/routing`: how the service is, in three views."""

import asyncio

import orjson
from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST

from order_service.api.openapi import HealthDocument, answer
from order_service.routing.report import RoutingReport
from order_service.telemetry.health_report import HealthReport
from order_service.telemetry.metrics import Metrics


def health_routes(health: HealthReport, metrics: Metrics, routing: RoutingReport) -> APIRouter:
    router = APIRouter()

    @router.get(
        "/health", responses={200: answer(HealthDocument, "serves"), 503: answer(HealthDocument, "does not serve")}
    )
    async def read_health() -> Response:
        """Say from memory whether the service serves."""
        document = health.document()
        status = 503 if document["status"] == "error" else 200
        return Response(orjson.dumps(document), status, media_type="application/json")

    @router.get("/metrics", response_class=PlainTextResponse)
    async def read_metrics() -> Response:
        """Give the Prometheus exposition."""
        return Response(metrics.render(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    @router.get("/routing", responses={200: answer(dict[str, object], "the table in force")})
    async def read_routing() -> Response:
        """Say where each asset class goes, who set it and why."""
        disk = await asyncio.to_thread(routing.store.disk_state)
        return Response(orjson.dumps(routing.document(disk)), media_type="application/json")

    return router
