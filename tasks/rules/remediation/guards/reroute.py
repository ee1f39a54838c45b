"""The guards of a re-route: the alternate must itself be healthy, take the class, be open, and bear the load (§2.2)."""

from tasks.model.evidence.evidence import Evidence
from tasks.model.probes.control import MARKED
from tasks.model.probes.probes import OrderOutcome, Seen
from tasks.model.remediation.plan import PlannedAction
from tasks.model.remediation.verdicts import GuardCode, Verdict
from tasks.rules.diagnosis.causes.gateway_signs import dependency_of, signs_of
from tasks.rules.remediation.guards.guard_inputs import GuardInputs
from tasks.rules.remediation.guards.order_rate import orders_per_min


def alternate_is_approved(planned: PlannedAction, inputs: GuardInputs) -> Verdict:
    """Re-route only to an alternate that the routing table itself allows for the class, and that takes the class.

    A table that nobody could read is not a table without alternates.
    """
    name, to, routing = planned.target.asset_class, planned.target.gateway, inputs.latest.routing
    route = routing.route(name) if routing and name else None
    if name is not None and (routing is None or routing.leaves_open(name)):
        told = routing.detail if routing else "it was not read"
        detail = f"expected the alternates of {name}, found the routing table unreadable: {told}"
        return Verdict.no(GuardCode.INPUT_UNKNOWN, f"{detail}; planned again once the service answers")
    approved = {*route.alternates, route.table_gateway} if route else set()
    if to is None or to not in approved:
        listed = ", ".join(sorted(one for one in approved if one)) or "none"
        detail = f"expected an approved alternate of {name}, found {to or 'none'}; approved: {listed}"
        return Verdict.no(GuardCode.NO_ALTERNATE, detail)
    known = next((one for one in inputs.evidence.context.known_gateways if one.name == to), None)
    if known is None or (known.asset_classes and name not in known.asset_classes):
        return Verdict.no(GuardCode.NO_ALTERNATE, f"expected a known gateway that takes {name}, found {to}")
    return Verdict.yes(f"{to} is approved for {name}")


def alternate_is_healthy(planned: PlannedAction, inputs: GuardInputs) -> Verdict:
    """Re-route only to a gateway that answers a direct probe now and shows no sign of trouble."""
    to = planned.target.gateway
    probe = next((one for one in inputs.latest.gateways if one.gateway == to), None)
    if probe is None or probe.seen is not Seen.PASSED:
        said = probe.detail if probe else "not probed"
        return Verdict.no(GuardCode.ALTERNATE_NOT_HEALTHY, f"expected {to} to answer a direct probe, found {said}")
    told = dependency_of(inputs.latest, to or "")
    if told is not None and told.set_to in MARKED:
        detail = f"expected {to} without a mark, found it marked {told.set_to}"
        return Verdict.no(GuardCode.ALTERNATE_NOT_HEALTHY, detail)
    sign = signs_of(inputs.evidence).get(to or "")
    if sign is not None:
        return Verdict.no(GuardCode.ALTERNATE_NOT_HEALTHY, f"expected {to} without trouble, found {sign}")
    failed = [one for one in inputs.latest.orders if one.gateway == to and one.outcome not in _NO_FAULT]
    if failed:
        detail = f"expected orders to fill at {to}, found {failed[0].outcome}"
        return Verdict.no(GuardCode.ALTERNATE_NOT_HEALTHY, detail)
    return Verdict.yes(f"{to} answers a direct probe")


_NO_FAULT = frozenset(
    {OrderOutcome.EXECUTED, OrderOutcome.REJECTED_AS_EXPECTED, OrderOutcome.DENIED, OrderOutcome.BLIND}
)


def market_is_open(planned: PlannedAction, inputs: GuardInputs) -> Verdict:
    """Re-route only while the class trades; where nobody checked, nobody knows."""
    hours = next((one for one in inputs.evidence.markets if one.asset_class == planned.target.asset_class), None)
    if hours is not None and not hours.open:
        return Verdict.no(GuardCode.MARKET_CLOSED, f"{hours.asset_class} is closed ({hours.session})")
    return Verdict.yes("market open" if hours else "market hours not known")


def bears_the_load(planned: PlannedAction, inputs: GuardInputs) -> Verdict:
    """Re-route only within the alternate's own limit of orders, where one is set."""
    to = planned.target.gateway
    limit = inputs.capabilities.order_rate_limits_per_s.get(to or "")
    if limit is None:
        return Verdict.yes()
    rate = orders_per_min(inputs.evidence)
    if rate is None or rate / 60 > limit:
        was = "not known" if rate is None else f"{rate / 60:.1f}"
        return Verdict.no(GuardCode.ORDER_RATE_LIMIT, f"expected at most {limit:g} orders/s at {to}, found {was}")
    return Verdict.yes(f"orders_per_s={rate / 60:.1f} limit={limit:g}")


def proven_fill(evidence: Evidence, gateway: str) -> bool:
    """Say whether one of this run's own test orders was filled at a gateway."""
    return any(one.gateway == gateway and one.outcome is OrderOutcome.EXECUTED for one in evidence.latest.orders)
