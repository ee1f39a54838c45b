"""Plans, inputs and cases for the tests of the remediation: everything allows, with one thing changed."""

from datetime import timedelta

from tasks.model.diagnosis.diagnosis import Audience, Cause, Confidence, Diagnosis, Finding, Kind, Status
from tasks.model.evidence.evidence import Context, Evidence, KnownGateway, TriageRequest
from tasks.model.incidents.incident import Action, ActionRecord, Outcome
from tasks.model.incidents.modes import Mode
from tasks.model.probes.history import PastObservation
from tasks.model.probes.order_states import OrderSafety, OrderStates, UnprovenOrder
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import Observation, RouteStatus, RoutingProbe, Seen
from tasks.model.remediation.capabilities import Capabilities
from tasks.model.remediation.plan import PlannedAction, Target
from tasks.rules.incidents.action_history import ActionHistory
from tasks.rules.remediation.guards.guard_inputs import GuardInputs
from tasks.rules.remediation.planning.propose import key_of
from tests.fakes.incident.observations import NOW, gateway, observation

INCIDENT = "INC-1"
ROUTES = {AssetClass.EQUITY: ("XNAS", "XNYS"), AssetClass.FX: ("FXALL", "XCME")}


def finding(cause: Cause = Cause.SERVICE_HUNG, **changes: object) -> Finding:
    """A confirmed finding, with changes."""
    inputs: dict[str, object] = {
        "cause": cause,
        "confidence": Confidence.CONFIRMED,
        "because": ("seen in 3 of 3 checks",),
        "section": "§2.1",
        "tier": Audience.TIER_1,
        **changes,
    }
    return Finding.model_validate(inputs)


def unreachable(*gateways: str, classes: tuple[AssetClass, ...] = (AssetClass.EQUITY,)) -> Finding:
    """Gateways that cannot be reached."""
    return finding(Cause.DEPENDENCY_UNREACHABLE, gateways=gateways, asset_classes=classes, kinds=(Kind.UNREACHABLE,))


def planned(
    action: Action = Action.RESTART_SERVICE, found: Finding | None = None, target: Target | None = None
) -> PlannedAction:
    """One planned action; without a finding it is for a hung service."""
    target = target or Target()
    return PlannedAction(
        key=key_of(INCIDENT, action, target),
        action=action,
        incident_id=INCIDENT,
        why="a test",
        target=target,
        finding=found or finding(),
    )


def routing(**changes: object) -> RoutingProbe:
    """A routing table that serves: each class with one alternate."""
    routes = tuple(
        RouteStatus(
            asset_class=name,
            gateway=first,
            table_gateway=first,
            shipped_gateway=first,
            alternates=(other,),
            trading_state="active",
        )
        for name, (first, other) in ROUTES.items()
    )
    inputs: dict[str, object] = {
        "seen": Seen.PASSED,
        "detail": "routes",
        "looked_at": NOW,
        "routes": routes,
        "table_hash": "a" * 64,
        "file_hash": "a" * 64,
        **changes,
    }
    return RoutingProbe.model_validate(inputs)


def seen(**changes: object) -> Observation:
    """One healthy pass of checks at a service with a routing table and four gateways."""
    probes = tuple(gateway(name) for pair in ROUTES.values() for name in pair)
    return observation(**{"gateways": probes, "routing": routing(), **changes})


def past(minutes_ago: float, **changes: object) -> PastObservation:
    """One healthy run before."""
    inputs: dict[str, object] = {
        "at": NOW - timedelta(minutes=minutes_ago),
        "status": Status.OK,
        "release": "1.0.0",
        "routes": {name: first for name, (first, _) in ROUTES.items()},
        "table_hash": "a" * 64,
        **changes,
    }
    return PastObservation.model_validate(inputs)


def orders(verdict: OrderSafety = OrderSafety.SAFE, *ids: str, status: str = "unknown") -> OrderStates:
    """The answer of the order-state gate."""
    unproven = tuple(UnprovenOrder(client_order_id=one, status=status, detail=status) for one in ids)
    return OrderStates(
        verdict=verdict, detail=f"{verdict}", looked_at=NOW, unproven=unproven, unproven_count=len(unproven)
    )


def done_before(
    minutes_ago: float,
    outcome: Outcome | None = Outcome.RECOVERED,
    action: Action = Action.RESTART_SERVICE,
    key: str = "",
) -> ActionRecord:
    """One earlier action; without an outcome its end was never seen."""
    began_at = NOW - timedelta(minutes=minutes_ago)
    ended_at = began_at if outcome else None
    return ActionRecord(
        key=key or f"k{minutes_ago}", action=action, started_at=began_at, finished_at=ended_at, outcome=outcome
    )


def inputs(*before: ActionRecord, found: tuple[Finding, ...] = (), **changes: object) -> GuardInputs:
    """Inputs under which every guard allows, with changes; what belongs into the context goes there."""
    context = Context(
        request=TriageRequest(service="order-service"),
        looked_at=NOW,
        mode=Mode.ACT,
        late_s=0.0,
        known_gateways=tuple(
            KnownGateway(name=one, asset_classes=(name,)) for name, pair in ROUTES.items() for one in pair
        ),
        history=(past(2), past(1)),
    )
    in_context = {name: changes.pop(name) for name in list(changes) if name in Context.model_fields}
    round_of_looks = changes.pop("seen", None) or seen()
    markets = changes.pop("markets", ())
    found = found or (finding(),)
    base: dict[str, object] = {
        "now": NOW,
        "evidence": Evidence.model_validate(
            {
                "context": context.model_copy(update=in_context),
                "observations": (round_of_looks,),
                "markets": markets,
            }
        ),
        "diagnosis": Diagnosis(status=Status.CRITICAL, findings=found),
        "history": ActionHistory(actions=before),
        "capabilities": Capabilities(releases=("1.0.0", "1.1.0")),
        "orders": orders(),
        **changes,
    }
    return GuardInputs.model_validate(base)
