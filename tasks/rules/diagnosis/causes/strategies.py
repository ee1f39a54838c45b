"""A strategy that sends far more than it usually does: its desk stops it, the service is left alone (§2.2)."""

from datetime import timedelta
from itertools import pairwise
from statistics import median

from tasks.model.diagnosis.diagnosis import Audience, Cause, Confidence, Finding, Kind
from tasks.model.evidence.evidence import Evidence
from tasks.model.probes.orders import AssetClass, classes_in
from tasks.model.values import Value
from tasks.rules.diagnosis.causes.evidence_queries import service_ruled_out
from tasks.rules.probes.past_counters import Counted, counted, grown
from tasks.rules.probes.synthetic_order import STRATEGY

NOT_A_STRATEGY = frozenset({STRATEGY, "other", ""})
WINDOW_LEAST = timedelta(seconds=5)
PREFIX = "strategy_orders_total|strategy="
SURE_WINDOW_S = 20.0
USUAL_LEAST_COUNT = 3
USUAL_FOR = timedelta(hours=1)


class StrategyRate(Value):
    """How fast a strategy sends now, and usually. Units: orders a second."""

    strategy: str
    per_s: float
    usual_per_s: float
    orders_count: float
    window_s: float


def client_misbehaviour(evidence: Evidence) -> Finding | None:
    """Find strategies that send many times their usual rate.

    Runbook: §2.2, to the desk: pause that strategy.
    Errors: none; a strategy that never sent before has no usual rate, and beginning to trade is no fault.
    """
    wild = [one for one in strategy_rates(evidence) if _is_wild(one, evidence)]
    if not wild:
        return None
    return Finding(
        cause=Cause.CLIENT_MISBEHAVIOUR,
        # All are measured over one window.
        confidence=Confidence.CONFIRMED if wild[0].window_s >= SURE_WINDOW_S else Confidence.LIKELY,
        because=tuple(
            f"strategy {one.strategy} sends {one.per_s:.1f} orders/s over {one.window_s:.0f} s, "
            f"usually {one.usual_per_s:.2f} orders/s"
            for one in wild
        ),
        section="§2.2",
        tier=Audience.TIER_2,
        ruled_out=service_ruled_out(evidence),
        asset_classes=_throttled_classes(evidence),
        kinds=(Kind.RATE,),
        strategies=tuple(one.strategy for one in wild),
    )


def strategy_rates(evidence: Evidence) -> tuple[StrategyRate, ...]:
    """Measure how fast each strategy sends now, beside the median of the windows before."""
    checks_seen = counted(evidence)
    if not checks_seen or checks_seen[-1].at != evidence.latest.metrics.looked_at:
        return ()
    now, since = checks_seen[-1], checks_seen[-1].at - USUAL_FOR
    past = [one for one in checks_seen if since < one.at <= now.at - WINDOW_LEAST]
    if len(past) <= USUAL_LEAST_COUNT:
        return ()
    usual = [_rates(earlier, later) for earlier, later in pairwise(past)]
    window_s, increases = (now.at - past[-1].at).total_seconds(), grown(past[-1], now, PREFIX)
    return tuple(
        StrategyRate(
            strategy=name,
            per_s=increase / window_s,
            usual_per_s=median(window.get(key, 0.0) for window in usual),
            orders_count=increase,
            window_s=window_s,
        )
        for key, increase in increases.items()
        if (name := key.removeprefix(PREFIX)) not in NOT_A_STRATEGY
    )


def _rates(earlier: Counted, later: Counted) -> dict[str, float]:
    window_s = (later.at - earlier.at).total_seconds()
    return {key: increase / window_s for key, increase in grown(earlier, later, PREFIX).items()} if window_s > 0 else {}


def _is_wild(rate: StrategyRate, evidence: Evidence) -> bool:
    limits = evidence.limits
    if rate.usual_per_s <= 0 or rate.orders_count < limits.strategy_orders_count:
        return False
    return rate.per_s >= max(limits.strategy_rate_per_s, rate.usual_per_s * limits.strategy_rate_ratio)


def _throttled_classes(evidence: Evidence) -> tuple[AssetClass, ...]:
    samples = [dict(one.labels) for one in evidence.latest.metrics.samples if one.name == "orders_denied_total"]
    named = {one.get("asset_class") for one in samples if one.get("code") == "ORDER_RATE_EXCEEDED"}
    return classes_in(named)
