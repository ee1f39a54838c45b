"""Say how each asset class stands: takes and fills orders now, is held back, does not trade, or nobody knows."""

from tasks.model.evidence.evidence import Evidence
from tasks.model.probes.orders import AssetClass, classes_in
from tasks.model.probes.probes import Observation, OrderOutcome, OrderProbe, Seen
from tasks.model.probes.trading import ClassStanding
from tasks.model.remediation.in_force import Held, InForce
from tasks.rules.in_force.restrictions import in_force, set_words
from tasks.rules.probes.synthetic_result import orders_left

NOT_TRADING = "not trading"
ENDED = {
    OrderOutcome.TIMED_OUT: "timed out",
    OrderOutcome.NOT_REACHED: "was not delivered",
    OrderOutcome.DENIED: "was denied",
    OrderOutcome.REJECTED: "was rejected",
    OrderOutcome.UNKNOWN: "got no answer",
    OrderOutcome.NO_EXECUTION: "came back without an execution",
    OrderOutcome.ERROR: "failed with an error",
    OrderOutcome.MALFORMED: "got an answer that is not an order's",
}


def class_standing(seen: Observation, asset_class: AssetClass, held: InForce | None = None) -> ClassStanding:
    """Say how one class stands by one observation; `held` is what is in force where that has changed since.

    Errors: none. It trades only where what is in force is known, nothing stops it, and its test order filled.
    """
    found = in_force(seen) if held is None else held
    order = next((one for one in seen.orders if one.asset_class == asset_class), None)
    restriction = found.of_class(asset_class)
    if restriction is not None:
        why = f": {restriction.reason}" if restriction.reason else ""
        return _not(asset_class, f"{restriction.state} {set_words(restriction)}{why}")
    disabled = next((one for one in found.restrictions if one.kind is Held.GATEWAY and one.state == "disabled"), None)
    if disabled is not None and order is not None and order.code == "GATEWAY_DISABLED":
        return _not(asset_class, f"{NOT_TRADING}, gateway {disabled.name} is disabled {set_words(disabled)}")
    if order is None:
        return _not(asset_class, "not known, no test order is set up")
    if order.outcome is OrderOutcome.EXECUTED and not found.is_known:
        return _not(asset_class, f"the test order filled at {_where(order)}; whether it is halted is not known")
    trades = order.outcome is OrderOutcome.EXECUTED
    return ClassStanding(asset_class=asset_class, trades=trades, words=_order_words(seen, order))


def class_standings(seen: Observation, held: InForce | None = None) -> tuple[ClassStanding, ...]:
    """Say how each class stands that an observation tells anything of."""
    routed = [one.asset_class for one in seen.routing.routes] if seen.routing else []
    named = classes_in(routed, (order.asset_class for order in seen.orders))
    return tuple(class_standing(seen, name, held) for name in named)


def left_words(evidence: Evidence | None) -> tuple[str, ...]:
    """Say what test orders of ours left at a venue in this run: a person takes it back."""
    return tuple(f"{one}." for one in orders_left(evidence.observations)) if evidence else ()


def _not(asset_class: AssetClass, words: str) -> ClassStanding:
    return ClassStanding(asset_class=asset_class, trades=False, words=words)


def _where(order: OrderProbe) -> str:
    return order.gateway or "no gateway"


def _order_words(seen: Observation, order: OrderProbe) -> str:
    match order.outcome:
        case OrderOutcome.EXECUTED:
            return f"trades at {_where(order)}"
        case OrderOutcome.REJECTED_AS_EXPECTED:
            return f"{_where(order)} answers, its market is closed"
        case OrderOutcome.BLIND:
            return "not known, we could not check"
        case OrderOutcome.TIMED_OUT | OrderOutcome.NOT_REACHED if not _answers(seen):
            return f"{NOT_TRADING}, the service answers no order"
        case _ if order.gateway is None:
            return f"{NOT_TRADING}, the test order {_ended(order)} before it reached a gateway"
        case _:
            return f"{NOT_TRADING}, the test order to {order.gateway} {_ended(order)}"


def _ended(order: OrderProbe) -> str:
    code = f" ({order.code})" if order.code else ""
    return f"{ENDED.get(order.outcome, order.outcome.value.replace('_', ' '))}{code}"


def _answers(seen: Observation) -> bool:
    return seen.health.seen is Seen.PASSED or any(order.outcome.delivered for order in seen.orders)
