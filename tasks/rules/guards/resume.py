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
    """Resume only where the gateway concerned answers a direct probe, at a service that answers.

    A strategy has no gateway of its own: for it the service alone must answer.
    """
    health = facts.latest.health
    if health.exchange is None or health.exchange.http_status is None:
        return Verdict.no(GuardCode.CLASS_NOT_WELL, f"expected an answer of the service was {health.detail}")
    target = planned.target
    if target.gateway is not None and target.asset_class is None:
        return _answers(target.gateway, facts)
    route = facts.latest.routing.route(target.asset_class) if facts.latest.routing and target.asset_class else None
    probe = next((one for one in facts.latest.gateways if route and one.gateway == route.gateway), None)
    if probe is not None and probe.seen is Seen.FAILED:
        return Verdict.no(GuardCode.CLASS_NOT_WELL, f"expected {probe.gateway} to answer was {probe.detail}")
    return Verdict.yes(f"{target.words} looks well")


def _answers(gateway: str, facts: Facts) -> Verdict:
    """Take a mark off only where the gateway was seen to answer: nobody's look is no reason."""
    probe = next((one for one in facts.latest.gateways if one.gateway == gateway), None)
    if probe is None or probe.seen is not Seen.PASSED:
        said = probe.detail if probe else "not probed"
        return Verdict.no(GuardCode.CLASS_NOT_WELL, f"expected {gateway} to answer a direct probe was {said}")
    return Verdict.yes(f"{gateway} answers a direct probe")
