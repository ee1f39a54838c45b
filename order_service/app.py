"""The doors in front of a service."""

import contextlib
from collections.abc import AsyncIterator

from fastapi import FastAPI

from order_service.api import errors
from order_service.api.control import control_door
from order_service.api.health import health_door
from order_service.api.known_senders import KnownSenders
from order_service.api.orders import orders_door
from order_service.senders import KnownHosts
from order_service.service import OrderService


def create_app(service: OrderService) -> FastAPI:
    """Put the doors in front of a service; the server's lifespan starts and stops it."""

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await service.start()
        try:
            yield
        finally:
            await service.stop()

    app = FastAPI(title="Order service", version=service.settings.release, lifespan=lifespan)
    errors.install(app)
    app.add_middleware(KnownSenders, hosts=KnownHosts.of(service.settings.host, service.settings.allowed_hosts))
    app.include_router(orders_door(service.flow, service.cancels, service.journal, service.metrics))
    app.include_router(health_door(service.health, service.metrics, service.routing_report))
    app.include_router(control_door(service.plane, service.tables, service.token))
    return app
