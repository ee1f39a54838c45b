"""Orders in the background of a drill, against a service and a gateway over real HTTP."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from tasks.clients.drills.order_flow import SYMBOLS, begin_orders, end_orders
from tasks.model.errors import CannotAct, Code
from tasks.settings import ServiceSettings
from tests.fakes.service.scripted import Asked, replied, scripted


class Venue:
    """A service and its gateway in one; what a test sets goes wrong."""

    def __init__(self) -> None:
        self.classes: Counter[str] = Counter()
        self.orders: dict[str, str] = {}
        self.forgets = self.doubles = self.hides = False
        self.denies = ""

    def answer(self, asked: Asked) -> bytes:
        """Take an order, tell of one, or list all that the gateway received."""
        if asked.method == "POST":
            return self._take(asked)
        if asked.path == "/orders":
            count = 2 if self.doubles else 1
            at_gateway = [] if self.forgets else [one for one, status in self.orders.items() if status == "filled"]
            found = [{"client_order_id": one, "received_count": count} for one in at_gateway]
            return replied(500) if self.hides else replied(200, {"orders": found})
        status = self.orders.get(asked.path.removeprefix("/orders/"))
        return replied(404) if status is None else replied(200, {"status": status})

    def _take(self, asked: Asked) -> bytes:
        fields = asked.fields
        is_denied = fields["asset_class"] == self.denies
        self.orders[fields["client_order_id"]] = "denied" if is_denied else "filled"
        self.classes[fields["asset_class"]] += 1
        return replied(503 if is_denied else 201, {"status": "filled"})


def watched(url: str) -> ServiceSettings:
    """The service, and one gateway at the same address."""
    gateways = {"CRYP": {"base_url": url, "admin_url": url}}
    return ServiceSettings.model_validate({"base_url": url, "gateways": gateways})


async def test_orders_of_every_class_flow_and_each_is_accounted_for(tmp_path: Path) -> None:
    """They flow before anything is broken, or their loss would prove nothing."""
    venue = Venue()
    async with scripted(venue.answer) as (url, _):
        await asyncio.to_thread(begin_orders, tmp_path, watched(url))
        tally = await end_orders(tmp_path, watched(url))

    assert set(venue.classes) == set(SYMBOLS)
    assert tally.sent_count == len(venue.orders) >= len(SYMBOLS)
    assert (tally.lost, tally.doubled, tally.unproven, tally.blind) == ((), (), (), "")


@pytest.mark.parametrize(("fault", "told"), [("forgets", "lost"), ("doubles", "doubled"), ("hides", "blind")])
async def test_what_the_gateways_say_otherwise_is_told(tmp_path: Path, fault: str, told: str) -> None:
    """An order that is lost or sent twice is money; a gateway that does not tell is no proof of either."""
    venue = Venue()
    setattr(venue, fault, True)
    async with scripted(venue.answer) as (url, _):
        await asyncio.to_thread(begin_orders, tmp_path, watched(url))
        tally = await end_orders(tmp_path, watched(url))

    found = {name: bool(value) for name, value in tally if name != "sent_count"}
    assert found == {name: name == told for name in found}


async def test_a_class_whose_orders_are_denied_is_no_stack_to_break(tmp_path: Path) -> None:
    """It was broken before."""
    venue = Venue()
    venue.denies = "fx"
    async with scripted(venue.answer) as (url, _):
        with pytest.raises(CannotAct) as refused:
            await asyncio.to_thread(begin_orders, tmp_path, watched(url), 0.5)

    assert refused.value.code is Code.NOT_WELL
    assert "fx" in refused.value.detail


async def test_orders_that_another_run_sent_are_not_called_safe(tmp_path: Path) -> None:
    """A run that was killed took what it knew with it."""
    tally = await end_orders(tmp_path, watched("http://127.0.0.1:1"))

    assert tally.blind
