"""Four order services of other makes, each looked after by its settings file alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.foreign.looking_after import BUNDLED_WORDS, LookedAfter, looked_after
from tests.foreign.shops import DOTNET, FIX, KINDS, SPRING, TICKETS, Kind, Shop, open_shop

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]

HUNG, DOWN = {"service_hung": "confirmed"}, {"service_down": "confirmed"}
GONE = {"dependency_unreachable": "confirmed"}
NOWHERE, REFUSED = "NOT_AVAILABLE", {"gateway_failing": "confirmed"}
RESTART, ALLOWED, UNSURE = "restart service", "ALLOWED", "NOT_CONFIRMED"


def around(gateway: str, asset_class: str, pause: str) -> dict[str, str]:
    """What is planned where a gateway is gone: of what is described, the pause alone may be there."""
    return {
        f"mark degraded {gateway}": NOWHERE,
        f"reroute orders {asset_class}": NOWHERE,
        f"pause strategies {asset_class} halted": pause,
    }


def pause(asset_class: str, code: str) -> dict[str, str]:
    """What is planned where every test order of a class is rejected."""
    return {f"pause strategies {asset_class} halted": code}


# Of each service and fault: the causes with their confidence, the plan with what allows or forbids it.
EXPECTED: dict[tuple[Kind, str], tuple[dict[str, str], dict[str, str]]] = {
    (SPRING, "hung"): (HUNG, {RESTART: ALLOWED}),
    (SPRING, "down"): (DOWN, {RESTART: ALLOWED}),
    (SPRING, "rejecting"): (REFUSED, pause("equity", ALLOWED)),
    (SPRING, "gateway-down"): (GONE, around("XNAS", "equity", ALLOWED)),
    (DOTNET, "hung"): (HUNG, {RESTART: ALLOWED}),
    (DOTNET, "down"): (DOWN, {RESTART: ALLOWED}),
    # It denies them itself, by a limit: neither a gateway nor a restart has to do with it.
    (DOTNET, "rejecting"): ({"unknown": "inconclusive"}, {}),
    (DOTNET, "gateway-down"): (GONE, around("CBOE", "option", ALLOWED)),
    (TICKETS, "hung"): (HUNG, {RESTART: ALLOWED}),
    (TICKETS, "down"): (DOWN, {RESTART: ALLOWED}),
    (TICKETS, "rejecting"): (REFUSED, pause("crypto", NOWHERE)),
    (TICKETS, "gateway-down"): (GONE, around("BROKER", "crypto", NOWHERE)),
    # Seen by its metrics alone, which are gone with it: no second signal, and nothing is done.
    (FIX, "hung"): ({"service_hung": "likely"}, {RESTART: UNSURE}),
    (FIX, "down"): ({"service_down": "likely"}, {RESTART: UNSURE}),
    (FIX, "rejecting"): (REFUSED, pause("crypto", NOWHERE)),
    (FIX, "gateway-down"): (GONE, around("XFIX", "crypto", NOWHERE)),
}


@pytest.fixture(params=KINDS)
def shop(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """One foreign service, running."""
    monkeypatch.chdir(tmp_path)
    with open_shop(KINDS[request.param], tmp_path) as running:
        yield running


async def test_a_healthy_one_is_healthy_and_left_alone(shop: Shop, tmp_path: Path) -> None:
    """No cause, no plan, an order that filled, and a gateway that answers."""
    seen = await looked_after(shop, tmp_path)

    assert (seen.status, seen.causes, seen.plan) == ("ok", {}, {}), seen.text
    assert seen.headline.startswith(
        f"{shop.kind.service} is healthy: health passed, its process runs, 1 of 1 test orders"
    )
    says_nothing_false(shop, seen)


@pytest.mark.parametrize("fault", ["hung", "down", "rejecting", "gateway-down"])
async def test_each_fault_has_its_cause_and_its_plan(fault: str, shop: Shop, tmp_path: Path) -> None:
    """The right action is planned, or it is said that it is not available; never another one."""
    shop.breaks(fault)
    seen = await looked_after(shop, tmp_path)

    assert (seen.causes, seen.plan) == EXPECTED[shop.kind, fault], seen.text
    says_nothing_false(shop, seen)


def says_nothing_false(shop: Shop, seen: LookedAfter) -> None:
    """Nothing is said that only the bundled service has, and no secret."""
    assert [one for one in BUNDLED_WORDS if one in seen.text] == []
    assert "s3cr3t" not in seen.text
    gone = "dependency_unreachable" in seen.causes
    assert ("unreachable" in seen.headline) == gone
    assert shop.kind.service in seen.text
