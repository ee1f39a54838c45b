"""Say whether one observation shows a service that has recovered: effect, not exit code (safety rule 10)."""

from collections.abc import Sequence

from tasks.model.probes.probes import Observation, Seen
from tasks.model.probes.processes import ProcessState
from tasks.model.values import Value
from tasks.rules.diagnosis.causes.evidence_queries import is_gone, is_paused, marked_only
from tasks.rules.diagnosis.order_windows import COUNTED_SERVICE
from tasks.rules.probes.counters import counter_rates
from tasks.rules.probes.history import snapshot_now

# Fewer errors than these, or a smaller part of the orders, are no trend: a client's oddity, an order of before.
ERRORS_LEAST_COUNT = 3
ERRORS_RATIO = 0.05
LOST_CHECKS_COUNT = 2


class RecoveryVerdict(Value):
    """Whether this round is good, and what is still wrong when it is not."""

    good: bool
    detail: str


def has_recovered(observation: Observation, since: Observation | None = None) -> RecoveryVerdict:
    """Hold one round against health, order delivery, and the errors that the service counted since an earlier round.

    Runbook: §2.1, after the restart.
    Gateways that do not answer a direct probe excuse their own orders and a degraded health only; what
    somebody marked or paused is as it should be. Where nobody counts, the test orders alone decide.
    """
    excused = {probe.gateway for probe in observation.gateways if probe.seen is Seen.FAILED}
    wrong = (
        *_process_wrong(observation),
        *_health_wrong(observation, excused),
        *_orders_wrong(observation, excused),
        *(f"instance {one.instance}: {one.health.detail}" for one in observation.instances if not one.serves),
        *_errors_counted(observation, since),
    )
    if wrong:
        return RecoveryVerdict(good=False, detail="; ".join(wrong))
    delivered = sum(order.outcome.delivered for order in observation.orders)
    return RecoveryVerdict(
        good=True, detail=f"health {observation.health.status}, {delivered} synthetic orders delivered"
    )


def is_lost(passes: Sequence[Observation]) -> bool:
    """Say whether two rounds in a row, the last ones, saw the service gone: its process, and every answer.

    Runbook: §2.1, after the restart.
    One such round may be a supervisor that starts it again.
    """
    return len(passes) >= LOST_CHECKS_COUNT and all(is_gone(one) for one in passes)


def _process_wrong(observation: Observation) -> tuple[str, ...]:
    sick = observation.process.state in {ProcessState.STOPPED, ProcessState.DEAD, ProcessState.NOT_OURS}
    return (f"process {observation.process.state}",) if sick else ()


def _health_wrong(observation: Observation, excused: set[str]) -> tuple[str, ...]:
    health = observation.health
    if health.seen is Seen.PASSED or (health.status == "degraded" and excused) or marked_only(health):
        return ()
    return (f"health {health.detail}",)


def _orders_wrong(observation: Observation, excused: set[str]) -> tuple[str, ...]:
    return tuple(
        f"order {order.asset_class} {order.outcome}"
        for order in observation.orders
        if not order.outcome.delivered and order.gateway not in excused and not is_paused(observation, order)
    )


def _errors_counted(observation: Observation, since: Observation | None) -> tuple[str, ...]:
    """Say how many real orders the service failed since; four test orders may pass where a third of all fail."""
    before, now = snapshot_now(since) if since else None, snapshot_now(observation)
    if before is None or now is None:
        return ()
    rates = counter_rates(before, now, "orders_total")
    orders = sum(one.increase or 0.0 for one in rates)
    errors = sum(one.increase or 0.0 for one in rates if dict(one.labels).get("outcome") in COUNTED_SERVICE)
    if errors < ERRORS_LEAST_COUNT or errors < orders * ERRORS_RATIO:
        return ()
    return (f"{errors:.0f} of {orders:.0f} orders failed in the service",)
