"""Make one small value of a run, and read the service's counters out of it again."""

from collections.abc import Iterable
from statistics import median

from tasks.model.diagnosis.diagnosis import Diagnosis
from tasks.model.evidence.evidence import Evidence
from tasks.model.probes.history import PastGateway, PastObservation, PastOrder
from tasks.model.probes.metrics import Labels, MetricsSnapshot, MetricType, Sample
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import MetricsProbe, Observation, OrderOutcome, OrderProbe, Seen
from tasks.rules.in_force.restrictions import in_force

# A family that this service has never counted in has no samples yet, which is zero and not missing.
COUNTERS = ("orders", "orders_denied", "orders_invalid", "strategy_orders")
TYPES = tuple((name, MetricType.COUNTER) for name in COUNTERS)
# A line of the history is read within a length that it must not outgrow.
HELD_LIMIT_COUNT = 10
SEEDLESS = frozenset({OrderOutcome.DENIED, OrderOutcome.REJECTED, OrderOutcome.UNKNOWN, OrderOutcome.ERROR})


def past_observation(evidence: Evidence, diagnosis: Diagnosis) -> PastObservation:
    """Keep of a run what later runs compare with.

    Runbook: §1.2, for trends and rates across runs.
    """
    latest, passes = evidence.latest, evidence.observations
    routing = latest.routing
    held = in_force(latest)
    timings = [one.health.exchange.seconds_s * 1000 for one in passes if one.health.exchange]
    return PastObservation(
        at=latest.looked_at,
        status=diagnosis.status.value,
        rounds_count=len(passes),
        health=latest.health.seen,
        health_ms=_median(timings),
        release=latest.health.release or latest.metrics.release,
        pid=latest.process.pid,
        started_at=latest.process.started_at or latest.health.started_at,
        memory_bytes=latest.process.memory_bytes,
        open_files_count=latest.process.open_files_count,
        orders_unknown_count=latest.metrics.orders_unknown_count,
        orders=past_orders(passes),
        gateways=past_gateways(passes),
        routes={one.asset_class: one.gateway for one in routing.routes if one.gateway} if routing else {},
        table_hash=routing.table_hash if routing else None,
        features=routing.features if routing else {},
        counters=counters_of(latest.metrics),
        troubles=tuple(finding.cause.value for finding in diagnosis.findings),
        held=held.restrictions[:HELD_LIMIT_COUNT] if held.is_known else None,
    )


def past_orders(passes: tuple[Observation, ...]) -> tuple[PastOrder, ...]:
    """Sum up the synthetic orders of some rounds, by asset class."""
    orders = [order for one in passes for order in one.orders]
    classes = dict.fromkeys(order.asset_class for order in orders)
    return tuple(_past_order(name, [order for order in orders if order.asset_class == name]) for name in classes)


def past_gateways(passes: tuple[Observation, ...]) -> tuple[PastGateway, ...]:
    """Sum up the direct probes of some rounds, by gateway; a blind one says nothing."""
    probes = [probe for one in passes for probe in one.gateways if probe.seen in {Seen.PASSED, Seen.FAILED}]
    names = dict.fromkeys(probe.gateway for probe in probes)
    return tuple(
        PastGateway(
            gateway=name,
            looks_count=sum(probe.gateway == name for probe in probes),
            failed_count=sum(probe.gateway == name and probe.seen is Seen.FAILED for probe in probes),
            latency_ms=_median(
                probe.latency_ms
                for probe in probes
                if probe.gateway == name and probe.seen is Seen.PASSED and probe.latency_ms is not None
            ),
        )
        for name in names
    )


def own_ms(order: OrderProbe) -> float | None:
    """Say how long an order took in the service itself, without its gateway; only for one that was executed."""
    if order.outcome is not OrderOutcome.EXECUTED or order.latency_ms is None or order.gateway_latency_ms is None:
        return None
    return max(0.0, order.latency_ms - order.gateway_latency_ms)


def outcome_word(order: OrderProbe) -> str:
    """Name an outcome with its code, where the code says who refused."""
    return f"{order.outcome}:{order.code}" if order.outcome in SEEDLESS and order.code else order.outcome.value


def counters_of(metrics: MetricsProbe) -> dict[str, float]:
    """Write samples as a flat table, `name|label=value|…`."""
    return {
        "|".join((one.name, *(f"{name}={value}" for name, value in one.labels))): one.value for one in metrics.samples
    }


def snapshot_of(past: PastObservation) -> MetricsSnapshot | None:
    """Read a run's counters again; None where the run could not read them."""
    if not past.counters:
        return None
    samples = tuple(_sample(key, value) for key, value in past.counters.items())
    return MetricsSnapshot(taken_at=past.at, samples=samples, types=TYPES)


def snapshot_now(observation: Observation) -> MetricsSnapshot | None:
    """Read the counters of a pass of checks as a snapshot."""
    metrics = observation.metrics
    if not metrics.samples:
        return None
    return MetricsSnapshot(taken_at=metrics.looked_at, samples=metrics.samples, types=TYPES)


def _past_order(asset_class: AssetClass, orders: list[OrderProbe]) -> PastOrder:
    outcomes: dict[str, int] = {}
    for order in orders:
        outcomes[outcome_word(order)] = outcomes.get(outcome_word(order), 0) + 1
    return PastOrder(
        asset_class=asset_class,
        gateway=next((order.gateway for order in reversed(orders) if order.gateway), None),
        outcomes=outcomes,
        filled_count=sum(order.ord_status == "filled" for order in orders),
        latency_ms=_median(order.latency_ms for order in orders if order.latency_ms is not None),
        own_ms=_median(spent for order in orders if (spent := own_ms(order)) is not None),
    )


def _sample(key: str, value: float) -> Sample:
    name, *words = key.split("|")
    pairs: Labels = tuple((label, text) for label, _, text in (word.partition("=") for word in words))
    return Sample(name=name, labels=pairs, value=value)


def _median(values: Iterable[float]) -> float | None:
    found = list(values)
    return round(median(found), 3) if found else None
