"""The gateways: blame the callee before the caller (§2.1, §2.2)."""

from tasks.model.diagnosis.diagnosis import Audience, Cause, Confidence, Finding, Kind
from tasks.model.evidence.evidence import Evidence
from tasks.model.probes.orders import AssetClass, classes_in
from tasks.model.probes.probes import Observation, OrderOutcome, Seen
from tasks.rules.diagnosis.causes.evidence_queries import (
    checks_seen,
    confidence,
    gateways_ruled_out,
    runs_before,
    service_ruled_out,
)
from tasks.rules.diagnosis.causes.gateway_signs import (
    dependency_of,
    orders_at,
    probe_of,
    signs_of,
    slowest_ms,
    unstable_turns,
)

# With these a venue says that what we sent is not set up as it should be: ours to fix, not the platform's.
OUR_CONFIGURATION_CODES = frozenset(
    {
        "ACCOUNT_UNKNOWN",
        "INVALID_ACCOUNT",
        "UNKNOWN_ACCOUNT",
        "NOT_AUTHORIZED",
        "NOT_PERMITTED",
        "ENTITLEMENT_MISSING",
        "UNKNOWN_SYMBOL",
        "INVALID_SYMBOL",
        "INVALID_PRICE_INCREMENT",
        "INVALID_ORDER_TYPE",
        "UNSUPPORTED_ORDER_TYPE",
        "INVALID_SESSION",
        "INVALID_COMP_ID",
        "UNKNOWN_FIRM",
        "RISK_LIMIT_EXCEEDED",
        "CREDIT_LIMIT_EXCEEDED",
    }
)


def dependency_unreachable(evidence: Evidence) -> Finding | None:
    """Find gateways that cannot be reached, in every check; a restart of the service would not help (safety rule 6).

    Runbook: §2.1 If a dependency is unreachable.
    """
    signs = signs_of(evidence)
    gone = sorted(name for name, kind in signs.items() if kind is Kind.UNREACHABLE)
    if not gone:
        return None
    direct = [name for name in gone if _fails_directly(evidence.latest, name)]
    before = runs_before(evidence, Cause.DEPENDENCY_UNREACHABLE)
    return Finding(
        cause=Cause.DEPENDENCY_UNREACHABLE,
        confidence=confidence(evidence, before) if direct else Confidence.LIKELY,
        because=tuple(_unreachable_reason(evidence.latest, name) for name in gone),
        section="§2.1",
        tier=Audience.TIER_3,
        ruled_out=(*service_ruled_out(evidence), *gateways_ruled_out(evidence.latest, frozenset(signs))),
        asset_classes=affected_classes(evidence, frozenset(gone)),
        gateways=tuple(gone),
        kinds=(Kind.UNREACHABLE,),
    )


def gateway_failing(evidence: Evidence) -> Finding | None:
    """Find gateways that are there and do not do their work: unstable, silent, rejecting, never filling, or slow.

    Runbook: §2.2 If one gateway is failing.
    """
    signs: dict[str, Kind] = {name: kind for name, kind in signs_of(evidence).items() if kind is not Kind.UNREACHABLE}
    if not signs:
        return None
    names = tuple(sorted(signs))
    rejecting = [name for name in names if signs[name] is Kind.REJECTS]
    ours = bool(rejecting) and all(_says_our_configuration(evidence.latest, name) for name in names)
    return Finding(
        cause=Cause.GATEWAY_FAILING,
        confidence=_failing_confidence(evidence, signs),
        because=tuple(_failing_reason(evidence, name, signs[name]) for name in names),
        section="§2.2",
        tier=Audience.TIER_2 if ours else Audience.TIER_3,
        ruled_out=(
            *service_ruled_out(evidence),
            *gateways_ruled_out(evidence.latest, frozenset(names)),
            *_markets_ruled_out(evidence, affected_classes(evidence, frozenset(names))),
        ),
        asset_classes=affected_classes(evidence, frozenset(names)),
        gateways=names,
        kinds=tuple(dict.fromkeys(signs[name] for name in names)),
    )


def affected_classes(evidence: Evidence, gateways: frozenset[str]) -> tuple[AssetClass, ...]:
    """Name the asset classes that go through one of these gateways, or whose order was not delivered there."""
    failed = {
        order.asset_class
        for order in evidence.latest.orders
        if order.gateway in gateways and (not order.outcome.delivered or order.ord_status == "new")
    }
    routed = {name for name, gateway in _routes(evidence).items() if gateway in gateways}
    return classes_in(routed, failed, _by_description(evidence, gateways))


def _by_description(evidence: Evidence, gateways: frozenset[str]) -> set[AssetClass]:
    """Name the classes that have no other gateway in the description, where the service shows no routing at all."""
    routing = evidence.latest.routing
    if routing is None or routing.seen is not Seen.NOT_CONFIGURED or routing.routes:
        return set()
    known = evidence.context.known_gateways
    elsewhere = {name for one in known if one.name not in gateways for name in one.asset_classes}
    return {name for one in known if one.name in gateways for name in one.asset_classes} - elsewhere


def _markets_ruled_out(evidence: Evidence, classes: tuple[AssetClass, ...]) -> tuple[str, ...]:
    """Say whose market is open, so that nobody thinks of a closed one first."""
    openly = [one.asset_class for one in evidence.markets if one.open and one.asset_class in classes]
    return (f"market closed: {', '.join(openly)} is open",) if openly else ()


def _routes(evidence: Evidence) -> dict[AssetClass, str]:
    """Say where each class goes; a service that does not answer is asked about no more, the run before knew."""
    routing = evidence.latest.routing
    if routing is not None and routing.routes:
        return {one.asset_class: one.gateway for one in routing.routes if one.gateway}
    return next((past.routes for past in reversed(evidence.context.history) if past.routes), {})


def _failing_confidence(evidence: Evidence, signs: dict[str, Kind]) -> Confidence:
    if all(kind is Kind.UNSTABLE for kind in signs.values()):
        return Confidence.CONFIRMED
    return confidence(evidence, runs_before(evidence, Cause.GATEWAY_FAILING))


def _fails_directly(observation: Observation, gateway: str) -> bool:
    probe = probe_of(observation, gateway)
    return probe is not None and probe.seen is Seen.FAILED


def _unreachable_reason(observation: Observation, gateway: str) -> str:
    probe, told = probe_of(observation, gateway), dependency_of(observation, gateway)
    if probe is not None and probe.seen is Seen.FAILED:
        return f"gateway {gateway} does not answer a direct probe: {probe.detail}"
    said = f"the service says that {gateway} is down: {told.error or told.status}" if told else f"{gateway} is down"
    passes = probe is not None and probe.seen is Seen.PASSED
    return f"{said}; it answers us directly, so the way between them is broken" if passes else said


def _failing_reason(evidence: Evidence, gateway: str, kind: Kind) -> str:
    latest = evidence.latest
    orders = orders_at(latest, gateway)
    match kind:
        case Kind.UNSTABLE:
            return unstable_turns(evidence, gateway) or f"gateway {gateway} flaps"
        case Kind.UNKNOWN_OUTCOMES:
            unknown = [order for order in orders if order.outcome is OrderOutcome.UNKNOWN]
            ids = ", ".join(f"{order.client_order_id} ({order.code})" for order in unknown)
            return (
                f"orders at gateway {gateway} were sent, and no usable answer came, in {checks_seen(evidence)}: {ids}"
            )
        case Kind.REJECTS:
            rejected = [order for order in orders if order.outcome is OrderOutcome.REJECTED]
            told = "; ".join(f"{order.asset_class}: {order.detail}" for order in rejected)
            return f"gateway {gateway} rejects every test order, in {checks_seen(evidence)}: {told}"
        case Kind.NO_EXECUTIONS:
            seen = checks_seen(evidence)
            return f"gateway {gateway} acknowledges orders and fills none, in {seen}, though it filled before"
        case _:
            slow_ms = slowest_ms(latest, gateway)
            measured = f"latency_ms={slow_ms:.0f}" if slow_ms is not None else "no answer to a direct probe in time"
            limit = f"limit {evidence.limits.gateway_slow_ms:.0f} ms, {_usual(evidence, gateway)}"
            return f"gateway {gateway} is slow in {checks_seen(evidence)}: {measured}, {limit}"


def _usual(evidence: Evidence, gateway: str) -> str:
    past = [found.latency_ms for one in evidence.context.history if (found := one.gateway(gateway))]
    known = sorted(one for one in past if one is not None)
    return f"usually {known[len(known) // 2]:.0f} ms" if known else "no earlier checks to compare with"


def _says_our_configuration(observation: Observation, gateway: str) -> bool:
    rejected = [one for one in orders_at(observation, gateway) if one.outcome is OrderOutcome.REJECTED]
    return bool(rejected) and all(one.code in OUR_CONFIGURATION_CODES for one in rejected)
