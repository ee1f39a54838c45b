"""Say whether one round of looks shows a service that has recovered: effect, not exit code (safety rule 10)."""

from tasks.model.looks import Observation, Seen
from tasks.model.processes import ProcessState
from tasks.model.values import Value
from tasks.rules.causes.facts import is_paused, marked_only


class RecoveryVerdict(Value):
    """Whether this round is good, and what is still wrong when it is not."""

    good: bool
    detail: str


def looks_recovered(observation: Observation) -> RecoveryVerdict:
    """Hold one round against health and order delivery.

    Runbook: §2.1, after the restart.
    Errors: none. Gateways that do not answer a direct probe excuse their own orders and a degraded health only; what
    somebody marked or paused is as it should be.
    """
    excused = {probe.gateway for probe in observation.gateways if probe.seen is Seen.FAILED}
    wrong = (*_process_wrong(observation), *_health_wrong(observation, excused), *_orders_wrong(observation, excused))
    if wrong:
        return RecoveryVerdict(good=False, detail="; ".join(wrong))
    delivered = sum(order.outcome.delivered for order in observation.orders)
    return RecoveryVerdict(
        good=True, detail=f"health {observation.health.status}, {delivered} synthetic orders delivered"
    )


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
