"""A release or a feature that broke orders (§2.3); both are blamed by safety rule 7 alone."""

from collections.abc import Collection
from datetime import timedelta

from tasks.model.diagnosis.changes import Change, ChangeKind
from tasks.model.diagnosis.deploy_regression import RegressionVerdict
from tasks.model.diagnosis.diagnosis import Audience, Cause, Confidence, Finding, Kind
from tasks.model.evidence.evidence import Evidence
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import Observation, OrderOutcome
from tasks.rules.diagnosis.causes.evidence_queries import checks_seen, gateways_ruled_out, in_all, is_down
from tasks.rules.diagnosis.causes.gateway_signs import signs_of
from tasks.rules.diagnosis.causes.regression import (
    blamable_changes,
    error_verdict,
    failing_classes,
    latency_verdict,
    slow_above_ms,
)
from tasks.rules.diagnosis.order_windows import COUNTED_SERVICE, FEATURE_OF_CODE, SERVICE_CODES, SERVICE_OUTCOMES
from tasks.rules.diagnosis.service_latency import service_latencies
from tasks.rules.probes.history import counters_of, outcome_word
from tasks.rules.probes.past_counters import Counted, grown

SECTION = "§2.3"
LATELY = timedelta(minutes=2)


def bad_change(evidence: Evidence) -> Finding | None:
    """Find the newest change that raised errors, or made orders slow, beyond chance; a feature before its release.

    Runbook: §2.3 High error rate after a deploy.
    Steps:
        1. is anything failing or slow in the service itself? a service that is down is judged by its crashes
        2. which recent change do the numbers blame, the newest first? it is sure only while it shows in every check
        3. one asset class alone, and a feature that came with the change: the feature; else the release
    """
    if not suspected(evidence):
        return _denying_feature(evidence)
    for change in blamable_changes(evidence):
        verdict = error_verdict(evidence, change)
        if verdict.blames_change:
            return _as_seen(evidence, _blame(evidence, change, verdict), _failed_in(evidence))
        slower = latency_verdict(evidence, change)
        if slower.blames_change:
            found = _finding(evidence, change, slower, Kind.LATENCY)
            return _as_seen(evidence, found, _slow_in(evidence, change))
    return _denying_feature(evidence)


def _as_seen(evidence: Evidence, found: Finding, seen: list[bool]) -> Finding:
    """Call it confirmed only where every one of enough observations of this run shows it: errors may have ended."""
    if all(seen) and len(seen) >= evidence.limits.confirm_count:
        return found
    told = f"it showed in {sum(seen)} of {len(seen)} checks of this run"
    return found.model_copy(update={"confidence": Confidence.LIKELY, "because": (*found.because, told)})


def suspected(evidence: Evidence) -> bool:
    """Say whether something fails or is slow after a recent change, so that more checks may tell.

    Runbook: §2.3.
    """
    return bool(blamable_changes(evidence)) and not is_down(evidence) and (_fails(evidence) or _is_slower(evidence))


def weighed(evidence: Evidence) -> tuple[str, ...]:
    """Say for each recent change why it is not to blame; for the reports of what nobody can explain."""
    return tuple(f"{_name(one)}: {error_verdict(evidence, one).because}" for one in blamable_changes(evidence)[:2])


def _blame(evidence: Evidence, change: Change, verdict: RegressionVerdict) -> Finding:
    classes = failing_classes(evidence, change)
    feature = _feature(evidence, change, classes)
    found = _finding(evidence, change, verdict, Kind.ERRORS, classes)
    if feature is None:
        return found
    alone = f"{classes[0]} alone fails" if len(classes) == 1 else "the errors are its own denials"
    because = (*found.because, f"feature {feature}: {alone}")
    return found.model_copy(
        update={"cause": Cause.BAD_FEATURE, "feature": feature, "because": because, "release": None}
    )


def _feature(evidence: Evidence, change: Change, classes: tuple[AssetClass, ...]) -> str | None:
    """Name the feature to switch off rather than the whole release to roll back (safety rule 7)."""
    if change.kind is ChangeKind.FEATURE:
        return change.key
    denying = _denying(evidence)
    if denying:
        return denying
    others = {order.asset_class for order in evidence.latest.orders} - set(classes)
    new = _new_features(evidence, change)
    if len(classes) != 1 or not others or len(new) != 1:
        return None
    (feature,) = new
    return feature


def _new_features(evidence: Evidence, change: Change) -> tuple[str, ...]:
    """Find the features that are on now and were not, or were not there, before the change."""
    past = [one for one in evidence.context.history if one.at < change.at and one.features]
    routing = evidence.latest.routing
    if not past or routing is None:
        return ()
    return tuple(name for name, is_on in routing.features.items() if is_on and not past[-1].features.get(name, False))


def _finding(
    evidence: Evidence, change: Change, verdict: RegressionVerdict, kind: Kind, classes: tuple[AssetClass, ...] = ()
) -> Finding:
    return Finding(
        cause=Cause.BAD_RELEASE,
        confidence=Confidence.CONFIRMED,
        because=(f"{_name(change)} at {change.at.isoformat(timespec='seconds')}", verdict.because),
        section=SECTION,
        tier=Audience.TIER_2,
        ruled_out=gateways_ruled_out(evidence.latest, frozenset(signs_of(evidence))),
        asset_classes=classes,
        kinds=(kind,),
        release=change.now if change.kind is ChangeKind.RELEASE else evidence.latest.health.release,
    )


def _name(change: Change) -> str:
    if change.kind is ChangeKind.FEATURE:
        return f"feature {change.key} set to {change.now} by {change.by}"
    return f"release {change.before} became {change.now}" + (" by a roll-back" if change.is_roll_back else "")


def _denying_feature(evidence: Evidence) -> Finding | None:
    """Find a feature that denies our own test orders; no change is blamed, so it is only likely."""
    feature = _denying(evidence)
    if feature is None:
        return None
    classes = tuple(one.asset_class for one in evidence.latest.orders if one.code in FEATURE_OF_CODE)
    codes = sorted({one.code for one in evidence.latest.orders if one.code in FEATURE_OF_CODE})
    return Finding(
        cause=Cause.BAD_FEATURE,
        confidence=Confidence.LIKELY,
        because=(
            f"feature {feature} denies test orders in {checks_seen(evidence)}: {', '.join(codes)}",
            *weighed(evidence),
        ),
        section=SECTION,
        tier=Audience.TIER_2,
        ruled_out=gateways_ruled_out(evidence.latest),
        asset_classes=classes,
        kinds=(Kind.ERRORS,),
        feature=feature,
    )


def _denying(evidence: Evidence) -> str | None:
    def denies(observation: Observation) -> bool:
        return any(one.code in FEATURE_OF_CODE for one in observation.orders if one.outcome is OrderOutcome.DENIED)

    if not in_all(evidence, denies):
        return None
    return next(FEATURE_OF_CODE[one.code] for one in evidence.latest.orders if one.code in FEATURE_OF_CODE)


def _fails(evidence: Evidence) -> bool:
    """Say whether the service failed any order in the last minutes; else there is nothing to judge, whatever came."""
    since = evidence.latest.looked_at - LATELY
    words = [
        word for one in evidence.context.history if one.at > since for order in one.orders for word in order.outcomes
    ]
    return any(_is_failure(word) for word in words) or any(_failed_in(evidence))


def _failed_in(evidence: Evidence) -> list[bool]:
    """Say for each observation of this run whether the service failed an order in it, or counted one since the last.

    The first one counts from the run before, where that was within the last minutes.
    """
    since = evidence.latest.looked_at - LATELY
    past = [Counted(one.at, one.counters) for one in evidence.context.history if one.counters and one.at > since]
    before, found = past[-1] if past else None, []
    for one in evidence.observations:
        now = Counted(one.metrics.looked_at, counters_of(one.metrics))
        found.append(_failed_orders(one) or (before is not None and _errors_between(before, now) > 0))
        before = now if now.counters else before
    return found


def _failed_orders(observation: Observation) -> bool:
    return any(_is_failure(outcome_word(order)) for order in observation.orders)


def _errors_between(before: Counted, now: Counted) -> float:
    totals = {**grown(before, now, "orders_total|"), **grown(before, now, "orders_denied_total|")}
    return sum(value for key, value in totals.items() if _counts_against(key))


def _is_failure(word: str) -> bool:
    outcome, _, code = word.partition(":")
    return outcome in SERVICE_OUTCOMES or code in SERVICE_CODES


def _counts_against(key: str) -> bool:
    labels = dict(word.partition("=")[::2] for word in key.split("|"))
    return labels.get("outcome") in COUNTED_SERVICE or labels.get("code") in SERVICE_CODES


def _is_slower(evidence: Evidence) -> bool:
    """Say whether orders take longer in the service itself than is usual; a first question that costs little."""
    known = [one.own_ms for one in service_latencies(evidence)]
    return len(known) >= 2 and known[-1] > slow_above_ms(evidence, known[:-1])


def _slow_in(evidence: Evidence, change: Change) -> list[bool]:
    """Say for each observation of this run whether orders took longer in it than was usual before a change."""
    times = service_latencies(evidence)
    before = [one.own_ms for one in times if one.until < change.at]
    limit_ms = slow_above_ms(evidence, before) if before else None
    # A window between two readings of the histograms ends with the metrics; test orders are of their observation.
    slow = {(one.until, one.since is None) for one in times if limit_ms is not None and one.own_ms > limit_ms}
    return [(one.looked_at, True) in slow or (one.metrics.looked_at, False) in slow for one in evidence.observations]


def shows_now(evidence: Evidence, kinds: Collection[Kind]) -> bool:
    """Say whether what a change is blamed for shows at this very moment, and not only in the minutes before.

    Runbook: §2.3, right before the rollback, or the switch of a feature.
    Errors: none. Crashes are another rule's: where it found them again they are there.
    Steps: errors are those of the last two observations, and what was counted between them; a slow service was slow in
    the last one.
    """
    if Kind.LATENCY in kinds:
        return any(_slow_in(evidence, change)[-1] for change in blamable_changes(evidence))
    if Kind.ERRORS not in kinds:
        return True
    last = evidence.model_copy(update={"observations": evidence.observations[-2:]})
    without_past = last.model_copy(update={"context": last.context.model_copy(update={"history": ()})})
    return any(_failed_in(without_past))
