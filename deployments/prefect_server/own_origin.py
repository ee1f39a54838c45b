"""Who may call a server of ours from a browser: its own pages, under a name of its own; no page of anybody else.

A browser sends a page's calls to every address that it can reach. What it does not let the page choose are three
headers: `Host`, the name that the page used (a name that an attacker points at 127.0.0.1 is one of theirs); `Origin`,
whose page it is; and `Sec-Fetch-Site`, the same where no `Origin` is sent. A client that is no browser sends neither of
the last two.
"""

import ipaddress
import json
import re
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from tasks.model.errors import Code

ANY_ORIGIN = "*"
LOOPBACK_NAME = "localhost"
FOREIGN_SITES = ("cross-site", "same-site")
FORBIDDEN = 403
_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]{1,60}\]|[^\s@/?#,\\\[\]:]{1,253})(?::[0-9]{1,5})?")


@dataclass(frozen=True)
class OwnNames:
    """The names under which a server may be asked, and the origins beside its own whose pages may ask it.

    `any_address` where others reach it: an address, unlike a name, cannot be pointed elsewhere by an attacker.
    """

    hosts: frozenset[str] = frozenset()
    origins: frozenset[str] = frozenset()
    any_address: bool = False

    @classmethod
    def of(cls, listens_on: str, origins: Iterable[str] = (), hosts: Iterable[str] = ()) -> Self:
        """Give the names of a server that listens on an address; `origins` are configured, and name hosts as well."""
        known = frozenset(one.strip().rstrip("/").lower() for one in origins) - {ANY_ORIGIN, ""}
        is_open = not is_loopback(listens_on)
        named = {host for one in known if (host := urlsplit(one).hostname)}
        own = {listens_on, socket.gethostname()} if is_open else set()
        return cls(frozenset(one.lower() for one in (*named, *hosts, *own)), known, is_open)

    def may_be_asked(self, host: str) -> bool:
        """Say whether a `Host` header, with or without a port, is a name of this server."""
        name = _hostname(host)
        return is_loopback(name) or name in self.hosts or (self.any_address and _is_address(name))

    def may_ask(self, origin: str, host: str) -> bool:
        """Say whether pages of an origin may ask: those that came from this very server, and those configured."""
        said = origin.lower()
        return said in self.origins or said in {f"http://{host.lower()}", f"https://{host.lower()}"}


class OwnOriginOnly:
    """Refuse what a page of somebody else's sends, before anything is read or done."""

    def __init__(self, app: ASGIApp, names: OwnNames) -> None:
        self._app = app
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let our own pages and all that is no browser through."""
        refusal = self._refusal(scope) if scope["type"] in {"http", "websocket"} else None
        if refusal is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await _refuse(refusal, send)
        else:
            # Closed before it was accepted: the handshake ends with 403.
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": refusal.partition(":")[0]})

    def _refusal(self, scope: Scope) -> str | None:
        headers = headers_of(scope)
        host, origin = headers.get("host", ""), headers.get("origin")
        if not self._names.may_be_asked(host):
            return f"{Code.HOST_REFUSED}: expected a name of this server was Host {host[:100]!r}; use its own address"
        if origin is not None:
            allowed = self._names.may_ask(origin, host)
        else:
            allowed = headers.get("sec-fetch-site") not in FOREIGN_SITES or _follows_link(scope, headers)
        if allowed:
            return None
        return f"{Code.ORIGIN_REFUSED}: expected a page of this server was {(origin or 'another site')[:100]!r}"


def headers_of(scope: Scope) -> Mapping[str, str]:
    """Give the headers of a call, names in lower case."""
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


def is_loopback(host: str) -> bool:
    """Say whether a host is this machine alone."""
    try:
        return host.lower() == LOOPBACK_NAME or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _follows_link(scope: Scope, headers: Mapping[str, str]) -> bool:
    """Say whether a person follows a link, as from a message, which shows them the page and nobody else."""
    return scope["type"] == "http" and scope["method"] == "GET" and headers.get("sec-fetch-mode") == "navigate"


def _hostname(host: str) -> str:
    # What is no name with a port reads as one to some parsers and as another to others.
    if _HOST.fullmatch(host) is None:
        return ""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


async def _refuse(reason: str, send: Send) -> None:
    body = json.dumps({"exception_message": reason}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": FORBIDDEN, "headers": headers})
    await send({"type": "http.response.body", "body": body})
