"""The HTTP service: its routes, and the check of the sender before any of them."""

import contextlib
from collections.abc import AsyncIterator

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from order_service.api.control_routes import control_routes
from order_service.api.exchange import install, respond_refused
from order_service.api.health_routes import health_routes
from order_service.api.order_routes import order_routes
from order_service.runtime.codes import Code, Refused
from order_service.runtime.known_hosts import KnownHosts, Sender
from order_service.runtime.service import OrderService


class SenderCheck:
    """Refuse a request to an unknown host, and what a web page of another origin wants changed.

    Plain ASGI, one pass over the headers: Starlette's middleware class would cost each order a tenth of its time.
    """

    def __init__(self, app: ASGIApp, hosts: KnownHosts) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            stranger = self._hosts.stranger(_sender_of(scope))
            if stranger is not None:
                code = Code.FOREIGN_ORIGIN if stranger.is_foreign_page else Code.UNKNOWN_HOST
                await respond_refused(Refused(code, stranger.message, stranger.field))(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _sender_of(scope: Scope) -> Sender:
    found: dict[bytes, list[str]] = {b"host": [], b"origin": [], b"sec-fetch-site": []}
    for name, value in scope["headers"]:
        if name in found:
            found[name].append(value.decode("latin-1"))
    hosts, origins, fetch_sites = found.values()
    return Sender(scope["method"], tuple(hosts), tuple(origins), tuple(fetch_sites))


def create_app(service: OrderService) -> FastAPI:
    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await service.start()
        try:
            yield
        finally:
            await service.stop()

    app = FastAPI(title="Order service", version=service.settings.release, lifespan=lifespan)
    install(app)
    app.add_middleware(SenderCheck, hosts=KnownHosts.of(service.settings.host, service.settings.allowed_hosts))
    app.include_router(order_routes(service.flow, service.cancels, service.journal, service.metrics))
    app.include_router(health_routes(service.health, service.metrics, service.routing_report))
    app.include_router(control_routes(service.plane, service.tables, service.token))
    return app
