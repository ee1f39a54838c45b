"""How long orders take in the service itself, window by window across runs, with the gateways' part taken off."""

from datetime import datetime
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from tasks.model.evidence.evidence import Evidence
from tasks.rules.probes.history import counters_of, past_orders

UNANSWERED = ("|outcome=unknown", "|code=GATEWAY_UNREACHABLE", "|code=GATEWAY_BUSY")

CLOCK_SLACK_S = 60.0


class ServiceLatency(NamedTuple):
    """The mean of one window. Units: `own_ms` milliseconds an order; `since` is None where it is a check by itself."""

    since: datetime | None
    until: datetime
    own_ms: float


class _Sums(NamedTuple):
    at: datetime
    orders_count: float
    orders_s: float
    gateways_s: float
    started_s: float | None
    unanswered_count: float


def service_latencies(evidence: Evidence) -> tuple[ServiceLatency, ...]:
    """Measure by the service's own histograms, which our client's load does not touch; else by our test orders.

    Source: `order_seconds` is from order in to answer out, `gateway_seconds` the round trip to the gateway within it.
    """
    sums = _sums(evidence)
    return _by_histograms(sums) if len(sums) >= 2 else _by_test_orders(evidence)


def _by_histograms(sums: list[_Sums]) -> tuple[ServiceLatency, ...]:
    return tuple(found for one, two in pairwise(sums) if (found := _window(one, two)))


def _window(one: _Sums, two: _Sums) -> ServiceLatency | None:
    # A process that was restarted counts from zero, and only since then.
    is_restarted = _is_another(one.started_s, two.started_s) or two.orders_count < one.orders_count
    base = _Sums(one.at, 0.0, 0.0, 0.0, two.started_s, 0.0) if is_restarted else one
    count = two.orders_count - base.orders_count
    # An order that its gateway never answered waited for it, and the gateway's histogram does not know of it.
    if count < 1 or two.at <= one.at or two.unanswered_count > base.unanswered_count:
        return None
    own_s = (two.orders_s - base.orders_s) - (two.gateways_s - base.gateways_s)
    started_s = two.started_s if is_restarted else None
    since = one.at if started_s is None else datetime.fromtimestamp(started_s, two.at.tzinfo)
    return ServiceLatency(since, two.at, max(0.0, own_s / count * 1000))


def _is_another(one_s: float | None, two_s: float | None) -> bool:
    return one_s is not None and two_s is not None and abs(two_s - one_s) > 1


def _sums(evidence: Evidence) -> list[_Sums]:
    tables = [(one.at, one.counters) for one in evidence.context.history if one.counters]
    tables += [(one.metrics.looked_at, counters_of(one.metrics)) for one in evidence.observations]
    found = [_sum(at, counters) for at, counters in tables if "order_seconds_count" in counters]
    return sorted(found, key=lambda one: one.at)


def _sum(at: datetime, counters: dict[str, float]) -> _Sums:
    return _Sums(
        at=at,
        orders_count=counters["order_seconds_count"],
        orders_s=counters.get("order_seconds_sum", 0.0),
        gateways_s=sum(value for key, value in counters.items() if key.startswith("gateway_seconds_sum")),
        started_s=_start_s(at, counters.get("process_start_time_seconds")),
        unanswered_count=sum(value for key, value in counters.items() if key.endswith(UNANSWERED)),
    )


def _start_s(at: datetime, told_s: float | None) -> float | None:
    """Read when the process started, in seconds of the epoch; nothing where no process can have started then."""
    return told_s if told_s is not None and 0 < told_s <= at.timestamp() + CLOCK_SLACK_S else None


def _by_test_orders(evidence: Evidence) -> tuple[ServiceLatency, ...]:
    looks = [(one.at, one.orders) for one in evidence.context.history]
    looks += [(one.looked_at, past_orders((one,))) for one in evidence.observations]
    known = [(at, [order.own_ms for order in orders if order.own_ms is not None]) for at, orders in looks]
    return tuple(ServiceLatency(None, at, median(values)) for at, values in known if values)
