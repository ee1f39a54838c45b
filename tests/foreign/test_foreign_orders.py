"""The test order of foreign services, in their own words: executed where it is, and nowhere else."""

import tomllib
from pathlib import Path

import pytest

from tasks.clients.service.one_pass import service_client
from tasks.clients.service.order_states import order_states
from tasks.clients.service.synthetic_orders import order_probes
from tasks.model.probes.order_states import OrderSafety
from tasks.model.probes.probes import OrderOutcome, OrderProbe
from tasks.settings import ServiceSettings
from tests.foreign.shops import DOTNET, FIX, SPRING, TICKETS, Kind, Shop, open_shop

pytestmark = pytest.mark.live

OF_ORDERS = ("base_url", "http", "orders", "synthetic_orders", "asset_classes", "look")
REJECTED, DENIED = OrderOutcome.REJECTED, OrderOutcome.DENIED


def described(shop: Shop) -> ServiceSettings:
    """What its settings file says of orders."""
    table = tomllib.loads(shop.description())["services"][shop.kind.service]
    return ServiceSettings.model_validate({key: value for key, value in table.items() if key in OF_ORDERS})


async def sent(shop: Shop) -> OrderProbe:
    """One test order."""
    service = described(shop)
    async with service_client(service) as client:
        (probe,) = await order_probes(client, service)
    return probe


@pytest.mark.parametrize(
    ("kind", "rejecting", "code"),
    [(SPRING, REJECTED, "XNAS_099"), (DOTNET, DENIED, "RISK-17"), (TICKETS, REJECTED, None), (FIX, REJECTED, "3")],
    ids=lambda one: one.service if isinstance(one, Kind) else None,
)
async def test_an_order_comes_to_what_its_service_says(
    kind: Kind, rejecting: OrderOutcome, code: str | None, tmp_path: Path
) -> None:
    """Four dialects, an answer that comes later and one in FIX tags among them."""
    with open_shop(kind, tmp_path) as shop:
        filled = await sent(shop)
        shop.breaks("rejecting")
        refused = await sent(shop)
        shop.breaks("gateway-down")
        unrouted = await sent(shop)
        shop.breaks("down")
        gone = await sent(shop)

    assert filled.outcome is OrderOutcome.EXECUTED, filled.detail
    assert (refused.outcome, refused.code) == (rejecting, code), refused.detail
    assert not unrouted.outcome.delivered
    assert gone.outcome is OrderOutcome.NOT_REACHED


async def test_a_service_that_hangs_times_the_order_out(tmp_path: Path) -> None:
    """Silence is no rejection."""
    with open_shop(SPRING, tmp_path) as shop:
        shop.breaks("hung")
        probe = await sent(shop)

    assert probe.outcome is OrderOutcome.TIMED_OUT


async def test_without_a_path_no_order_is_sent(tmp_path: Path) -> None:
    """§1.3 then says that it could not."""
    with open_shop(SPRING, tmp_path) as shop:
        table = tomllib.loads(shop.description())["services"]["oms"]
        kept = {key: value for key, value in table.items() if key in OF_ORDERS} | {"orders": {"path": ""}}
        service = ServiceSettings.model_validate(kept)
        async with service_client(service) as client:
            assert await order_probes(client, service) == ()


@pytest.mark.parametrize(("kind", "verdict"), [(SPRING, OrderSafety.SAFE), (DOTNET, OrderSafety.BLIND)])
async def test_orders_are_proven_only_where_somebody_said_how_they_are_listed(
    kind: Kind, verdict: OrderSafety, tmp_path: Path
) -> None:
    """A path of ours that happens to answer there would say nothing of its orders."""
    with open_shop(kind, tmp_path) as shop:
        states = await order_states(described(shop))

    assert states.verdict is verdict, states.detail
