"""Run the Prefect server of the local stack: on loopback or with a login, and patient writers on SQLite."""

import ipaddress
import os
import sys
from collections.abc import Mapping

import uvicorn
from fastapi import FastAPI
from prefect.server.api.server import create_app
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deployments.sqlite_writing import write_patiently
from tasks.model.errors import Code

AUTHENTICATION = "PREFECT_SERVER_API_AUTH_STRING"
# The UI reports to a company's servers from each browser, also where analytics are switched off.
NOBODY_ELSE = b"connect-src 'self' data: blob:"
KEEP_ALIVE_S = 5


def may_listen(host: str, variables: Mapping[str, str]) -> bool:
    """Say whether the server may listen there: whoever reaches it unasked can pause trading and restart the service."""
    if variables.get(AUTHENTICATION):
        return True
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


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
    """Make Prefect's own server, whose UI asks nobody else."""
    app = create_app()
    app.add_middleware(OwnHostOnly)
    return app


def main() -> None:
    """Serve on the host and port of the command line until SIGTERM.

    Errors: exit 2 and one line for an open address without authentication.
    """
    host, port = sys.argv[1], int(sys.argv[2])
    if not may_listen(host, os.environ):
        sys.stderr.write(
            f"{Code.BAD_SETTING}: expected {AUTHENTICATION} where others can reach the server was none host={host}; "
            "set it to USER:PASSWORD, or listen on 127.0.0.1\n"
        )
        sys.exit(2)
    write_patiently()
    uvicorn.run(application, factory=True, host=host, port=port, log_level="warning", timeout_keep_alive=KEEP_ALIVE_S)


if __name__ == "__main__":
    main()
