"""How trading stands, in the desk's words: what trades where, what is paused, whether cancels work, the last fill."""

from datetime import datetime

from tasks.model.evidence import Evidence
from tasks.model.looks import GatewayLook, Observation, OrderOutcome, Seen
from tasks.model.metrics import MetricsSnapshot
from tasks.model.orders import AssetClass
from tasks.model.trading import ClassStanding
from tasks.rules.affected_classes import traded_classes
from tasks.rules.class_standing import NOT_TRADING, class_standing
from tasks.rules.counters import counter_rates
from tasks.rules.desk_time import desk_clock
from tasks.rules.past_looks import snapshot_now, snapshot_of

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
        *(_class_line(evidence, one) for one in classes),
        *_open_outcomes(evidence.latest),
        *_gateway_lines(evidence.latest),
        *_cancel_lines(evidence, names),
        *(_fill_line(evidence, name) for name in names),
    )


def last_fill_at(evidence: Evidence, asset_class: AssetClass) -> datetime | None:
    """Find when an order of an asset class was last proven to fill, in this run or one before."""
    rounds = (order for one in reversed(evidence.observations) for order in one.orders)
    now = (one.looked_at for one in rounds if one.asset_class is asset_class and one.outcome is OrderOutcome.EXECUTED)
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
        order.outcome.delivered for one in evidence.observations for order in one.orders if order.asset_class is name
    ]
    during = _counted_orders(evidence, name, snapshot_now(evidence.observations[0]))
    in_part = 0 < sum(sent) < len(sent) or (not standing.trades and during is not None and during[0] > 0)
    if not in_part:
        return f"{name}: {standing.words}."
    counted = _counted_orders(evidence, name, _before_the_run(evidence)) or during
    told = [f"{sum(sent)} of {len(sent)} test orders went through"] if sent else []
    told += (
        [f"{counted[0]:.0f} of {counted[1]:.0f} orders filled since {_clock(evidence, counted[2])}"] if counted else []
    )
    return f"{name}: {standing.words.replace(NOT_TRADING, 'trading in part', 1)} ({'; '.join(told)})."


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
    order = next((one for one in latest.orders if one.asset_class is name), None)
    if order and order.outcome.delivered:
        return True
    route = latest.routing.route(name) if latest.routing else None
    gateway = (route.gateway if route else None) or (order.gateway if order else None)
    probe: GatewayLook | None = next((one for one in latest.gateways if one.gateway == gateway), None)
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
