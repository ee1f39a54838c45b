"""What a gateway answers about an order is taken for what it is: answered, and told of this order, on this day."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from order_service.api.contract import AssetClass
from order_service.gateways.client import GatewayClient
from order_service.gateways.execution import NotSent, SeenExecutions, VenueExecution
from order_service.orders.order import NewOrder
from order_service.routing.table import GatewayRules
from tests.order_service.desk import Desk, desk_at, eventually, lay_out, order
from tests.order_service.fake_gateway import FakeGateway, execution_of

MONDAY, TUESDAY = "2026-01-05T15:00:00.000001Z", "2026-01-06T15:00:00.000001Z"
LONG = "x" * 5000


def execution(client_order_id: str, **says: object) -> VenueExecution:
    """Make an execution as the client reads it."""
    return VenueExecution.model_validate({**execution_of(order(client_order_id=client_order_id), "fill"), **says})


async def test_an_execution_id_used_again_on_another_day_is_another_execution(desk: Desk) -> None:
    """Venues number each day from one; an order that stays unknown for that blocks every restart."""
    statuses = []
    for day in (MONDAY, TUESDAY):
        desk.gateway.says = {"exec_id": "E1", "transact_time": day}
        statuses.append((await desk.send(order())).json()["status"])

    assert statuses == ["filled", "filled"]
    (position,) = desk.service.journal.positions()
    assert position.net_quantity == "20"


async def test_an_execution_id_given_twice_on_one_day_is_no_fill_and_is_counted(desk: Desk) -> None:
    """One execution is one fill; whose it is only the gateway can say, and the desk reads that it does not."""
    desk.gateway.says = {"exec_id": "E1"}
    first, second = order(), order()
    await desk.send(first)

    answer = await desk.send(second)

    assert (answer.status_code, answer.json()["status"]) == (202, "unknown")
    assert answer.json()["error"]["code"] == "GATEWAY_ANSWER_MISMATCHED"
    assert desk.service.metrics.duplicate_fills.labels("XNAS")._value.get() == 1
    (position,) = desk.service.journal.positions()
    assert position.net_quantity == "10"


async def test_an_order_under_an_id_given_twice_is_proven_by_asking_for_it(desk: Desk) -> None:
    """A gateway that starts its numbers again within the day must not leave every later order unknown for good."""
    desk.gateway.says = {"exec_id": "E1"}
    await desk.send(order())
    desk.gateway.says = {"exec_id": "E1", "transact_time": "2026-01-05T22:00:00Z"}

    answer = await desk.send(order())

    assert (answer.status_code, answer.json()["status"]) == (201, "filled")


async def test_a_fill_reported_twice_is_a_fill_of_the_order_that_met_it(desk: Desk) -> None:
    """An answer too many says nothing against the next order; the gateway is asked for it at once."""
    await desk.send(order())
    desk.gateway.mode = "told_before"
    body = order(quantity="7")

    answer = await desk.send(body)

    assert (answer.status_code, answer.json()["status"]) == (201, "filled")
    assert answer.json()["execution"]["cum_qty"] == "7"
    assert desk.gateway.posts.count(body["client_order_id"]) == 1
    assert desk.service.metrics.duplicate_fills.labels("XNAS")._value.get() == 1


async def test_a_later_fill_under_the_same_id_is_counted(desk: Desk) -> None:
    """An order that stands for days is filled under a number that an earlier day used for its first part."""
    desk.gateway.mode, desk.gateway.says = "ack", {"exec_id": "E5", "ord_status": "partially_filled", "cum_qty": "4"}
    body = order(time_in_force="gtc")
    await desk.send(body)
    desk.gateway.booked[body["client_order_id"]].update(cum_qty="6", transact_time=TUESDAY)

    await desk.service.reconciler.ask_working()

    (position,) = desk.service.journal.positions()
    assert position.net_quantity == "6"


def test_the_day_of_an_execution_is_that_of_its_own_time() -> None:
    """An order of yesterday that is asked for today was still executed yesterday."""
    seen = SeenExecutions()
    seen.remember(execution("a", exec_id="E1", transact_time=MONDAY), "a")

    told = seen.of_another(execution("b", exec_id="E1", transact_time="2026-01-05T23:59:59Z"), "b")

    assert told is not None
    assert told.client_order_id == "a"
    assert seen.of_another(execution("a", exec_id="E1", transact_time=MONDAY), "a") is None
    assert seen.of_another(execution("b", exec_id="E1", transact_time="2026-01-06T00:00:00Z"), "b") is None
    assert seen.of_another(execution("b", exec_id="E1", transact_time="2026-01-06T00:30:00+01:00"), "b") is not None


@pytest.mark.parametrize(
    ("reject", "told"),
    [
        ({"code": "CLOSED", "text": LONG}, ("CLOSED", LONG[:2047] + "…")),
        ({"code": LONG, "text": "no"}, (LONG[:511] + "…", "no")),
        ({"code": 7, "text": None}, ("7", "")),
        ({"text": "no"}, ("UNSPECIFIED", "no")),
        ({}, ("UNSPECIFIED", "")),
        ("no", ("UNSPECIFIED", "no")),
    ],
)
async def test_a_reject_is_a_reject_however_it_is_worded(desk: Desk, reject: Any, told: tuple[str, str]) -> None:
    """It was answered: a word too many or too few leaves no doubt, and nobody need be paged."""
    desk.gateway.mode, desk.gateway.says = "reject", {"reject": reject}

    answer = await desk.send(order())

    assert (answer.status_code, answer.json()["status"]) == (201, "rejected")
    assert answer.json()["execution"]["reject"] == dict(zip(("code", "text"), told, strict=True))


async def test_a_refusal_with_a_body_without_end_is_a_refusal(desk: Desk) -> None:
    """The status says it; what comes behind is cut."""
    desk.gateway.mode = "huge_400"

    answer = await desk.send(order())

    assert (answer.status_code, answer.json()["status"]) == (201, "rejected")
    assert answer.json()["execution"]["reject"]["code"] == "HTTP_400"


async def test_a_name_that_is_not_resolved_is_not_a_refused_connection(tmp_path: Path) -> None:
    """Whoever reads "refused" restarts the gateway; what is broken is a name server or an address."""
    lay_out(tmp_path / "s", "http://gateway.invalid:9", total_timeout_s=3)
    async with desk_at(tmp_path / "s", FakeGateway()) as desk:
        health = await eventually(lambda: _told(desk.http), 15)
        answer = await desk.send(order())

    assert health == "its name gateway.invalid was not resolved"
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "GATEWAY_UNREACHABLE")
    assert "was not resolved" in answer.json()["error"]["message"]


async def test_a_closed_port_is_a_refused_connection() -> None:
    """The one case in which the gateway's host is there and nobody listens."""
    fake = FakeGateway()
    async with fake:
        url = fake.base_url
    rules = GatewayRules(asset_classes=frozenset(AssetClass))
    client = GatewayClient("XNAS", url, rules)

    outcome = await client.send(NewOrder.model_validate(order()))
    await client.close()

    assert isinstance(outcome, NotSent)
    assert outcome.message == "no connection to gateway XNAS: connection refused"


async def _told(http: httpx.AsyncClient) -> str | None:
    told: str | None = (await http.get("/health")).json()["dependencies"]["XNAS"].get("error")
    return told
