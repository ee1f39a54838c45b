"""Some of several instances in trouble, while the others serve: the service is degraded by it, and not down (§2.1)."""

from collections.abc import Callable, Iterable

from tasks.model.diagnosis.diagnosis import Cause, Confidence, Finding, Kind
from tasks.model.evidence.evidence import Context, Evidence
from tasks.model.probes.probes import InstanceProbe, Observation
from tasks.rules.diagnosis.causes.down_or_hung import service_down, service_hung
from tasks.rules.diagnosis.causes.resources import resource_exhausted

RULES: tuple[tuple[Callable[[Evidence], Finding | None], ...], ...] = (
    (service_down, service_hung),
    (resource_exhausted,),
)
SHOWS_THROUGH = frozenset({Cause.SERVICE_DOWN, Cause.SERVICE_HUNG, Cause.CRASH_LOOP})


def with_instances(of_service: tuple[Finding, ...], evidence: Evidence) -> tuple[Finding, ...]:
    """Put what is wrong with single instances before what the common address shows, and in place of it.

    Runbook: §2.1.
    Steps: each instance is judged by the rules of a service, by its own health and its own process; instances in the
    same trouble are one finding, which is as sure as the least sure of them.
    """
    found = [
        (name, finding)
        for name in _names(evidence)
        for group in RULES
        if (finding := _first(group, _alone(evidence, name))) is not None
    ]
    merged = tuple(_merged(cause, found, evidence) for cause in dict.fromkeys(one.cause for _, one in found))
    named = {one.cause for one in merged}
    some_serve = any(one.is_of_some for one in merged)
    left = (one for one in of_service if one.cause not in named and not (some_serve and _shows_through(one)))
    return (*merged, *left)


def _shows_through(finding: Finding) -> bool:
    """Say whether a finding is what requests meet that the common address hands to an instance in trouble."""
    of_health = finding.cause is Cause.OBSERVABILITY_FAULT and Kind.HEALTH in finding.kinds
    slow = finding.cause is Cause.UNKNOWN and Kind.LATENCY in finding.kinds
    return finding.cause in SHOWS_THROUGH or of_health or slow


def _names(evidence: Evidence) -> tuple[str, ...]:
    return tuple(one.instance for one in evidence.latest.instances)


def _first(group: Iterable[Callable[[Evidence], Finding | None]], evidence: Evidence | None) -> Finding | None:
    return next((finding for rule in group if (finding := rule(evidence))), None) if evidence else None


def _alone(evidence: Evidence, name: str) -> Evidence | None:
    """Give the evidence as if the instance were the service; the runs before are of the whole service, and left out."""
    probes = [(one, probe) for one in evidence.observations if (probe := one.instance(name)) is not None]
    if len(probes) < len(evidence.observations):
        return None
    whole = evidence.context
    context = Context(
        request=whole.request, looked_at=whole.looked_at, mode=whole.mode, late_s=whole.late_s, limits=whole.limits
    )
    return Evidence(context=context, observations=tuple(_seen_alone(one, probe) for one, probe in probes))


def _seen_alone(observation: Observation, probe: InstanceProbe) -> Observation:
    return Observation(
        looked_at=observation.looked_at,
        ended_at=observation.ended_at,
        steady_s=observation.steady_s,
        health=probe.health,
        process=probe.process,
        metrics=probe.metrics,
        gateways=observation.gateways,
        patience=probe.patience,
    )


def _merged(cause: Cause, found: list[tuple[str, Finding]], evidence: Evidence) -> Finding:
    same = [(name, finding) for name, finding in found if finding.cause is cause]
    sure = [finding.confidence for _, finding in same]
    least = next((one for one in reversed(Confidence) if one in sure), sure[0])
    first = same[0][1]
    return first.model_copy(
        update={
            "confidence": least,
            "because": tuple(f"instance {name}: {line}" for name, finding in same for line in finding.because),
            "kinds": tuple(dict.fromkeys(kind for _, finding in same for kind in finding.kinds)),
            "instances": tuple(name for name, _ in same),
            "serving": tuple(one.instance for one in evidence.latest.instances if one.serves),
        }
    )
