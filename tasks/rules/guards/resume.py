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
    if target.strategy is not None:
        return Verdict.yes(f"{target.words} looks well")
    if target.asset_class is None:
        return _answers(target.gateway or "", facts)
    route = facts.latest.routing.route(target.asset_class) if facts.latest.routing else None
    if route is None or route.gateway is None:
        return Verdict.no(GuardCode.CLASS_NOT_WELL, f"expected to see where {target.asset_class} goes was nothing")
    return _answers(route.gateway, facts)


def _answers(gateway: str, facts: Facts) -> Verdict:
    """Let orders through only where the gateway was seen to answer: blind never acts."""
    probe = next((one for one in facts.latest.gateways if one.gateway == gateway), None)
    if probe is not None and probe.answers:
        return Verdict.yes(f"{gateway} answers a direct probe")
    code = GuardCode.BLIND if probe is not None and probe.seen is Seen.BLIND else GuardCode.CLASS_NOT_WELL
    said = probe.detail if probe else "not probed"
    return Verdict.no(code, f"expected {gateway} to answer a direct probe was {said}")
