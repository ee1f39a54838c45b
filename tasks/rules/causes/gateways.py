"""The gateways: blame the callee before the caller (§2.1, §2.2)."""

from collections.abc import Callable

from tasks.model.diagnosis import Audience, Cause, Confidence, Finding
from tasks.model.evidence import Evidence
from tasks.model.looks import Fault, GatewayLook, Observation, Seen
from tasks.model.orders import AssetClass

DOWN_WORDS = frozenset({"down", "error", "unreachable", "failed", "critical", "offline"})


def dependency_unreachable(evidence: Evidence) -> Finding | None:
    """Find gateways that cannot be reached, in every look; a restart of the service would not help (safety rule 6).

    Runbook: §2.1 If a dependency is unreachable.
    """
    direct = _in_every(evidence, _unreachable_directly)
    reported = _in_every(evidence, _reported_down) - direct
    if not direct and not reported:
        return None
    sure = bool(direct) and len(evidence.observations) >= 3
    return Finding(
        cause=Cause.DEPENDENCY_UNREACHABLE,
        confidence=Confidence.CONFIRMED if sure else Confidence.LIKELY,
        because=(*_direct_reasons(evidence.latest, direct), *_reported_reasons(evidence.latest, reported)),
        section="§2.1",
        tier=Audience.TIER_3,
        ruled_out=_service_ruled_out(evidence),
        asset_classes=affected_classes(evidence.latest, direct | reported),
        gateways=tuple(sorted(direct | reported)),
    )


def affected_classes(observation: Observation, gateways: frozenset[str]) -> tuple[AssetClass, ...]:
    """Name the asset classes whose synthetic order was not delivered at one of these gateways."""
    return tuple(
        order.asset_class for order in observation.orders if order.gateway in gateways and not order.outcome.delivered
    )


def _in_every(evidence: Evidence, find: Callable[[Observation], frozenset[str]]) -> frozenset[str]:
    return frozenset.intersection(*(find(one) for one in evidence.observations))


def _unreachable_directly(observation: Observation) -> frozenset[str]:
    return frozenset(probe.gateway for probe in observation.gateways if _no_answer(probe))


def _no_answer(probe: GatewayLook) -> bool:
    return probe.seen is Seen.FAILED


def _reported_down(observation: Observation) -> frozenset[str]:
    return frozenset(one.name for one in observation.health.dependencies if one.status.lower() in DOWN_WORDS)


def _direct_reasons(observation: Observation, gateways: frozenset[str]) -> tuple[str, ...]:
    probes = (probe for probe in observation.gateways if probe.gateway in gateways)
    return tuple(f"gateway {probe.gateway} does not answer a direct probe: {probe.detail}" for probe in probes)


def _reported_reasons(observation: Observation, gateways: frozenset[str]) -> tuple[str, ...]:
    probed = {probe.gateway for probe in observation.gateways if probe.seen is Seen.PASSED}
    return tuple(
        f"the service says that {name} is down"
        + ("; it answers us directly, so the way between them is broken" if name in probed else "")
        for name in sorted(gateways)
    )


def _service_ruled_out(evidence: Evidence) -> tuple[str, ...]:
    health = evidence.latest.health
    if health.fault is Fault.NONE and health.seen is not Seen.BLIND:
        return (f"service down or hung: health answers, {health.detail}",)
    return ()
