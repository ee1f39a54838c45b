"""After a rollback: what is not as it was before, and what may differ."""

import pytest

from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import DependencyStatus, RoutingProbe, Seen
from tasks.rules.remediation.kept_configuration import Configuration, lost
from tests.fakes.incident.cases import routing
from tests.fakes.incident.observations import health


def running(marks: dict[str, str] | None = None, routing_probe: RoutingProbe | None = None) -> Configuration:
    """What a service runs with; its gateways are marked so."""
    told = tuple(DependencyStatus(name=name, status="degraded", set_to=to) for name, to in (marks or {}).items())
    look = health().model_copy(update={"dependencies": told})
    return Configuration(health=look, routing=routing_probe or routing())


def traded(state: str, gateway: str = "XNAS") -> RoutingProbe:
    """A routing in which equities are in this state, and go there."""
    return routing(
        routes=tuple(
            one.model_copy(update={"trading_state": state, "gateway": gateway})
            if one.asset_class == AssetClass.EQUITY
            else one
            for one in routing().routes
        )
    )


BEFORE = routing(features={"band": False}, strategies={"momentum": "halted"})


def said(after: Configuration, before: Configuration | None = None) -> str:
    """What is reported of it."""
    return "; ".join(lost(before or running(routing_probe=BEFORE), after))


def test_a_service_that_runs_with_what_it_ran_with_has_lost_nothing() -> None:
    """The usual end of a rollback says nothing of its configuration."""
    assert said(running(routing_probe=BEFORE)) == ""


def test_another_table_is_told_by_its_hashes() -> None:
    """Knight Capital, 2012: nobody was notified that the old configuration was back."""
    after = running(routing_probe=BEFORE.model_copy(update={"table_hash": "b" * 64}))
    gone = Configuration(health=health(), routing=None, table_hash="a" * 64)

    assert said(after) == "routing table aaaaaaaaaaaa became bbbbbbbbbbbb"
    assert said(after, gone) == "routing table aaaaaaaaaaaa became bbbbbbbbbbbb"
    assert said(running(), gone) == ""


def test_a_switch_that_turned_is_told_and_one_that_went_with_its_release_is_not() -> None:
    """What came with the bad release goes with it."""
    turned = running(routing_probe=BEFORE.model_copy(update={"features": {"band": True}}))
    without = running(routing_probe=BEFORE.model_copy(update={"features": {}}))

    assert said(turned) == "feature band was off, is on"
    assert said(without) == ""


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("halted", "active", "equity was halted, is active"),
        ("halted", "reducing", "equity was halted, is reducing"),
        ("reducing", "active", "equity was reducing, is active"),
        ("active", "halted", ""),
        ("reducing", "halted", ""),
        ("halted", "halted", ""),
    ],
)
def test_a_halt_that_is_gone_is_told_and_a_new_one_is_somebodys_will(before: str, after: str, told: str) -> None:
    """A class that was halted by a person must not trade because code was rolled back."""
    assert said(running(routing_probe=traded(after)), running(routing_probe=traded(before))) == told


def test_a_route_that_was_set_by_a_person_and_is_gone_is_told() -> None:
    """New orders would go back to the gateway that they were led around."""
    before, after = running(routing_probe=traded("active", "XNYS")), running(routing_probe=traded("active"))

    assert said(after, before) == "equity went to XNYS, goes to XNAS"


def test_a_strategy_that_trades_again_is_told() -> None:
    """Its desk had stopped it."""
    for strategies in ({}, {"momentum": "active"}):
        after = running(routing_probe=BEFORE.model_copy(update={"strategies": strategies}))
        assert said(after) == "strategy momentum was halted, is active"


def test_a_mark_that_is_gone_is_told() -> None:
    """Who reads that the gateway is well would believe it."""
    assert said(running(), running({"XNAS": "degraded"})) == "gateway XNAS was marked degraded"
    assert said(running({"XNAS": "disabled"}), running({"XNAS": "degraded"})) == ""
    assert said(running({"XNAS": "degraded"}), running()) == ""


@pytest.mark.parametrize("seen", [Seen.FAILED, Seen.BLIND])
def test_what_cannot_be_read_any_more_is_not_called_kept(seen: Seen) -> None:
    """Missing data is no proof."""
    after = running(routing_probe=routing(seen=seen, detail="timed out"))

    assert said(after) == "the routing cannot be read: timed out"
    assert said(Configuration(health=health())) == "the routing cannot be read: not asked"


def test_a_service_that_never_told_its_routing_is_not_held_to_it() -> None:
    """Another order service need not have this call."""
    silent = running(routing_probe=routing(seen=Seen.NOT_CONFIGURED, routes=(), table_hash=None, features={}))

    assert said(silent, silent) == ""
