"""The door in front of all doors: who is not known gets no further."""

from starlette.types import ASGIApp, Receive, Scope, Send

from order_service.api.errors import respond_refused
from order_service.codes import Code, Refused
from order_service.senders import KnownHosts, Sender


class KnownSenders:
    """Refuse a request to an unknown host, and what a web page of another origin wants changed.

    Plain ASGI, one pass over the headers: Starlette's middleware class would cost each order a tenth of its time.
    """

    def __init__(self, app: ASGIApp, hosts: KnownHosts) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass, or answer it."""
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
