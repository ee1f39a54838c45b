"""Only a client that names this server by a known host changes anything; a web page of another origin never does."""

from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from order_service.runtime.known_hosts import KnownHosts, Sender, is_json
from tests.order_service.desk import TOKEN, Desk, order

CONTROL = {"Authorization": f"Bearer {TOKEN}"}
HALT = {"state": "halted", "reason": "a page in a browser"}
CHANGES = [("POST", "/orders"), ("PUT", "/control/trading/equity"), ("POST", "/control/drain"), ("DELETE", "/orders/x")]
PAGES = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://localhost:3000"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
]


async def ask(desk: Desk, method: str, path: str, headers: dict[str, str]) -> httpx.Response:
    """Send a good change with other headers than our own clients send."""
    body: dict[str, Any] = order() if path == "/orders" else HALT
    return await desk.http.request(method, path, json=body, headers={**CONTROL, **headers})


async def untouched(desk: Desk) -> bool:
    """Say whether nothing was sent, written down or set."""
    rows = (await desk.http.get("/orders")).json()["orders"]
    changes = [one for one in desk.incidents() if one["type"] == "control_changed"]
    return rows == [] and desk.gateway.posts == [] and changes == []


@pytest.mark.parametrize("headers", PAGES)
@pytest.mark.parametrize(("method", "path"), CHANGES)
async def test_a_web_page_of_another_origin_changes_nothing(
    desk: Desk, method: str, path: str, headers: dict[str, str]
) -> None:
    """Any page that a trader opens can reach the loopback; it must neither trade nor halt."""
    answer = await ask(desk, method, path, headers)

    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "FOREIGN_ORIGIN")
    assert await untouched(desk)


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8600", "127.0.0.1.evil.example", "127.0.0.1@evil", ""])
@pytest.mark.parametrize(("method", "path"), [*CHANGES, ("GET", "/orders"), ("GET", "/routing")])
async def test_a_name_that_an_attacker_leads_here_is_refused(desk: Desk, method: str, path: str, host: str) -> None:
    """A page whose own name is rebound to the loopback is of the same origin; only its Host gives it away."""
    answer = await ask(desk, method, path, {"Host": host})

    assert (answer.status_code, answer.json()["error"]["code"]) == (421, "UNKNOWN_HOST")
    assert await untouched(desk)


@pytest.mark.parametrize(
    "content_type", [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
)
@pytest.mark.parametrize(("method", "path"), [("POST", "/orders"), ("PUT", "/control/trading/equity")])
async def test_a_body_that_does_not_say_that_it_is_json_is_refused(
    desk: Desk, method: str, path: str, content_type: str | None
) -> None:
    """These are the types that a browser sends from any page without asking first; no type at all is one of them."""
    headers = CONTROL if content_type is None else {**CONTROL, "Content-Type": content_type}
    request = desk.http.build_request(method, path, content=b'{"state":"halted","reason":"x"}', headers=headers)

    answer = await desk.http.send(request)

    assert "content-type" not in request.headers or content_type
    assert (answer.status_code, answer.json()["error"]["code"]) == (415, "UNSUPPORTED_CONTENT")
    assert await untouched(desk)


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "127.0.0.1:8600"},
        {"Host": "[::1]:8600"},
        {"Host": "LOCALHOST"},
        {"Host": "127.0.0.1:8600", "Origin": "http://127.0.0.1:8600", "Sec-Fetch-Site": "same-origin"},
        {"Content-Type": "application/json; charset=utf-8"},
    ],
)
async def test_our_own_clients_and_pages_are_taken(desk: Desk, headers: dict[str, str]) -> None:
    """What shuts out a stranger must not shut out the automation, a desk's client or the service's own document."""
    answer = await ask(desk, "POST", "/orders", headers)

    assert answer.status_code == 201


async def test_a_link_in_another_page_may_be_followed(desk: Desk) -> None:
    """The report links to the metrics; a click from there is a reading request, and changes nothing."""
    answer = await desk.http.get("/metrics", headers={"Sec-Fetch-Site": "cross-site", "Referer": "http://ui:4200/"})

    assert answer.status_code == 200
    assert "access-control-allow-origin" not in answer.headers


async def test_a_browser_that_asks_before_it_sends_gets_no_leave(desk: Desk) -> None:
    """Without leave the browser does not send the order at all."""
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    answer = await desk.http.options("/orders", headers=asked)

    assert answer.status_code == 405
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_a_configured_name_is_known_and_every_address_is_no_name() -> None:
    """A service that listens on all addresses is still asked under names that someone has chosen."""
    hosts = KnownHosts.of("0.0.0.0", ("Orders.Desk",))  # noqa: S104 - the case

    assert hosts.stranger(Sender("POST", ("orders.desk:8600",))) is None
    assert hosts.stranger(Sender("POST", ("0.0.0.0:8600",))) is not None
    assert hosts.stranger(Sender("POST", ("orders.desk", "evil.example"))) is not None
    assert KnownHosts.of("10.1.2.3").stranger(Sender("GET", ("10.1.2.3",))) is None


@given(host=st.text(max_size=40), content_type=st.text(max_size=40))
def test_no_header_breaks_the_door(host: str, content_type: str) -> None:
    """Whatever stands in a header, the door says yes or no."""
    stranger = KnownHosts().stranger(Sender("POST", (host,)))

    assert stranger is not None or "localhost" in host.lower() or "127." in host or "::1" in host or ":" in host
    assert is_json(content_type) is False or "json" in content_type.lower()
