"""How trading stands, in the desk's words: what trades where, what is paused, whether cancels work, the last fill."""

from datetime import datetime

from tasks.model.evidence import Evidence
from tasks.model.looks import GatewayLook, Observation, OrderLook, OrderOutcome, RouteLook, Seen
from tasks.model.orders import AssetClass
from tasks.rules.affected_classes import traded_classes
from tasks.rules.causes.facts import is_paused
from tasks.rules.desk_time import desk_clock

UNANSWERED = frozenset({OrderOutcome.TIMED_OUT, OrderOutcome.NOT_REACHED, OrderOutcome.BLIND})
NEVER_SEEN = "none seen in the last hour"


def desk_status(evidence: Evidence) -> tuple[str, ...]:
    """Write the status: a line for each asset class, what is wrong first, then gateways, cancels and last proven fills.

    Runbook: §4.1, the detail after the notice.
    Errors: none; what no look has shown is told as not known.
    """
    delivered = {order.asset_class for order in evidence.latest.orders if order.outcome.delivered}
    classes = tuple(sorted(traded_classes(evidence), key=lambda name: (name in delivered, name)))
    return (
        *(_class_line(evidence, name) for name in classes),
        *_gateway_lines(evidence.latest),
        *_cancel_lines(evidence, classes),
        *(_fill_line(evidence, name) for name in classes),
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


def _class_line(evidence: Evidence, name: AssetClass) -> str:
    latest = evidence.latest
    order = next((one for one in latest.orders if one.asset_class is name), None)
    route = latest.routing.route(name) if latest.routing else None
    if route and route.is_paused:
        return f"{name}: paused ({route.trading_state}){_by_whom(route)}."
    if order is None:
        return f"{name}: not known, no test order is set up."
    return f"{name}: {_order_words(latest, order)}."


def _order_words(latest: Observation, order: OrderLook) -> str:
    where = order.gateway or "no gateway"
    match order.outcome:
        case OrderOutcome.EXECUTED:
            return f"trades at {where}"
        case OrderOutcome.REJECTED_AS_EXPECTED:
            return f"{where} answers, its market is closed"
        case OrderOutcome.BLIND:
            return "not known, we could not look"
        case OrderOutcome.DENIED if is_paused(latest, order):
            return f"paused ({order.code})"
        case _:
            return f"does not trade, the test order to {where} ended as {order.outcome.value.replace('_', ' ')}"


def _by_whom(route: RouteLook) -> str:
    by = f" by {route.set_by}" if route.set_by else ""
    return f"{by}: {route.reason}" if route.reason else by


def _gateway_lines(latest: Observation) -> tuple[str, ...]:
    groups = {
        "that answer": [one.gateway for one in latest.gateways if one.seen is Seen.PASSED],
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
    order = next((one for one in latest.orders if one.asset_class is name), None)
    if order and order.outcome.delivered:
        return True
    route = latest.routing.route(name) if latest.routing else None
    gateway = (route.gateway if route else None) or (order.gateway if order else None)
    probe: GatewayLook | None = next((one for one in latest.gateways if one.gateway == gateway), None)
    return probe is not None and probe.seen is Seen.PASSED


def _fill_line(evidence: Evidence, name: AssetClass) -> str:
    at = last_fill_at(evidence, name)
    when = desk_clock(at, evidence.context.desk_time_zone) if at else NEVER_SEEN
    return f"Last proven fill of {name}: {when}."
