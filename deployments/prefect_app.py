"""Prefect's own server as the local stack serves it: its UI asks nobody else, its writers on SQLite are patient."""

from fastapi import FastAPI
from prefect.server.api.server import create_app
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deployments.sqlite_writing import write_patiently

# The UI reports to a company's servers from each browser, also where analytics are switched off.
NOBODY_ELSE = b"connect-src 'self' data: blob:"


class OwnHostOnly:
    """Tell browsers that pages of this server may ask this server alone."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add the header to every answer."""

        async def send_with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), (b"content-security-policy", NOBODY_ELSE)]
            await send(message)

        await self._app(scope, receive, send_with_policy if scope["type"] == "http" else send)


def application() -> FastAPI:
    """Make the server; uvicorn's factory."""
    write_patiently()
    app = create_app()
    app.add_middleware(OwnHostOnly)
    return app
