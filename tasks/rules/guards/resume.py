"""The guards of a resume: a person asks for it, and the class must be well (safety rule 8)."""

from tasks.model.looks import Seen
from tasks.model.plan import PlannedAction
from tasks.model.verdicts import GuardCode, Verdict
from tasks.rules.guards.facts import Facts


def by_hand_only(planned: PlannedAction, facts: Facts) -> Verdict:  # noqa: ARG001
    """Never undo a pause by itself."""
    if facts.asked is None:
        return Verdict.no(GuardCode.BY_HAND_ONLY, "a pause is ended by a person only")
    return Verdict.yes(f"asked by {facts.asked.by}")


def class_is_well(planned: PlannedAction, facts: Facts) -> Verdict:
    """Resume only a class whose gateway answers a direct probe, at a service that answers."""
    name = planned.target.asset_class
    health = facts.latest.health
    if health.exchange is None or health.exchange.http_status is None:
        return Verdict.no(GuardCode.CLASS_NOT_WELL, f"expected an answer of the service was {health.detail}")
    route = facts.latest.routing.route(name) if facts.latest.routing and name else None
    probe = next((one for one in facts.latest.gateways if route and one.gateway == route.gateway), None)
    if probe is not None and probe.seen is Seen.FAILED:
        return Verdict.no(GuardCode.CLASS_NOT_WELL, f"expected {probe.gateway} to answer was {probe.detail}")
    return Verdict.yes(f"{name} looks well")
