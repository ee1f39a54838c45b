"""Bad input gets a 4xx with a code and a field, never a 500, and nothing of it is sent or written down."""

import json
from collections.abc import AsyncIterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.order_service.desk import Desk, order

pytestmark = pytest.mark.live

JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"quantity": "-1"}, "quantity"),
        ({"quantity": "0"}, "quantity"),
        ({"quantity": "1e400"}, "quantity"),
        ({"quantity": "99999999999999999999"}, "quantity"),
        ({"quantity": True}, "quantity"),
        ({"quantity": None}, "quantity"),
        ({"quantity": [1]}, "quantity"),
        ({"asset_class": "bond"}, "asset_class"),
        ({"side": "hold"}, "side"),
        ({"symbol": "AA\x00PL"}, "symbol"),
        ({"symbol": ""}, "symbol"),
        ({"client_order_id": "a/b"}, "client_order_id"),
        ({"client_order_id": "x" * 65}, "client_order_id"),
        ({"client_order_id": "line\nbreak"}, "client_order_id"),
        ({"synthetic": "yes"}, "synthetic"),
        ({"order_type": "limit"}, "limit_price"),
        ({"limit_price": "1"}, "limit_price"),
        ({"limit_prise": "1"}, "limit_prise"),
    ],
)
async def test_a_wrong_field_is_named(desk: Desk, changes: dict[str, object], field: str) -> None:
    """The client's developer fixes the named field; nobody is paged."""
    answer = await desk.send(order(**changes))

    assert answer.status_code == 422
    assert (answer.json()["error"]["code"], answer.json()["error"]["field"]) == ("INVALID_ORDER", field)
    assert await _untouched(desk)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"\xff\xfe",
        b'"\\ud800"',
        b"[" * 60_000,
        b'{"a":' * 10_000,
        json.dumps(order()).replace('"10"', "NaN").encode(),
        json.dumps(order()).replace('"10"', "Infinity").encode(),
        json.dumps(order()).replace('"10"', "1e999").encode(),
    ],
)
async def test_a_body_that_is_no_order_is_a_client_error(desk: Desk, body: bytes) -> None:
    """Broken JSON is the sender's matter, and must not cost the service a traceback."""
    answer = await desk.http.post("/orders", content=body, headers=JSON)

    assert answer.status_code in {400, 422}
    assert set(answer.json()["error"]) == {"code", "message", "field"}
    assert await _untouched(desk)


async def test_a_body_too_large_is_refused_with_and_without_a_length(desk: Desk) -> None:
    """A chunked body announces no length, and must be bounded all the same."""

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b" " * 1024

    whole = await desk.http.post("/orders", content=b" " * 70_000, headers=JSON)
    chunked = await desk.http.post("/orders", content=chunks(), headers=JSON)

    assert [whole.status_code, chunked.status_code] == [413, 413]
    assert whole.json()["error"]["code"] == "BODY_TOO_LARGE"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "NOT_FOUND"),
        ("PATCH", "/orders", 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/orders?limit=0", 422, "INVALID_REQUEST"),
        ("GET", "/orders?status=lost", 422, "INVALID_REQUEST"),
        ("GET", "/orders/a%00b", 422, "INVALID_REQUEST"),
    ],
)
async def test_every_refusal_has_one_shape(desk: Desk, method: str, path: str, status: int, code: str) -> None:
    """A client that handles one refusal handles all."""
    answer = await desk.http.request(method, path)

    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


async def test_another_content_type_is_refused(desk: Desk) -> None:
    """A form post is a mistake, not an order."""
    answer = await desk.http.post("/orders", data={"symbol": "AAPL"})

    assert answer.status_code == 415


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(field=st.sampled_from(sorted(order())), value=JSON_VALUES)
async def test_no_value_in_any_field_breaks_the_service(desk: Desk, field: str, value: object) -> None:
    """Whatever a client puts into one field, the service answers in its own words."""
    body = json.dumps({**order(), field: value}).encode()

    answer = await desk.http.post("/orders", content=body, headers=JSON)

    assert answer.status_code in {201, 409, 422, 400}


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=300))
async def test_no_bytes_break_the_service(desk: Desk, body: bytes) -> None:
    """Noise is refused as noise."""
    answer = await desk.http.post("/orders", content=body, headers=JSON)

    assert 400 <= answer.status_code < 500


async def _untouched(desk: Desk) -> bool:
    rows = (await desk.http.get("/orders")).json()["orders"]
    return rows == [] and desk.gateway.posts == []
