"""An outcome that comes later is asked for in bounded time, and nothing is taken for a fill that is none."""

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.clients.service.http import http_client
from tasks.clients.service.synthetic_orders import order_probe
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import OrderOutcome, OrderProbe
from tasks.settings import ServiceSettings
from tests.fakes.service.scripted import Asked, replied, scripted

BODY = '{"ref": "${client_order_id}", "sym": "${symbol}", "qty": ${quantity}}'
ORDERS: dict[str, Any] = {
    "body": BODY,
    "status": "phase",
    "execution": "done",
    "filled": ["ERLEDIGT"],
    "accepted": ["OFFEN"],
    "order_id": "ticket",
    "poll": {"path": "/tickets/${order_id}", "every_s": 0.02, "until_s": 0.1},
}
Answer = tuple[int, bytes]


def sent(*answers: Answer, **orders: Any) -> tuple[OrderProbe, list[Asked]]:
    """One test order, answered with these in turn, the last one for ever."""
    count = 0

    def respond(_: Asked) -> bytes:
        nonlocal count
        count += 1
        status, content = answers[min(count, len(answers)) - 1]
        return replied(status, raw=content)

    async def probe() -> tuple[OrderProbe, list[Asked]]:
        async with scripted(respond) as (url, asked):
            service = ServiceSettings.model_validate(
                {"base_url": url, "orders": ORDERS | orders, "synthetic_orders": {"equity": {"symbol": "ZVZZT"}}}
            )
            async with http_client(service.http, 1.0) as client:
                return await order_probe(client, service, AssetClass.EQUITY), asked

    return asyncio.run(probe())


def said(status: int = 200, **fields: Any) -> Answer:
    return status, json.dumps({"ticket": "T/1", **fields}).encode()


DONE = {"phase": "ERLEDIGT", "done": {"qty": 1}}


def test_a_ticket_now_and_the_fill_later() -> None:
    """The id of the ticket stands in the path, and is no way out of it."""
    probe, asked = sent(said(202), said(phase="OFFEN"), said(**DONE))

    assert probe.outcome is OrderOutcome.EXECUTED
    assert [one.method for one in asked] == ["POST", "GET", "GET"]
    assert asked[1].target == "/tickets/T%2F1"
    assert b"synthetic-" in asked[0].body


def test_an_answer_that_is_final_is_not_asked_for_again() -> None:
    """Nobody polls a reject."""
    assert len(sent(said(**DONE))[1]) == 1
    assert len(sent(said(phase="REJECTED"))[1]) == 1
    assert len(sent(said(503))[1]) == 1


@pytest.mark.parametrize(
    ("later", "outcome"),
    [
        (said(phase="OFFEN"), OrderOutcome.NO_EXECUTION),
        (said(phase="FERTIG"), OrderOutcome.UNKNOWN),
        (said(404), OrderOutcome.UNKNOWN),
        (said(500, **DONE), OrderOutcome.UNKNOWN),
        ((200, b"nothing"), OrderOutcome.MALFORMED),
        (said(ticket="T/2", **DONE), OrderOutcome.UNKNOWN),
    ],
)
def test_what_stays_open_is_asked_for_until_the_time_is_up(later: Answer, outcome: OrderOutcome) -> None:
    """And not for longer; a later answer about another ticket is none."""
    started = time.monotonic()
    probe, asked = sent(said(202), later)

    assert probe.outcome is outcome
    assert "asked for 0.1 s" in probe.detail
    assert len(asked) > 2
    assert time.monotonic() - started < 3


def test_without_an_order_id_there_is_nothing_to_ask_for() -> None:
    """Half an id, or none, is another order's."""
    for ticket in (None, "", "x" * 201, ["a"]):
        probe, asked = sent(said(202, ticket=ticket), said(**DONE))
        assert (probe.outcome, len(asked)) == (OrderOutcome.NO_EXECUTION, 1)
        assert "no order id at ticket" in probe.detail


SCALARS = st.none() | st.booleans() | st.integers(-2, 9) | st.floats() | st.text(max_size=6)
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "ticket": st.sampled_from(["T/1", "T/2", 7, None]),
        "phase": st.sampled_from(["ERLEDIGT", "OFFEN", "FILLED", "2", "8", "weg"]) | SCALARS,
        "done": SCALARS | st.dictionaries(st.sampled_from(["lastQty", "reject", "x"]), SCALARS, max_size=2),
        "clOrdId": SCALARS,
    },
)
BODIES = (FIELDS | SCALARS | st.lists(SCALARS, max_size=3)).map(lambda one: json.dumps(one).encode())
ANSWERS = st.tuples(
    st.sampled_from([200, 201, 202, 204, 302, 400, 404, 422, 500, 503]), BODIES | st.binary(max_size=40)
)


@given(answers=st.lists(ANSWERS, min_size=1, max_size=4))
@settings(max_examples=60, deadline=None)
def test_for_any_answers_an_order_is_executed_only_where_one_says_so(answers: list[Answer]) -> None:
    """Text, bytes and JSON of every kind, at once and later."""
    probe, _ = sent(*answers, poll={**ORDERS["poll"], "every_s": 0.02, "until_s": 0.05})
    if probe.outcome is OrderOutcome.EXECUTED:
        assert any(fills(answer) for answer in answers)


def fills(answer: Answer) -> bool:
    """The oracle: a success that is plainly a fill, and of nothing else."""
    status, content = answer
    found = json.loads(content)
    words = {"erledigt", "filled", "2"}
    named: Iterator[object] = (value for key, value in found.items() if key == "clOrdId" and value is not None)
    return (
        200 <= status < 300
        and str(found.get("phase")).strip().lower() in words
        and bool(found.get("done"))
        and not any(isinstance(one, str | int) for one in named)
    )
