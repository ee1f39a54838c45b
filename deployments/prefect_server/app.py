"""Prefect's own server as the local stack serves it: only its own pages may ask it, writers on SQLite wait their turn.

Every call goes through `OwnOriginOnly` first, WebSockets too. The token against forged requests costs a query, and each
client two calls: it is asked of browsers alone, since nothing else sends what a page of somebody else's makes it send.
"""

import prefect.settings
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deployments.prefect_server.internals import make_app
from deployments.prefect_server.own_origin import OwnNames, OwnOriginOnly
from deployments.prefect_server.sign_in import SIGN_IN_PAGE, SIGN_IN_PATH

# The UI reports to a company's servers from each browser, also where analytics are switched off. And no page of
# somebody else's may show ours in a frame, and lead a click to it.
POLICY = b"connect-src 'self' data: blob:; frame-ancestors 'none'"


class OwnHostOnly:
    """Tell browsers that pages of this server may ask this server alone, and may be shown by nobody else."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add the header to every answer."""

        async def send_with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), (b"content-security-policy", POLICY)]
            await send(message)

        await self._app(scope, receive, send_with_policy if scope["type"] == "http" else send)


def application() -> ASGIApp:
    """Make the server; uvicorn's factory.

    The guard is put around it, not into it: the server calls itself through the same app, and no browser does that.
    """
    app = make_app()
    app.add_middleware(OwnHostOnly)
    # Before Prefect's own routes: the last of them takes every path that is left.
    app.router.routes[:0] = [Route(SIGN_IN_PATH, _sign_in)]
    return OwnOriginOnly(app, own_names())


def own_names() -> OwnNames:
    """Read the names of this server: where it listens, and the origins that its settings allow."""
    settings = prefect.settings.get_current_settings().server.api
    return OwnNames.of(settings.host, settings.cors_allowed_origins.split(","))


async def _sign_in(_: Request) -> Response:
    return HTMLResponse(SIGN_IN_PAGE, headers={"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})
