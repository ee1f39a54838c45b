"""What a browser sends for a page of somebody else's, sent to Prefect's own server as the stack runs it."""

import asyncio
import http.client
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import websockets

from deployments.ci.prefect_process import KEEPS_RUNS_ALONE
from deployments.prefect_server.serve import browser_variables
from deployments.stack.local_http import answers, ask, basic, with_login
from tests.fakes.ports import free_port
from tests.fakes.prefect.prefect_process import migrated_server

pytestmark = [pytest.mark.live, pytest.mark.prefect]

LOGIN = "runbook:opensesame"
EVIL = "https://evil.example"
ASKS_ITSELF = """
import asyncio
from deployments.prefect_server.app import application
from prefect.server.api.clients import OrchestrationClient

async def ask():
    async with OrchestrationClient() as client:
        print((await client._http_client.get("/health")).status_code)

application()
asyncio.run(ask())
"""


@pytest.fixture(scope="module")
def api(kept: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start a server with a login, and with its UI's pages."""
    variables = {**KEEPS_RUNS_ALONE, "PREFECT_SERVER_API_AUTH_STRING": LOGIN}
    with migrated_server(tmp_path_factory.mktemp("guarded"), kept, **variables) as started:
        yield started


def sent(api: str, method: str, path: str, body: str = "", **headers: str) -> http.client.HTTPResponse:
    """Send one request with the headers of a browser, `_` for `-`."""
    connection = http.client.HTTPConnection(urlsplit(api).netloc, timeout=10)
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, f"/api{path}", body or None, given)
    return connection.getresponse()


def test_another_page_can_neither_read_nor_start_anything(api: str) -> None:
    """Any page that the engineer opened could start a run, and with it halt all trading."""
    login, body = basic(LOGIN), json.dumps({"name": "theirs"})
    asked = {"Access_Control_Request_Method": "POST", "Access_Control_Request_Headers": "authorization"}
    refused = [
        sent(api, "OPTIONS", "/flows/", Origin=EVIL, **asked),
        sent(api, "POST", "/flows/", body, Origin=EVIL, Content_Type="text/plain", **login),
        sent(api, "POST", "/flows/", body, Origin="null", **login),
        sent(api, "POST", "/flows/", body, Host="evil.example", Content_Type="application/json", **login),
        sent(api, "GET", "/flows/count", Origin=EVIL, **login),
        sent(api, "GET", "/health", Host="evil.example:4200"),
    ]

    assert [one.status for one in refused] == [403] * len(refused)
    assert not [one for one in refused if one.getheader("access-control-allow-origin")]
    assert ask(with_login(f"{api}/flows/count", LOGIN), {}) == 0


def test_a_browser_brings_a_token_and_nobody_else_needs_one(api: str) -> None:
    """The second lock, for a browser alone: a worker that asked for a token would pay two calls a run."""
    login, body = basic(LOGIN), json.dumps({"name": "ours"})
    origin = api.removesuffix("/api")
    without = sent(api, "POST", "/flows/", body, Origin=origin, Content_Type="application/json", **login)
    token = json.loads(sent(api, "GET", "/csrf-token?client=page", Origin=origin, **login).read())["token"]
    bring = {"Prefect_Csrf_Token": token, "Prefect_Csrf_Client": "page"}
    with_token = sent(api, "POST", "/flows/", body, Origin=origin, Content_Type="application/json", **login, **bring)

    assert (without.status, with_token.status) == (403, 201)
    assert isinstance(ask(with_login(f"{api}/flows/", LOGIN), {"name": "worker's"}), dict)


def test_nobody_without_the_login_reads_anything_but_that_it_lives(api: str) -> None:
    """Another user of the machine reaches the port as well; probes need no password."""
    assert ask(f"{api}/flows/filter", {}) == {"exception_message": "Unauthorized"}
    assert answers(f"{api}/health")
    assert answers(f"{api}/ready")


@pytest.mark.parametrize("path", ["/events/out", "/events/in", "/logs/out"])
def test_a_page_of_somebody_else_opens_no_socket(api: str, path: str) -> None:
    """A browser asks nobody before it opens one: events tell of every order service on the floor."""

    async def opened(origin: str | None) -> bool:
        url = f"ws{api.removeprefix('http')}{path}"
        try:
            async with websockets.connect(url, origin=origin, subprotocols=["prefect"]):  # type: ignore[arg-type, list-item]
                return True
        except websockets.InvalidStatus:
            return False

    assert [asyncio.run(opened(origin)) for origin in (EVIL, None, api.removesuffix("/api"))] == [False, True, True]


def test_the_sign_in_page_is_there_and_names_no_secret(api: str) -> None:
    """The link that `up` prints leads to it; the login stays behind the `#`, in the browser."""
    connection = http.client.HTTPConnection(urlsplit(api).netloc, timeout=10)
    connection.request("GET", "/sign-in")
    answer = connection.getresponse()
    page = answer.read().decode()

    assert answer.status == 200
    assert answer.getheader("cache-control") == "no-store"
    assert "frame-ancestors 'none'" in (answer.getheader("content-security-policy") or "")
    assert "opensesame" not in page
    assert "prefect-password" in page


def test_the_server_itself_is_no_stranger_to_itself(tmp_path: Path) -> None:
    """An automation starts its run by such a call: refused, the service's own incidents start no triage."""
    variables = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")},
        **browser_variables("127.0.0.1", free_port(), {}),
        "PREFECT_HOME": str(tmp_path),
        "PREFECT_SERVER_API_AUTH_STRING": LOGIN,
        "PREFECT_API_AUTH_STRING": LOGIN,
    }
    done = subprocess.run(
        [sys.executable, "-c", ASKS_ITSELF], env=variables, capture_output=True, text=True, timeout=90, check=False
    )

    assert done.stdout.split() == ["200"], done.stderr
