"""A class that only the description names goes all the way: diagnosis, plan, page, desk, as the four that are usual."""

from tasks.model.diagnosis.diagnosis import Cause, Diagnosis, Kind
from tasks.model.evidence.evidence import Evidence, KnownGateway
from tasks.model.incidents.incident import Action
from tasks.model.probes.control import TradingState
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import OrderOutcome, RoutingProbe, Seen
from tasks.rules.diagnosis.name_causes import name_cause
from tasks.rules.in_force.class_standing import class_standings
from tasks.rules.in_force.headline import headline
from tasks.rules.messages.desk import affected_classes, desk_status, traded_classes
from tasks.rules.messages.templates import desk_notice
from tasks.rules.remediation.planning.gateway_actions import unreachable
from tasks.rules.remediation.planning.propose import Trouble
from tests.fakes.incident.cases import INCIDENT, inputs
from tests.fakes.incident.observations import NOW, gateway, observation, order
from tests.fakes.incident.past import with_past

OPTION, BOND = AssetClass("option"), AssetClass("bond")
NO_ROUTING = RoutingProbe(seen=Seen.NOT_CONFIGURED, detail="not available", looked_at=NOW)
KNOWN = (
    KnownGateway(name="CBOE", asset_classes=(OPTION,)),
    KnownGateway(name="BOX", asset_classes=(BOND,)),
    KnownGateway(name="MTS", asset_classes=(BOND,)),
)


def seen_down(*names: str, outcome: OrderOutcome = OrderOutcome.DENIED) -> Evidence:
    """Three checks of a service that shows no routing, with these gateways down."""
    sent = order(OPTION, outcome, "CBOE").model_copy(update={"code": "VENUE-1"})
    probes = tuple(gateway(one.name, Seen.FAILED if one.name in names else Seen.PASSED) for one in KNOWN)
    checks = (observation(float(after_s), orders=(sent,), gateways=probes, routing=NO_ROUTING) for after_s in range(3))
    return with_past(tuple(checks), known_gateways=KNOWN, known_classes=(BOND, OPTION), history=())


def diagnosed(evidence: Evidence) -> Diagnosis:
    return name_cause(evidence)


def test_a_gateway_that_is_down_halts_the_class_that_only_it_takes() -> None:
    """No answer of the service says where a class goes; the description does."""
    evidence = seen_down("CBOE")
    (found,) = diagnosed(evidence).findings
    known = inputs(found=(found,), seen=evidence.latest, known_gateways=KNOWN, history=(), known_classes=(BOND, OPTION))
    planned = unreachable(Trouble(incident_id=INCIDENT, finding=found, inputs=known))

    assert (found.cause, found.asset_classes, found.kinds) == (
        Cause.DEPENDENCY_UNREACHABLE,
        (OPTION,),
        (Kind.UNREACHABLE,),
    )
    halts = [one.target for one in planned if one.action is Action.PAUSE_STRATEGIES]
    assert [(one.asset_class, one.trading_state) for one in halts] == [(OPTION, TradingState.HALTED)]


def test_a_class_with_another_gateway_is_not_named_for_one_that_is_down() -> None:
    """Nobody guesses which of two a class goes to."""
    one = diagnosed(seen_down("BOX", outcome=OrderOutcome.EXECUTED)).findings[0]
    both = diagnosed(seen_down("BOX", "MTS", outcome=OrderOutcome.EXECUTED)).findings[0]

    assert (one.asset_classes, both.asset_classes) == ((), (BOND,))


def test_the_desk_reads_of_the_class_by_its_name() -> None:
    """A trader reads what does not trade, and what nobody has checked."""
    evidence = seen_down("CBOE")
    diagnosis = diagnosed(evidence)
    text = "\n".join(desk_status(evidence))

    assert affected_classes(diagnosis.findings[0], diagnosis, evidence) == (OPTION,)
    assert traded_classes(evidence) == (BOND, OPTION)
    assert "Option: not trading, the test order to CBOE was denied (VENUE-1)." in text
    assert "Bond: not known, no test order is set up." in text
    assert "option" in desk_notice(OPTION)


def test_what_trades_is_said_of_every_class() -> None:
    """An observation with a class of its own is not left out of the end of an incident."""
    standings = class_standings(seen_down(outcome=OrderOutcome.EXECUTED).latest)

    assert [(one.asset_class, one.trades) for one in standings] == [(OPTION, True)]


def test_a_test_order_that_was_left_is_in_the_headline() -> None:
    """Nobody reads "healthy" while an order of ours rests on a book."""
    left = "TEST ORDER synthetic-1 of 2026-11-30 12:00:00Z may rest at the venue"
    evidence = seen_down(outcome=OrderOutcome.EXECUTED)
    latest = evidence.latest
    orders = tuple(one.model_copy(update={"left": left, "ord_status": "canceled"}) for one in latest.orders)
    seen = evidence.model_copy(update={"observations": (latest.model_copy(update={"orders": orders}),)})
    line = headline("oms", diagnosed(seen), seen)

    assert line == f"A test order of oms has been left at its venue since 15:00:02Z (likely). {left}."
