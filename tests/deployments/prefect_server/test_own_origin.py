"""What a page of somebody else's can make a browser send to our servers: none of it is answered, none of it done."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from deployments.prefect_server.own_origin import OwnNames, OwnOriginOnly
from deployments.prefect_server.serve import browser_variables

OWN = "http://127.0.0.1:4200"
EVIL = "https://evil.example"
OUR_HOST = "127.0.0.1:4200"


@dataclass
class Guarded:
    """A server behind the guard, and whether a call came through to it."""

    names: OwnNames
    done: bool = False
    sent: list[dict[str, Any]] = field(default_factory=list)

    async def act(self, *_: Any) -> None:
        """Do what must not be done."""
        self.done = True

    def call(self, method: str = "POST", kind: str = "http", **headers: str) -> "Guarded":
        """Send one call as a browser does; names of headers have `_` for `-`."""
        given = {"host": OUR_HOST, **{name.replace("_", "-").lower(): value for name, value in headers.items()}}
        raw = [(name.encode(), value.encode()) for name, value in given.items()]
        scope = {"type": kind, "method": method, "path": "/api/run", "headers": raw}
        self.done, self.sent = False, []

        async def receive() -> dict[str, Any]:
            return {"type": "websocket.connect"}

        async def send(message: Any) -> None:
            self.sent.append(message)

        asyncio.run(OwnOriginOnly(self.act, self.names)(scope, receive, send))
        return self

    @property
    def refused(self) -> bool:
        """Say whether the call was answered with a refusal, and nothing else was done."""
        return not self.done and self.sent[0].get("status") == 403


def server(listens_on: str = "127.0.0.1", **names: Any) -> Guarded:
    """Give a server that listens there."""
    return Guarded(OwnNames.of(listens_on, **names))


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": EVIL, "Content_Type": "text/plain"},
        {"Origin": "null", "Content_Type": "text/plain"},
        {"Origin": "http://127.0.0.1:8600"},
        {"Origin": "http://localhost:4200"},
        {"Origin": f"{OWN}.evil.example"},
        {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "no-cors"},
        {"Sec_Fetch_Site": "same-site", "Sec_Fetch_Mode": "navigate"},
        {"Host": "evil.example:4200"},
        {"Host": "evil.example:4200", "Origin": "http://evil.example:4200"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "10.0.0.5:4200"},
        {"Host": "127.0.0.1@evil.example"},
        {"Host": "evil.example@127.0.0.1"},
        {"Host": "127.0.0.1:80:80"},
        {"Host": "127.0.0.1:evil"},
        {"Host": "127.0.0.1/evil.example"},
        {"Host": "127.0.0.1, evil.example"},
        {"Host": "0.0.0.0:4200"},
        {"Host": "127.1"},
        {"Host": "[::ffff:127.0.0.1]"},
        {"Origin": ""},
        {"Host": ""},
    ],
    ids=str,
)
def test_a_page_of_somebody_else_starts_nothing(headers: dict[str, str]) -> None:
    """A trader who opens a web page on the desk's machine must not halt all trading with it."""
    called = server().call(**headers)

    assert called.refused
    reason = json.loads(called.sent[1]["body"])["exception_message"]
    assert reason.split(":")[0] in {"HOST_REFUSED", "ORIGIN_REFUSED"}


def test_a_preflight_of_somebody_else_is_refused() -> None:
    """With a yes to it, the browser would let the page send any call, login or not."""
    asked = {"Access_Control_Request_Method": "POST", "Access_Control_Request_Headers": "authorization"}
    called = server().call("OPTIONS", Origin=EVIL, **asked)

    assert called.refused
    assert not [name for name, _ in called.sent[0]["headers"] if name.startswith(b"access-control")]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": OWN, "Sec_Fetch_Site": "same-origin"},
        {"Sec_Fetch_Site": "none", "Sec_Fetch_Mode": "navigate"},
        {"Host": "localhost:4200", "Origin": "http://localhost:4200"},
        {"Host": "[::1]:4200"},
    ],
    ids=str,
)
def test_our_own_pages_and_what_is_no_browser_are_answered(headers: dict[str, str]) -> None:
    """The worker, the commands and the UI go on as before."""
    assert server().call(**headers).done


def test_a_link_in_a_message_opens_the_page() -> None:
    """A person follows it from Slack, which is another site."""
    assert server().call("GET", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate").done


@pytest.mark.parametrize("headers", [{"Origin": EVIL}, {"Host": "evil.example"}, {"Origin": "null"}], ids=str)
def test_a_page_of_somebody_else_hears_no_events(headers: dict[str, str]) -> None:
    """No browser asks before it opens a WebSocket: the server alone can refuse."""
    called = server().call(kind="websocket", **headers)

    assert not called.done
    assert [one["type"] for one in called.sent] == ["websocket.close"]


@pytest.mark.parametrize("headers", [{}, {"Origin": OWN}], ids=str)
def test_our_own_page_and_worker_hear_events(headers: dict[str, str]) -> None:
    """The UI's list of events and the worker's wake-up come this way."""
    assert server().call(kind="websocket", **headers).done


def test_a_name_that_was_configured_is_one_of_ours() -> None:
    """Behind a proxy the desk opens another address than the one that the server listens on."""
    configured = {"origins": ["https://prefect.example.com", "http://prefect-server:4200"]}
    beside = server("0.0.0.0", **configured)  # noqa: S104 - an open address is the case

    for host in ("prefect.example.com", "prefect-server:4200", "10.0.0.5:4200"):
        assert beside.call(Host=host).done
    assert beside.call(Origin="https://prefect.example.com").done
    assert beside.call(Host="evil.example").refused


def test_prefect_is_never_told_to_allow_every_origin() -> None:
    """Its own default is a star, and so is what a host's old environment may hold."""
    for variables in ({}, {"PREFECT_SERVER_CORS_ALLOWED_ORIGINS": "*"}):
        said = browser_variables("127.0.0.1", 4200, variables)
        assert said["PREFECT_SERVER_CORS_ALLOWED_ORIGINS"] == OWN
        assert said["PREFECT_SERVER_CSRF_PROTECTION_ENABLED"] == "true"


def test_what_is_neither_call_nor_socket_passes() -> None:
    """The server's own start and end go this way."""
    seen: list[str] = []

    async def inner(scope: Any, *_: Any) -> None:
        seen.append(scope["type"])

    asyncio.run(OwnOriginOnly(inner, OwnNames())({"type": "lifespan"}, None, None))  # type: ignore[arg-type]

    assert seen == ["lifespan"]
