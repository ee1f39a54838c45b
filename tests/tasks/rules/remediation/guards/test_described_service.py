"""The guards at a service without `/routing`: what is in force is what the proofs of its control say, or not known."""

import pytest

from tasks.model.incidents.incident import Action
from tasks.model.probes.control import TradingState
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import Exchange, OrderOutcome, RoutingProbe, Seen
from tasks.model.remediation.capabilities import Capabilities
from tasks.model.remediation.plan import Request, Target
from tasks.model.remediation.verdicts import GuardCode
from tasks.model.service.control_settings import ControlKey
from tasks.rules.diagnosis.causes.evidence_queries import is_paused
from tasks.rules.in_force.restrictions import in_force
from tasks.rules.probes.routing import is_of_another_make, told_by_proofs
from tasks.rules.remediation.guards.evaluate import evaluate
from tasks.rules.remediation.planning.propose import traded
from tests.fakes.incident.cases import inputs, planned, seen
from tests.fakes.incident.observations import NOW, gateway, order

ASKED = Request(by="kim", reason="venue is back")
EQUITY = Target(asset_class=AssetClass.EQUITY)
RESUME = planned(Action.RESUME, target=EQUITY)
REDUCE = planned(Action.PAUSE_STRATEGIES, target=EQUITY.model_copy(update={"trading_state": TradingState.REDUCING}))
HALT = planned(Action.PAUSE_STRATEGIES, target=EQUITY)


def told(equity: str, *unread: str) -> RoutingProbe:
    """What the proofs say."""
    nothing = RoutingProbe(seen=Seen.FAILED, detail="malformed", looked_at=NOW)
    return told_by_proofs(nothing, {"trading/equity": equity}, unread)


def test_a_class_that_the_proofs_call_halted_is_in_force_and_can_be_resumed() -> None:
    """Its gateways answer, and a person asks."""
    halted = seen(routing=told("halted"))

    assert [(one.name, one.state) for one in in_force(halted).restrictions] == [("equity", "halted")]
    assert evaluate(RESUME, inputs(asked=ASKED, seen=halted)).allowed


def test_a_class_of_which_no_proof_says_how_it_stands_is_not_resumed() -> None:
    """Whoever halted it since is not seen, so no order passes this guard by."""
    unknown = inputs(asked=ASKED.model_copy(update={"overrides": (GuardCode.BLIND,)}), seen=seen(routing=told("")))

    assert evaluate(RESUME, unknown).code is GuardCode.BLIND


def test_a_class_is_resumed_only_where_every_gateway_that_takes_it_answers() -> None:
    """Without a route its orders may go to any of them."""
    probes = (gateway("XNAS"), gateway("XNYS", Seen.FAILED))
    one_dead = inputs(asked=ASKED, seen=seen(routing=told("halted"), gateways=probes))
    none_described = inputs(asked=ASKED, seen=seen(routing=told("halted")), known_gateways=())

    assert evaluate(RESUME, one_dead).code is GuardCode.CLASS_NOT_WELL
    assert evaluate(RESUME, none_described).code is GuardCode.CLASS_NOT_WELL


@pytest.mark.parametrize(
    ("equity", "code"),
    [("", GuardCode.BLIND), ("halted", GuardCode.WOULD_LOOSEN), ("active", GuardCode.ALLOWED)],
)
def test_reducing_is_sent_only_where_it_is_known_to_tighten(equity: str, code: GuardCode) -> None:
    """To reduce what is halted loosens it."""
    assert evaluate(REDUCE, inputs(seen=seen(routing=told(equity)))).code is code


@pytest.mark.parametrize("equity", ["", "active", "halted"])
def test_a_halt_needs_no_proof_of_what_is_in_force(equity: str) -> None:
    """Rule 8: it tightens, whatever is in force."""
    assert evaluate(HALT, inputs(seen=seen(routing=told(equity)))).allowed


def test_an_action_that_is_not_described_is_refused_before_it_is_begun() -> None:
    """As one that a service answers with 404: the incident escalates."""
    nothing = Capabilities(not_described=frozenset(ControlKey))
    only_pause = Capabilities(not_described=frozenset(ControlKey) - {ControlKey.PAUSE})

    assert evaluate(HALT, inputs(capabilities=nothing)).code is GuardCode.NOT_AVAILABLE
    assert evaluate(HALT, inputs(capabilities=only_pause)).allowed
    strategy = planned(Action.PAUSE_STRATEGIES, target=Target(strategy="mm-1"))
    assert evaluate(strategy, inputs(capabilities=only_pause)).code is GuardCode.NOT_AVAILABLE


def test_a_table_can_also_be_put_back_route_by_route() -> None:
    """So a described re-route is enough for it."""
    restore = planned(Action.RESTORE_ROUTING, target=Target(table_hash="ab"))
    only_reroute = Capabilities(not_described=frozenset(ControlKey) - {ControlKey.REROUTE})

    assert evaluate(restore, inputs(capabilities=only_reroute)).allowed


def test_proofs_that_could_not_be_read_leave_open_what_is_in_force() -> None:
    """Nobody reads *well* then."""
    assert "trading/equity" in in_force(seen(routing=told("", "trading/equity"))).unknown


def test_a_class_that_only_its_description_names_is_paused_with_the_others() -> None:
    """Hands off means every class, also one without a test order."""
    assert AssetClass.EQUITY in traded(inputs(seen=seen(routing=told(""))))


@pytest.mark.parametrize(
    ("equity", "outcome", "paused"),
    [
        ("halted", OrderOutcome.REJECTED, True),
        ("halted", OrderOutcome.DENIED, True),
        ("halted", OrderOutcome.TIMED_OUT, False),
        ("active", OrderOutcome.REJECTED, False),
        ("", OrderOutcome.REJECTED, False),
    ],
)
def test_an_order_refused_by_a_class_that_is_proven_halted_is_no_fault(
    equity: str, outcome: OrderOutcome, *, paused: bool
) -> None:
    """A service of another make has a code of its own for it."""
    rejected = order(AssetClass.EQUITY, outcome).model_copy(update={"code": "KO-17"})

    assert is_paused(seen(routing=told(equity)), rejected) is paused


def test_a_service_that_answers_in_the_contracts_words_is_read_by_them() -> None:
    """Only who has no such path is read off the proofs; who does not answer has failed."""
    answered = Exchange(method="GET", url="http://x/routing", http_status=200)
    nothing = RoutingProbe(seen=Seen.FAILED, detail="malformed", looked_at=NOW)

    assert is_of_another_make(nothing, answered)
    assert not is_of_another_make(nothing, answered.model_copy(update={"fault": "timed_out"}))
    assert not is_of_another_make(nothing.model_copy(update={"table_hash": "ab"}), answered)
