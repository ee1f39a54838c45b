"""Measure the signals that a check may watch: of this run whole, of the runs before what was remembered of them."""

from collections.abc import Callable
from datetime import timedelta

from tasks.model.checks import MetricRule, Signal
from tasks.model.evidence import Evidence
from tasks.model.looks import OrderOutcome
from tasks.model.past_looks import PastLook, PastOrder
from tasks.rules.past_counters import Counted, counted, grown

COUNTED_FOR = timedelta(minutes=15)
GOOD = frozenset({OrderOutcome.EXECUTED.value, OrderOutcome.REJECTED_AS_EXPECTED.value})
MINUTE_S = 60.0
# One order in a second is no sixty a minute.
LEAST_WINDOW = timedelta(seconds=20)


def value_now(signal: Signal, subject: str, evidence: Evidence, now: PastLook) -> float | None:
    """Measure a signal of this run; None where nobody could, which says nothing of the service.

    Runbook: §5.2.
    """
    if signal is Signal.GATEWAY_TURNS_COUNT:
        return _turns(evidence, subject)
    measure = _NOW.get(signal)
    return measure(evidence) if measure else value_before(signal, subject, now)


def value_before(signal: Signal, subject: str, look: PastLook) -> float | None:
    """Measure a signal of a run as it was remembered; None also for what is not remembered."""
    measure = _PAST.get(signal)
    return measure(look, subject) if measure else None


def compared(evidence: Evidence) -> tuple[Counted, Counted] | None:
    """Take the counters of this run, and the newest ones before that are far enough apart to tell a rate.

    None where this run read none: the counters of the run before say nothing of now.
    """
    looks = counted(evidence)
    if not looks or looks[-1].at < evidence.observations[0].looked_at:
        return None
    earlier = [one for one in looks if looks[-1].at - one.at >= LEAST_WINDOW]
    return (earlier[-1], looks[-1]) if earlier else None


def growth_per_minute(rule: MetricRule, one: Counted, two: Counted) -> float | None:
    """Measure how fast the counters of a rule grew between two looks; None where no time lies between them."""
    window_s = (two.at - one.at).total_seconds()
    if window_s <= 0:
        return None
    grew = grown(one, two, rule.counter)
    total = sum(count for key, count in grew.items() if _matches(key, rule))
    return total * MINUTE_S / window_s


def _matches(key: str, rule: MetricRule) -> bool:
    name, *words = key.split("|")
    labels = dict(word.partition("=")[::2] for word in words)
    return name == rule.counter and rule.labels.items() <= labels.items()


def _order(look: PastLook, subject: str) -> PastOrder | None:
    return next((one for one in look.orders if one.asset_class.value == subject), None)


def _order_ms(look: PastLook, subject: str) -> float | None:
    found = _order(look, subject)
    return found.latency_ms if found else None


def _own_ms(look: PastLook, subject: str) -> float | None:
    found = _order(look, subject)
    return found.own_ms if found else None


def _gateway_ms(look: PastLook, subject: str) -> float | None:
    found = look.gateway(subject)
    return found.latency_ms if found else None


def _gateway_failed(look: PastLook, subject: str) -> float | None:
    found = look.gateway(subject)
    return float(found.failed_count) if found and found.looks_count else None


def _orders_failed(look: PastLook, subject: str) -> float | None:
    """Count the test orders that did not come back as they should; of one class, or of all."""
    words = [(word.partition(":")[0], count) for one in look.orders if subject in {"", one.asset_class.value}
             for word, count in one.outcomes.items()]  # fmt: skip
    sent = [(word, count) for word, count in words if word != OrderOutcome.BLIND]
    return float(sum(count for word, count in sent if word not in GOOD)) if sent else None


def _orders_not_filled(look: PastLook, subject: str) -> float | None:
    found = _order(look, subject)
    executed = found.outcomes.get(OrderOutcome.EXECUTED.value, 0) if found else 0
    return float(executed - found.filled_count) if found and executed else None


def _starts(evidence: Evidence) -> float:
    since = evidence.latest.looked_at - COUNTED_FOR
    return float(sum(life.started_at > since for life in evidence.context.lives))


def _turns(evidence: Evidence, gateway: str) -> float:
    """Count how often a gateway went or came back, as the service told the ledger."""
    since = evidence.latest.looked_at - COUNTED_FOR
    return float(sum(turn.gateway == gateway and turn.at > since for turn in evidence.context.gateway_turns))


def _routing_faults(evidence: Evidence) -> float | None:
    """Count the classes whose gateway is not the shipped one or that have none, and a table on disk that is broken."""
    routing = evidence.latest.routing
    if routing is None or not (routing.routes or routing.file_error):
        return None
    served = {route.asset_class for route in routing.routes}
    traded = {name for look in evidence.context.history for name in look.routes}
    other = sum(
        bool(route.shipped_gateway) and route.table_gateway != route.shipped_gateway for route in routing.routes
    )
    return float(other + len(traded - served) + bool(routing.file_error))


def _disk_free(evidence: Evidence) -> float | None:
    machine = evidence.latest.process.machine
    free = [disk.free_bytes / disk.total_bytes for disk in (machine.disks if machine else ()) if disk.total_bytes]
    return min(free, default=None)


def _clock_skew(evidence: Evidence) -> float | None:
    skews = [abs(one.clock_skew_s) for one in evidence.latest.gateways if one.clock_skew_s is not None]
    return max(skews, default=None)


def _number(value: float | None) -> float | None:
    return float(value) if value is not None else None


_PAST: dict[Signal, Callable[[PastLook, str], float | None]] = {
    Signal.HEALTH_MS: lambda look, _: look.health_ms,
    Signal.ORDER_MS: _order_ms,
    Signal.OWN_MS: _own_ms,
    Signal.GATEWAY_MS: _gateway_ms,
    Signal.GATEWAY_FAILED_COUNT: _gateway_failed,
    Signal.ORDERS_FAILED_COUNT: _orders_failed,
    Signal.ORDERS_NOT_FILLED_COUNT: _orders_not_filled,
    Signal.ORDERS_UNKNOWN_COUNT: lambda look, _: look.orders_unknown_count,
    Signal.MEMORY_BYTES: lambda look, _: _number(look.memory_bytes),
    Signal.OPEN_FILES_COUNT: lambda look, _: _number(look.open_files_count),
}
_NOW: dict[Signal, Callable[[Evidence], float | None]] = {
    Signal.SERVICE_STARTS_COUNT: _starts,
    Signal.ROUTING_FAULTS_COUNT: _routing_faults,
    Signal.DISK_FREE_RATIO: _disk_free,
    Signal.CLOCK_SKEW_S: _clock_skew,
}
