"""A table that leads a class wrong or nowhere: how sure, and whom it names."""

from typing import Any

import pytest

from tasks.model.diagnosis.changes import Change, ChangeKind
from tasks.model.diagnosis.diagnosis import Confidence, Finding, Kind
from tasks.model.evidence.evidence import KnownGateway
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import Fault, Observation, OrderOutcome, OrderProbe, RoutingProbe, Seen
from tasks.model.probes.processes import ProcessState
from tasks.rules.diagnosis.causes.routing_table import routing_misconfigured, start_refused
from tasks.rules.diagnosis.process_runs import TABLE_REFUSED
from tests.fakes.incident.observations import health, observation, order, process
from tests.fakes.incident.past import ago, rounds, routing, with_past

WRONG = routing({AssetClass.EQUITY: "XNYS"})
BY_KIM = Change(kind=ChangeKind.ROUTING, at=ago(5), key="routing", before=None, now="b", by="kim")


BY_SIGNAL = BY_KIM.model_copy(update={"by": "signal"})


def equity(outcome: OrderOutcome = OrderOutcome.EXECUTED, **changes: object) -> tuple[OrderProbe, ...]:
    """The test order of equity, and one of fx that fills."""
    return (order(outcome=outcome).model_copy(update=changes), order(AssetClass.FX))


def found_in(*seen: Observation, **facts: Any) -> Finding | None:
    """Name what is wrong with the routing."""
    return routing_misconfigured(with_past(seen, **facts))


def test_a_table_that_leads_all_classes_as_shipped_is_well() -> None:
    """Nobody is paged for a table."""
    assert found_in(*rounds(routing=routing())) is None


@pytest.mark.parametrize(
    ("orders", "table", "missing"),
    [
        (equity(OrderOutcome.DENIED, code="NO_ROUTE"), None, True),
        (equity(OrderOutcome.DENIED), routing({AssetClass.EQUITY: None}), True),
        (equity(), routing({AssetClass.EQUITY: None}), False),
        (equity(OrderOutcome.DENIED, code="TRADING_HALTED"), None, False),
    ],
)
def test_a_class_without_a_route_is_missing(
    orders: tuple[OrderProbe, ...], table: RoutingProbe | None, missing: bool
) -> None:
    """Its orders go nowhere, and no gateway is to blame."""
    found = found_in(*rounds(orders=orders, routing=table))

    assert (found is not None and found.kinds == (Kind.CLASS_MISSING,)) is missing
    assert found is None or found.asset_classes == (AssetClass.EQUITY,)


def test_a_class_that_is_missing_in_one_look_alone_is_not() -> None:
    """A reload lies between two checks; the next one shows what it brought."""
    first, *others = rounds(orders=equity(OrderOutcome.DENIED, code="NO_ROUTE"))
    well = observation(4.0, orders=equity(), routing=routing())

    assert found_in(first, *others[:1], well) is None


def test_a_gateway_that_does_not_take_the_class_is_a_wrong_rule() -> None:
    """The venue rejects each order, however well it is."""
    known = (KnownGateway(name="XNYS", asset_classes=(AssetClass.FX,)), KnownGateway(name="XNAS"))

    found = found_in(*rounds(routing=WRONG, orders=equity(OrderOutcome.REJECTED)), known_gateways=known)
    unlisted = found_in(*rounds(routing=routing()), known_gateways=known)
    taken = (KnownGateway(name="XNYS", asset_classes=(AssetClass.EQUITY,)),)
    allowed = found_in(*rounds(routing=WRONG), known_gateways=taken, changes=(BY_KIM,))

    assert found is not None
    assert found.kinds == (Kind.WRONG_RULE,)
    assert found.confidence is Confidence.CONFIRMED
    assert "which does not take it" in found.because[0]
    assert "the release's own table says XNAS" in found.because[0]
    assert found.ruled_out[0].startswith("service down or hung: health answers")
    assert found.ruled_out[1:] == ("gateways: XNAS, FXALL answer a direct probe",)
    assert unlisted is None
    assert allowed is not None
    assert "does not take it" not in allowed.because[0]


@pytest.mark.parametrize(
    ("orders", "changes", "confidence", "told"),
    [
        (equity(), (BY_KIM,), Confidence.LIKELY, "its orders are delivered"),
        (equity(), (), Confidence.CONFIRMED, "nobody gave a name"),
        (equity(), (BY_SIGNAL,), Confidence.CONFIRMED, "nobody gave a name"),
        (equity(), (BY_KIM, BY_SIGNAL), Confidence.CONFIRMED, "nobody gave a name"),
        (equity(), (BY_SIGNAL, BY_KIM), Confidence.LIKELY, "its orders are delivered"),
        (equity(), (BY_KIM.model_copy(update={"by": None}),), Confidence.CONFIRMED, "nobody gave a name"),
        (equity(), (BY_KIM.model_copy(update={"by": ""}),), Confidence.CONFIRMED, "nobody gave a name"),
        ((*equity(), order(outcome=OrderOutcome.TIMED_OUT)), (BY_KIM,), Confidence.LIKELY, "delivered"),
        (equity(), (BY_KIM.model_copy(update={"key": "equity"}),), Confidence.CONFIRMED, "nobody gave a name"),
        (equity(), (BY_KIM.model_copy(update={"kind": ChangeKind.FEATURE}),), Confidence.CONFIRMED, "nobody gave"),
        (equity(OrderOutcome.TIMED_OUT), (BY_KIM,), Confidence.CONFIRMED, "its orders fail in 3 of 3 checks"),
        (equity(OrderOutcome.BLIND), (BY_KIM,), Confidence.LIKELY, "its orders are delivered"),
        (equity(OrderOutcome.DENIED, code="GATEWAY_DISABLED"), (BY_KIM,), Confidence.LIKELY, "delivered"),
    ],
)
def test_a_rule_that_differs_from_the_releases_own_is_told_as_sure_as_it_is(
    orders: tuple[OrderProbe, ...], changes: tuple[Change, ...], confidence: Confidence, told: str
) -> None:
    """A person may have meant it; orders that fail, or a change that nobody owns, leave no doubt."""
    found = found_in(*rounds(routing=WRONG, orders=orders), changes=changes)

    assert found is not None
    assert (found.kinds, found.confidence) == ((Kind.WRONG_RULE,), confidence)
    assert told in found.because[0]
    assert found.because[-1] == f"table hash {'a' * 12} serves"


def test_a_table_that_waits_for_its_start_is_no_wrong_rule_yet() -> None:
    """What lies on disk and does not serve leads no order."""
    waiting = WRONG.model_copy(update={"file_hash": "b" * 64})

    assert found_in(*rounds(routing=waiting)) is None


@pytest.mark.parametrize("missing", ["shipped_gateway", "table_gateway"])
def test_a_rule_that_cannot_be_compared_does_not_differ(missing: str) -> None:
    """A service that does not tell what its release shipped is not accused by it."""
    route = WRONG.routes[0].model_copy(update={missing: None})

    assert found_in(*rounds(routing=WRONG.model_copy(update={"routes": (route, *WRONG.routes[1:])}))) is None


def test_a_table_on_disk_that_is_refused_is_told_before_the_next_start_fails() -> None:
    """The service serves on with the old one, until somebody restarts it."""
    broken = routing(file_error="expected TOML")
    spent = process(open_files_count=95, open_files_limit=100)

    found = found_in(*rounds(routing=broken))

    assert found is not None
    assert (found.kinds, found.asset_classes) == ((Kind.LATENT,), ())
    assert "expected TOML; a restart would fail on it" in found.because[0]
    assert found_in(*rounds(routing=broken)[:2], observation(4.0, routing=routing())) is None
    assert found_in(*rounds(routing=broken, process=spent)) is None


def test_a_finding_is_only_as_sure_as_its_least_sure_part() -> None:
    """A person who reads "confirmed" acts on all of it."""
    both = routing({AssetClass.EQUITY: "XNYS", AssetClass.FX: "XCME"})
    failing = (order(outcome=OrderOutcome.TIMED_OUT), order(AssetClass.FX))

    found = found_in(*rounds(routing=both, orders=failing), changes=(BY_KIM,))

    assert found is not None
    assert found.confidence is Confidence.LIKELY
    assert found.asset_classes == (AssetClass.EQUITY, AssetClass.FX)


def test_a_service_that_refuses_its_table_is_told_so_and_only_while_it_is_down() -> None:
    """One more start would be refused as well; what helps is the table."""
    down = rounds(health=health(Fault.REFUSED), process=process(ProcessState.DEAD), orders=_lost())
    failure = f"START_FAILED: exit code 2: {TABLE_REFUSED}: expected TOML"

    found = start_refused(with_past(down, start_failure=failure))

    assert found is not None
    assert found.kinds == (Kind.START_REFUSED,)
    assert found.asset_classes == (AssetClass.EQUITY, AssetClass.FX)
    assert "health refused in 3 of 3 checks, process dead" in found.because[2]
    assert found.ruled_out[1:] == ("gateways: XNAS, FXALL answer a direct probe",)
    assert start_refused(with_past(down, start_failure="START_FAILED: exit code 1")) is None
    assert start_refused(with_past(rounds(), start_failure=failure)) is None


def _lost() -> tuple[OrderProbe, ...]:
    return (order(outcome=OrderOutcome.NOT_REACHED), order(AssetClass.FX, OrderOutcome.NOT_REACHED))


def test_a_look_that_failed_names_no_table() -> None:
    """Where there is no look at the routing, the orders' own codes decide."""
    blind = RoutingProbe(seen=Seen.BLIND, detail="", looked_at=ago(0))
    refused = equity(OrderOutcome.REJECTED, code="UNSUPPORTED_ASSET_CLASS")

    found = found_in(*rounds(routing=blind, orders=refused))

    assert found is not None
    assert len(found.because) == 1
    assert "equity is routed to XNAS, which does not take it" in found.because[0]


def test_an_order_that_names_no_gateway_is_told_with_that_of_its_route() -> None:
    """Who restores the table reads where it leads."""
    refused = equity(OrderOutcome.REJECTED, code="WRONG_VENUE", gateway=None)

    found = found_in(*rounds(routing=WRONG, orders=refused))

    assert found is not None
    assert "equity is routed to XNYS, which does not take it" in found.because[0]


def test_a_class_that_was_not_tried_in_every_look_is_not_led_wrong_by_what_one_order_says() -> None:
    """One answer of a venue is no proof of a rule."""
    refused = equity(OrderOutcome.REJECTED, code="WRONG_VENUE")
    without = observation(0.0, orders=(order(AssetClass.FX),), routing=routing())

    assert found_in(without, *rounds(orders=refused, routing=routing())[1:]) is None
