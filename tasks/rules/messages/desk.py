"""What the desk reads: its clock, the asset classes that a cause degrades, and how each of them stands."""

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from tasks.model.diagnosis.diagnosis import Cause, Diagnosis, Finding
from tasks.model.evidence.evidence import Evidence
from tasks.model.probes.metrics import MetricsSnapshot
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import GatewayProbe, Observation, OrderOutcome, Seen
from tasks.model.probes.trading import ClassStanding
from tasks.rules.diagnosis.causes.evidence_queries import is_paused
from tasks.rules.formats.time import clock_text, utc_text
from tasks.rules.in_force.class_standing import NOT_TRADING, class_standing, left_words
from tasks.rules.probes.counters import counter_rates
from tasks.rules.probes.history import snapshot_now, snapshot_of

UTC_NAME = "UTC"


def desk_time(moment: datetime, time_zone: str = UTC_NAME) -> str:
    """Write a time in UTC, and in the desk's time zone where that is another."""
    local = _local(moment, time_zone)
    return f"{utc_text(moment)} ({local:%Y-%m-%d %H:%M:%S %Z}, {time_zone})" if local else utc_text(moment)


def desk_clock(moment: datetime, time_zone: str = UTC_NAME) -> str:
    """Write the time of day alone, in UTC and on the desk's clock."""
    utc, local = clock_text(moment), _local(moment, time_zone)
    return f"{utc} ({local:%H:%M:%S %Z})" if local else utc


def _local(moment: datetime, time_zone: str) -> datetime | None:
    if time_zone == UTC_NAME:
        return None
    try:
        return moment.astimezone(ZoneInfo(time_zone))
    except OverflowError:
        # A ledger may tell of the year 1 or 9999, which not every clock reaches.
        return None


# Nothing trades well while the service itself, or what it stands on, is in trouble.
TROUBLED_ALL = frozenset({Cause.SERVICE_DOWN, Cause.SERVICE_HUNG, Cause.CRASH_LOOP, Cause.INFRASTRUCTURE})
# A gauge that lies, a tool that is blind and a strategy that sends too much say nothing of routing.
TROUBLED_NONE = frozenset({Cause.OBSERVABILITY_FAULT, Cause.MONITOR_BLIND, Cause.CLIENT_MISBEHAVIOUR})


def affected_classes(finding: Finding, diagnosis: Diagnosis, evidence: Evidence) -> tuple[AssetClass, ...]:
    """Name the asset classes whose routing a finding degrades.

    Runbook: §2.1, §4.1.
    Errors: none. A cause that names no class takes those whose orders failed in every check and that no other names.
    """
    if finding.cause in TROUBLED_ALL and not finding.is_of_some:
        return traded_classes(evidence)
    if finding.asset_classes or finding.cause in TROUBLED_NONE:
        return finding.asset_classes
    named = {name for one in diagnosis.findings for name in one.asset_classes}
    return tuple(name for name in undelivered_classes(evidence) if name not in named)


def traded_classes(evidence: Evidence) -> tuple[AssetClass, ...]:
    """Name every asset class that the service trades, as far as anything tells."""
    latest, known = evidence.latest, evidence.context.known_gateways
    told = {*evidence.context.known_classes, *(order.asset_class for order in latest.orders)}
    told |= {route.asset_class for route in (latest.routing.routes if latest.routing else ())}
    told |= {name for gateway in known for name in gateway.asset_classes}
    return tuple(sorted(told))


def undelivered_classes(evidence: Evidence) -> tuple[AssetClass, ...]:
    """Name the asset classes whose test order was not delivered in any look, though nobody has paused them."""
    failed = [
        {
            order.asset_class
            for order in one.orders
            if not (order.outcome.delivered or order.outcome is OrderOutcome.BLIND or is_paused(one, order))
        }
        for one in evidence.observations
    ]
    return tuple(sorted(set.intersection(*failed)))


UNANSWERED = frozenset({OrderOutcome.TIMED_OUT, OrderOutcome.NOT_REACHED, OrderOutcome.BLIND})
# A gateway that is marked degraded is reached all the same.
REACHED_WORDS = frozenset({"ok", "degraded"})
FILLED_OUTCOMES = frozenset({"filled", "partially_filled"})
NEVER_SEEN = "none seen in the last hour"


def desk_status(evidence: Evidence) -> tuple[str, ...]:
    """Write the status: a line for each asset class, what is wrong first, then gateways, cancels and last test fills.

    Runbook: §4.1, the detail after the notice.
    Errors: none; what no check has shown is said to be not known.
    """
    standings = (class_standing(evidence.latest, name) for name in traded_classes(evidence))
    classes = tuple(sorted(standings, key=lambda one: (one.trades, one.asset_class)))
    names = tuple(one.asset_class for one in classes)
    return (
        *class_lines(evidence, names),
        *_open_outcomes(evidence.latest),
        *left_words(evidence),
        *_gateway_lines(evidence.latest),
        *_cancel_lines(evidence, names),
        *(_fill_line(evidence, name) for name in names),
    )


def class_lines(evidence: Evidence, names: Iterable[AssetClass]) -> tuple[str, ...]:
    """Write how each of these classes stands."""
    return tuple(_class_line(evidence, class_standing(evidence.latest, name)) for name in names)


def last_fill_at(evidence: Evidence, asset_class: AssetClass) -> datetime | None:
    """Find when an order of an asset class was last proven to fill, in this run or one before."""
    passes = (order for one in reversed(evidence.observations) for order in one.orders)
    now = (one.looked_at for one in passes if one.asset_class == asset_class and one.outcome is OrderOutcome.EXECUTED)
    past = (
        look.at
        for look in reversed(evidence.context.history)
        if (order := look.order(asset_class)) and order.filled_count
    )
    return next(now, None) or next(past, None)


def _class_line(evidence: Evidence, standing: ClassStanding) -> str:
    """Say how a class stands, and how many of its orders went through where only some did.

    Errors: none. What filled before this run says nothing of now: the trouble may be younger than the run before.
    """
    name = standing.asset_class
    sent = [
        order.outcome.delivered for one in evidence.observations for order in one.orders if order.asset_class == name
    ]
    during = _counted_orders(evidence, name, snapshot_now(evidence.observations[0]))
    in_part = 0 < sum(sent) < len(sent) or (not standing.trades and during is not None and during[0] > 0)
    if not in_part:
        return f"{name.capitalize()}: {standing.words}."
    counted = _counted_orders(evidence, name, _before_the_run(evidence)) or during
    told = [f"{sum(sent)} of {len(sent)} test orders went through"] if sent else []
    told += (
        [f"{counted[0]:.0f} of {counted[1]:.0f} orders filled since {_clock(evidence, counted[2])}"] if counted else []
    )
    return f"{name.capitalize()}: {standing.words.replace(NOT_TRADING, 'trading in part', 1)} ({'; '.join(told)})."


def _before_the_run(evidence: Evidence) -> MetricsSnapshot | None:
    before = (snapshot_of(one) for one in reversed(evidence.context.history))
    return next((found for found in before if found), None)


def _counted_orders(
    evidence: Evidence, name: AssetClass, earlier: MetricsSnapshot | None
) -> tuple[float, float, datetime] | None:
    """Count the filled and all orders of a class by the service's counters, since an earlier reading."""
    now = snapshot_now(evidence.latest)
    if now is None or earlier is None or earlier.taken_at >= now.taken_at:
        return None
    rates = [one for one in counter_rates(earlier, now, "orders_total") if dict(one.labels).get("asset_class") == name]
    filled = sum(one.increase or 0.0 for one in rates if dict(one.labels).get("outcome") in FILLED_OUTCOMES)
    every = sum(one.increase or 0.0 for one in rates)
    return (filled, every, earlier.taken_at) if every else None


def _open_outcomes(latest: Observation) -> tuple[str, ...]:
    count = latest.metrics.orders_unknown_count
    if not count:
        return ()
    which = "1 order has" if count == 1 else f"{count:.0f} orders have"
    return (f"Outcome not proven: {which} been sent without a proven answer; never resend, ask the venue.",)


def _gateway_lines(latest: Observation) -> tuple[str, ...]:
    groups = {
        "that answer": [one.gateway for one in latest.gateways if one.answers],
        "that do not": [one.gateway for one in latest.gateways if one.seen is Seen.FAILED],
        "not known": [one.gateway for one in latest.gateways if one.seen is Seen.BLIND],
    }
    told = [f"{words}: {', '.join(names)}" for words, names in groups.items() if names]
    return (f"Gateways {'; '.join(told)}.",) if told else ()


def _cancel_lines(evidence: Evidence, classes: tuple[AssetClass, ...]) -> tuple[str, ...]:
    """Say where a cancel would arrive. We send none of our own: what answers takes it, and a pause never blocks it."""
    if not _service_answers(evidence.latest):
        return ("Cancels: none can be sent, the service answers no order; cancel at the venue.",)
    can = [name for name in classes if _gateway_answers(evidence.latest, name)]
    cannot = [name for name in classes if name not in can]
    parts = [f"can be sent for {', '.join(can)}"] if can else []
    parts += [f"not certain to arrive for {', '.join(cannot)}"] if cannot else []
    return (f"Cancels: {'; '.join(parts)}. A pause never blocks them.",) if parts else ()


def _service_answers(latest: Observation) -> bool:
    if latest.orders:
        return any(order.outcome not in UNANSWERED for order in latest.orders)
    return latest.health.exchange is not None and latest.health.exchange.http_status is not None


def _gateway_answers(latest: Observation, name: AssetClass) -> bool:
    """Say whether a cancel of a class would arrive: its gateway answers us, and the service can reach it too."""
    order = next((one for one in latest.orders if one.asset_class == name), None)
    if order and order.outcome.delivered:
        return True
    route = latest.routing.route(name) if latest.routing else None
    gateway = (route.gateway if route else None) or (order.gateway if order else None)
    probe: GatewayProbe | None = next((one for one in latest.gateways if one.gateway == gateway), None)
    return gateway is not None and probe is not None and probe.seen is Seen.PASSED and _reached(latest, gateway)


def _reached(latest: Observation, gateway: str) -> bool:
    """Say whether the service itself does not say that it cannot reach a gateway."""
    told = next((one for one in latest.health.dependencies if one.name == gateway), None)
    said_down = told is not None and told.status.lower() not in REACHED_WORDS
    return not said_down and latest.metrics.gateways_up.get(gateway, True)


def _fill_line(evidence: Evidence, name: AssetClass) -> str:
    at = last_fill_at(evidence, name)
    return f"Last test order of {name} that filled: {_clock(evidence, at) if at else NEVER_SEEN}."


def _clock(evidence: Evidence, at: datetime) -> str:
    return desk_clock(at, evidence.context.desk_time_zone)
