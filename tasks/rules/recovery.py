"""Say whether one round of looks shows a service that has recovered: effect, not exit code (safety rule 10)."""

from collections.abc import Sequence

from tasks.model.looks import Observation, Seen
from tasks.model.processes import ProcessState
from tasks.model.values import Value
from tasks.rules.causes.facts import is_gone, is_paused, marked_only
from tasks.rules.counters import counter_rates
from tasks.rules.order_windows import COUNTED_SERVICE
from tasks.rules.past_looks import snapshot_now

# Fewer errors than these, or a smaller part of the orders, are no trend: a client's oddity, an order of before.
ERRORS_LEAST_COUNT = 3
ERRORS_RATIO = 0.05
LOST_LOOKS_COUNT = 2


class RecoveryVerdict(Value):
    """Whether this round is good, and what is still wrong when it is not."""

    good: bool
    detail: str


def looks_recovered(observation: Observation, since: Observation | None = None) -> RecoveryVerdict:
    """Hold one round against health, order delivery, and the errors that the service counted since an earlier round.

    Runbook: §2.1, after the restart.
    Errors: none. Gateways that do not answer a direct probe excuse their own orders and a degraded health only; what
    somebody marked or paused is as it should be. Where nobody counts, the test orders alone decide.
    """
    excused = {probe.gateway for probe in observation.gateways if probe.seen is Seen.FAILED}
    wrong = (
        *_process_wrong(observation),
        *_health_wrong(observation, excused),
        *_orders_wrong(observation, excused),
        *_errors_counted(observation, since),
    )
    if wrong:
        return RecoveryVerdict(good=False, detail="; ".join(wrong))
    delivered = sum(order.outcome.delivered for order in observation.orders)
    return RecoveryVerdict(
        good=True, detail=f"health {observation.health.status}, {delivered} synthetic orders delivered"
    )


def is_lost(rounds: Sequence[Observation]) -> bool:
    """Say whether two rounds in a row, the last ones, saw the service gone: its process, and every answer.

    Runbook: §2.1, after the restart.
    Errors: none; one such round may be a supervisor that starts it again.
    """
    return len(rounds) >= LOST_LOOKS_COUNT and all(is_gone(one) for one in rounds)


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
    """Say how many real orders the service failed meanwhile; four test orders may pass where a third of all fail."""
    before, now = snapshot_now(since) if since else None, snapshot_now(observation)
    if before is None or now is None:
        return ()
    rates = counter_rates(before, now, "orders_total")
    orders = sum(one.increase or 0.0 for one in rates)
    errors = sum(one.increase or 0.0 for one in rates if dict(one.labels).get("outcome") in COUNTED_SERVICE)
    if errors < ERRORS_LEAST_COUNT or errors < orders * ERRORS_RATIO:
        return ()
    return (f"{errors:.0f} of {orders:.0f} orders failed in the service",)
