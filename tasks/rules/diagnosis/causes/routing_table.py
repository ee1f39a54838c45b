"""The router's configuration: a wrong rule, a class without a route, a table on disk that is broken (§2.2)."""

from tasks.model.diagnosis.changes import ChangeKind
from tasks.model.diagnosis.diagnosis import Audience, Cause, Confidence, Finding, Kind
from tasks.model.evidence.evidence import Evidence
from tasks.model.probes.orders import AssetClass, classes_in
from tasks.model.probes.probes import Observation, OrderOutcome, OrderProbe, RouteStatus
from tasks.rules.diagnosis.causes.evidence_queries import (
    checks_seen,
    confidence,
    gateways_ruled_out,
    in_all,
    is_down,
    is_paused,
    service_ruled_out,
)
from tasks.rules.diagnosis.causes.gateway_signs import WRONG_ROUTE_CODES
from tasks.rules.diagnosis.causes.resources import descriptors_spent
from tasks.rules.diagnosis.process_runs import TABLE_REFUSED

Part = tuple[Kind, Confidence, str, AssetClass | None]


def routing_misconfigured(evidence: Evidence) -> Finding | None:
    """Find a routing table that leads a class wrong or nowhere, or that the next start would be refused with.

    Runbook: §2.2 Confirm router configuration and the asset-class routing rules.
    Errors: none; where there is no look at the routing, the orders' own codes decide.
    """
    parts = [*_classes_missing(evidence), *_wrong_rules(evidence), *_latent(evidence)]
    if not parts:
        return None
    sure = all(part[1] is Confidence.CONFIRMED for part in parts)
    routing = evidence.latest.routing
    table = (f"table hash {routing.table_hash[:12]} serves",) if routing and routing.table_hash else ()
    return Finding(
        cause=Cause.ROUTING_MISCONFIGURED,
        confidence=Confidence.CONFIRMED if sure else Confidence.LIKELY,
        because=(*(part[2] for part in parts), *table),
        section="§2.2",
        tier=Audience.TIER_2,
        ruled_out=(*service_ruled_out(evidence), *gateways_ruled_out(evidence.latest)),
        asset_classes=classes_in(part[3] for part in parts),
        kinds=tuple(dict.fromkeys(part[0] for part in parts)),
    )


def start_refused(evidence: Evidence) -> Finding | None:
    """Find a service that is down because it refuses its routing table: one more start would be refused as well.

    Runbook: §2.2 Confirm router configuration; a person restores the table, then starts the service.
    """
    failure = evidence.context.start_failure
    if TABLE_REFUSED not in failure or not is_down(evidence):
        return None
    down = f"health refused in {checks_seen(evidence)}, process {evidence.latest.process.state}"
    return Finding(
        cause=Cause.ROUTING_MISCONFIGURED,
        confidence=confidence(evidence),
        because=("the service does not start: restore the routing table, then start it", failure, down),
        section="§2.2",
        tier=Audience.TIER_2,
        ruled_out=("service down alone: a restart would be refused again", *gateways_ruled_out(evidence.latest)),
        asset_classes=tuple(dict.fromkeys(order.asset_class for order in evidence.latest.orders)),
        kinds=(Kind.START_REFUSED,),
    )


def _classes_missing(evidence: Evidence) -> list[Part]:
    classes = dict.fromkeys(order.asset_class for order in evidence.latest.orders)
    missing = [name for name in classes if all(_is_missing(one, name) for one in evidence.observations)]
    seen = checks_seen(evidence)
    return [(Kind.CLASS_MISSING, confidence(evidence), f"no route for {name} in {seen}", name) for name in missing]


def _is_missing(observation: Observation, asset_class: AssetClass) -> bool:
    order = next((one for one in observation.orders if one.asset_class == asset_class), None)
    if order is not None and order.code == "NO_ROUTE":
        return True
    route = observation.routing.route(asset_class) if observation.routing else None
    delivered = order is not None and order.outcome.delivered
    return route is not None and route.gateway is None and not delivered


def _wrong_rules(evidence: Evidence) -> list[Part]:
    found = [_wrong_rule(evidence, order) for order in evidence.latest.orders]
    return [part for part in found if part]


def _wrong_rule(evidence: Evidence, order: OrderProbe) -> Part | None:
    """Say that a class is led wrong: its gateway does not take it, or it fails where the table left the release's.

    A rule that differs from the release's own and whose orders fill may be meant where somebody gave a reason for it:
    it is reported, and only as likely.
    """
    name = order.asset_class
    route = evidence.latest.routing.route(name) if evidence.latest.routing else None
    refused = in_all(evidence, lambda one: _refused_by_class(one, name))
    if refused or _does_not_take(evidence, route):
        at = order.gateway or (route.gateway if route else None)
        told = f"{name} is routed to {at}, which does not take it ({order.outcome}, {order.code or order.detail})"
        return Kind.WRONG_RULE, confidence(evidence), f"{told}, in {checks_seen(evidence)}{_should(route)}", name
    if route is None or not _differs(route) or not _in_force(evidence.latest):
        return None
    failing = in_all(evidence, lambda one: _fails(one, name))
    told = f"the table routes {name} to {route.table_gateway}{_should(route)}"
    if failing:
        return (
            Kind.WRONG_RULE,
            confidence(evidence),
            f"{told}; its orders fail in {checks_seen(evidence)}: {order.detail}",
            name,
        )
    if _nobody_named(evidence):
        unnamed = "nobody gave a name or a reason for it"
        return Kind.WRONG_RULE, confidence(evidence), f"{told}, {unnamed}; its orders are delivered", name
    return Kind.WRONG_RULE, Confidence.LIKELY, f"{told}; its orders are delivered", name


def _refused_by_class(observation: Observation, asset_class: AssetClass) -> bool:
    return any(one.code in WRONG_ROUTE_CODES for one in observation.orders if one.asset_class == asset_class)


def _does_not_take(evidence: Evidence, route: RouteStatus | None) -> bool:
    """Say whether the settings know the gateway in force, and that it does not take this class."""
    if route is None or route.gateway is None:
        return False
    known = next((one for one in evidence.context.known_gateways if one.name == route.gateway), None)
    listed = known is not None and bool(known.asset_classes)
    return listed and known is not None and route.asset_class not in known.asset_classes


def _differs(route: RouteStatus) -> bool:
    return bool(route.shipped_gateway and route.table_gateway) and route.table_gateway != route.shipped_gateway


def _in_force(observation: Observation) -> bool:
    """Say whether the table on disk is the one that serves; a release that waits for its start brings another."""
    routing = observation.routing
    return routing is not None and routing.file_hash == routing.table_hash


def _fails(observation: Observation, asset_class: AssetClass) -> bool:
    orders = [one for one in observation.orders if one.asset_class == asset_class]
    counted = [one for one in orders if one.outcome is not OrderOutcome.BLIND and not is_paused(observation, one)]
    return bool(counted) and not any(one.outcome.delivered for one in counted)


def _nobody_named(evidence: Evidence) -> bool:
    """Say whether the table came into force without a person and a reason: by a signal, or with a start."""
    changes = [one for one in evidence.context.changes if one.kind is ChangeKind.ROUTING and one.key == "routing"]
    return not changes or changes[-1].by in {None, "", "signal"}


def _should(route: RouteStatus | None) -> str:
    if route is None or not route.shipped_gateway:
        return ""
    return f"; the release's own table says {route.shipped_gateway}"


def _latent(evidence: Evidence) -> list[Part]:
    if not in_all(evidence, lambda one: one.routing is not None and bool(one.routing.file_error)):
        return []
    if in_all(evidence, lambda one: descriptors_spent(one, evidence.limits)):
        # A service without descriptors can open no table, however sound the table is.
        return []
    routing = evidence.latest.routing
    error = routing.file_error if routing else ""
    because = f"the table on disk is refused in {checks_seen(evidence)}: {error}; a restart would fail on it"
    return [(Kind.LATENT, confidence(evidence), because, None)]
