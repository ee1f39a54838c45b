"""The guards of a resume: a person asks for it, and the class must be healthy (safety rule 8)."""

from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import Seen
from tasks.model.remediation.plan import PlannedAction
from tasks.model.remediation.verdicts import GuardCode, Verdict
from tasks.rules.remediation.guards.guard_inputs import GuardInputs


def operator_only(planned: PlannedAction, inputs: GuardInputs) -> Verdict:  # noqa: ARG001
    """Never undo a pause by itself."""
    if inputs.asked is None:
        return Verdict.no(GuardCode.BY_HAND_ONLY, "only a person ends a pause")
    return Verdict.yes(f"asked by {inputs.asked.by}")


def class_is_healthy(planned: PlannedAction, inputs: GuardInputs) -> Verdict:
    """Resume only where the gateway concerned answers a direct probe, at a service that answers.

    A strategy has no gateway of its own: for it the service alone must answer.
    """
    health = inputs.latest.health
    if health.exchange is None or health.exchange.http_status is None:
        return Verdict.no(GuardCode.CLASS_NOT_WELL, f"expected an answer of the service, found {health.detail}")
    target = planned.target
    if target.strategy is not None:
        return Verdict.yes(f"{target.words}: the service answers")
    if target.asset_class is None:
        return _answers(target.gateway or "", inputs)
    if inputs.latest.routing is not None and inputs.latest.routing.standings is not None:
        return _all_answer(target.asset_class, inputs)
    route = inputs.latest.routing.route(target.asset_class) if inputs.latest.routing else None
    if route is None or route.gateway is None:
        detail = f"expected a route of {target.asset_class}, found none; check the routing"
        return Verdict.no(GuardCode.CLASS_NOT_WELL, detail)
    return _answers(route.gateway, inputs)


def _all_answer(asset_class: AssetClass, inputs: GuardInputs) -> Verdict:
    """Ask for an answer of every gateway that takes the class: a service without routes may send to any of them."""
    known = inputs.evidence.context.known_gateways
    taking = [one.name for one in known if not one.asset_classes or asset_class in one.asset_classes]
    if not taking:
        detail = f"expected a gateway that takes {asset_class}, found none described; add it to gateways"
        return Verdict.no(GuardCode.CLASS_NOT_WELL, detail)
    verdicts = [_answers(gateway, inputs) for gateway in taking]
    return next((one for one in verdicts if not one.allowed), verdicts[0])


def _answers(gateway: str, inputs: GuardInputs) -> Verdict:
    """Let orders through only where the gateway was seen to answer: blind never acts."""
    probe = next((one for one in inputs.latest.gateways if one.gateway == gateway), None)
    if probe is not None and probe.answers:
        return Verdict.yes(f"{gateway} answers a direct probe")
    code = GuardCode.BLIND if probe is not None and probe.seen is Seen.BLIND else GuardCode.CLASS_NOT_WELL
    said = probe.detail if probe else "not probed"
    return Verdict.no(code, f"expected {gateway} to answer a direct probe, found {said}")
