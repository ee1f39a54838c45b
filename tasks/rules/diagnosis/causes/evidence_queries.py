"""What several causes ask of the evidence: how often, how sure, who answers, what is ruled out by it."""

from collections.abc import Callable
from datetime import timedelta

from tasks.model.diagnosis.diagnosis import Audience, Cause, Confidence, Finding, Kind
from tasks.model.evidence.evidence import Evidence
from tasks.model.probes.control import MARKED, TradingState
from tasks.model.probes.probes import Fault, HealthProbe, Observation, OrderOutcome, OrderProbe, Seen
from tasks.model.probes.processes import ProcessCheck, ProcessState
from tasks.model.remediation.in_force import Held

STORAGE_WORDS = frozenset({"storage", "journal", "disk", "log", "logs", "database", "db", "filesystem", "diskspace"})
DOWN_WORDS = frozenset({"down", "error", "unreachable", "failed", "critical", "offline"})
PAUSED_CODES = frozenset({"TRADING_HALTED", "TRADING_REDUCING", "GATEWAY_DISABLED"})
RECENT_LOOKS = timedelta(minutes=15)

GONE = frozenset({ProcessState.DEAD, ProcessState.NOT_OURS})

Timed = Observation | HealthProbe | ProcessCheck


def in_all(evidence: Evidence, bad: Callable[[Observation], bool]) -> bool:
    """Say whether something was so in every round of this run."""
    return all(bad(one) for one in evidence.observations)


def confidence(evidence: Evidence, runs_before: int = 0) -> Confidence:
    """Call it confirmed where enough checks in a row saw it, over this run and the ones before (safety rule 1)."""
    checks_seen = len(evidence.observations) + runs_before
    return Confidence.CONFIRMED if checks_seen >= evidence.limits.confirm_count else Confidence.LIKELY


def checks_seen(evidence: Evidence) -> str:
    """Write in how many checks something was seen that was seen in all of them."""
    count = len(evidence.observations)
    return f"{count} of {count} checks"


def span_s(evidence: Evidence) -> float:
    """Say over how long health was asked, from the first check, also one of the hang watch, to the end of the last."""
    first: Timed = evidence.checked_before[0] if evidence.checked_before else evidence.observations[0]
    latest = evidence.latest
    last_s = latest.health.exchange.seconds_s if latest.health.exchange else 0.0
    patient_s = elapsed_s(first, latest.patience) if latest.patience else 0.0
    return max(elapsed_s(first, latest) + last_s, patient_s)


def elapsed_s(first: Timed, last: Timed) -> float:
    """Say how much time passed between two checks, by a clock that nobody sets where both have read it.

    A step of the machine's clock would make a silence long, and a busy process a frozen one.
    """
    if first.steady_s is not None and last.steady_s is not None:
        return last.steady_s - first.steady_s
    return (last.looked_at - first.looked_at).total_seconds()


def is_down(evidence: Evidence) -> bool:
    """Say whether the service is not there by the last check: nobody answers, and no process of ours is left."""
    return is_gone(evidence.latest) and not serves(evidence)


def is_gone(observation: Observation) -> bool:
    """Say whether nobody answers and no process of ours is left; how the connection failed is the machine's matter."""
    return observation.health.unanswered and observation.process.state in GONE


def is_paused(observation: Observation, order: OrderProbe) -> bool:
    """Say whether an order was denied because somebody took its class or gateway out of trading: that is no fault."""
    if _is_held_by_proof(observation, order):
        return True
    if order.outcome is not OrderOutcome.DENIED or order.code not in PAUSED_CODES:
        return False
    route = observation.routing.route(order.asset_class) if observation.routing else None
    return route is None or route.is_paused or order.code == "GATEWAY_DISABLED"


def _is_held_by_proof(observation: Observation, order: OrderProbe) -> bool:
    """Say whether a service of another make refused an order of a class that its own proofs call halted or reducing."""
    standings = observation.routing.standings if observation.routing else None
    state = (standings or {}).get(f"{Held.TRADING}/{order.asset_class}")
    status = order.exchange.http_status if order.exchange else None
    refused = order.outcome in {OrderOutcome.DENIED, OrderOutcome.REJECTED} or (
        order.outcome is OrderOutcome.ERROR and status is not None and 400 <= status < 500
    )
    return refused and state in {TradingState.HALTED, TradingState.REDUCING}


def orders_fill(evidence: Evidence) -> bool:
    """Say whether every synthetic order of every check was delivered, and there were some."""
    orders = evidence.latest.orders
    return bool(orders) and all(order.outcome.delivered for one in evidence.observations for order in one.orders)


def serves(evidence: Evidence) -> bool:
    """Say whether any test order of the last check was delivered: whatever health says, the service works."""
    return any(order.outcome.delivered for order in evidence.latest.orders)


def marked_only(health: HealthProbe) -> bool:
    """Say whether health is degraded for nothing but what somebody marked so."""
    sick = [one for one in health.dependencies if one.status.lower() != "ok"]
    return health.status == "degraded" and bool(sick) and all(is_marked(one.set_to, one.status) for one in sick)


def is_marked(set_to: str | None, status: str) -> bool:
    """Say whether a dependency is not well only because it was marked."""
    return set_to in MARKED and status.lower() == "degraded"


def runs_before(evidence: Evidence, cause: Cause) -> int:
    """Count the runs just before this one that found the same cause, without a gap."""
    count = 0
    for past in reversed(evidence.context.history):
        if cause.value not in past.troubles or evidence.context.looked_at - past.at > RECENT_LOOKS:
            break
        count += 1
    return count


def service_ruled_out(evidence: Evidence) -> tuple[str, ...]:
    health = evidence.latest.health
    if health.fault is Fault.NONE and health.seen is not Seen.BLIND:
        return (f"service down or hung: health answers, {health.detail}",)
    return ()


def gateways_ruled_out(observation: Observation, but: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """Say which gateways are ruled out, by their own answers."""
    healthy = [one.gateway for one in observation.gateways if one.answers and one.gateway not in but]
    return (f"gateways: {', '.join(healthy)} answer a direct probe",) if healthy else ()


def infrastructure(
    evidence: Evidence, kind: Kind, because: tuple[str, ...], ruled_out: tuple[str, ...] = ()
) -> Finding:
    """Write a finding for the platform: disks, ports, clocks, cores."""
    return Finding(
        cause=Cause.INFRASTRUCTURE,
        confidence=confidence(evidence),
        because=because,
        section="§3.3",
        tier=Audience.TIER_3,
        ruled_out=ruled_out,
        kinds=(kind,),
    )
