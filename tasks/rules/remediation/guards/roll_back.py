"""The guards of a rollback (safety rule 7). Knight Capital, 2012: the rollback spread the fault.

Source: SEC release 34-70694 (2013), paragraphs 15 to 18: old code came back to life under a new flag.
"""

from tasks.model.diagnosis.diagnosis import Status
from tasks.model.incidents.incident import Action
from tasks.model.probes.control import MARKED
from tasks.model.probes.history import PastObservation, PastOrder
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import Observation, OrderOutcome, Seen
from tasks.model.remediation.plan import PlannedAction
from tasks.model.remediation.verdicts import GuardCode, Verdict
from tasks.rules.diagnosis.causes.evidence_queries import is_paused
from tasks.rules.diagnosis.causes.gateway_signs import dependency_of, orders_at, probe_of, signs_of
from tasks.rules.remediation.guards.every_action import DAY
from tasks.rules.remediation.guards.guard_inputs import GuardInputs

# So many of a release's last observations decide whether it is good.
DECIDING_COUNT = 3


def can_roll_back(planned: PlannedAction, inputs: GuardInputs) -> Verdict:  # noqa: ARG001
    if inputs.capabilities.cannot_roll_back:
        return Verdict.no(GuardCode.NOT_AVAILABLE, inputs.capabilities.cannot_roll_back)
    return Verdict.yes()


def gateways_healthy(planned: PlannedAction, inputs: GuardInputs) -> Verdict:  # noqa: ARG001
    """Roll back only while every gateway is known to be healthy: else the errors may be theirs.

    Steps: each answers a direct probe · none shows a sign of trouble in the last observation, or is marked · one that
    nobody measures now, since its class is paused or its health says nothing, was healthy when its orders were last
    measured. So a pause, ours or a person's, never makes this guard greener: not measured is not healthy.
    """
    if not inputs.latest.gateways:
        return Verdict.no(GuardCode.GATEWAYS_NOT_HEALTHY, "expected all gateways healthy, found none that was probed")
    alone = inputs.evidence.model_copy(update={"observations": (inputs.latest,)})
    signs = {**signs_of(alone), **signs_of(inputs.evidence)}
    names = dict.fromkeys((*(one.gateway for one in inputs.latest.gateways), *signs, *unmeasured(inputs.latest)))
    faults = [f"{name}: {fault}" for name in names if (fault := signs.get(name) or _gateway_fault(inputs, name))]
    if faults:
        detail = f"expected all gateways healthy, found {'; '.join(sorted(faults))}"
        return Verdict.no(GuardCode.GATEWAYS_NOT_HEALTHY, detail)
    return Verdict.yes("all gateways answer a direct probe")


def _gateway_fault(inputs: GuardInputs, name: str) -> str | None:
    """Say why a gateway that shows no sign of trouble is still not known to be healthy."""
    probe, told = probe_of(inputs.latest, name), dependency_of(inputs.latest, name)
    if probe is None or not probe.answers:
        return probe.detail if probe else "not probed"
    if told is not None and told.set_to in MARKED:
        return f"marked {told.set_to}"
    paused = unmeasured(inputs.latest).get(name, ())
    if probe.seen is Seen.PASSED and not paused:
        return None
    if any(order.outcome.delivered for order in orders_at(inputs.latest, name)):
        return None
    why = f"not measured, {', '.join(paused)} is paused" if paused else "it answers, and does not say how it is"
    return _measured_fault(inputs, name, why)


def unmeasured(observation: Observation) -> dict[str, tuple[AssetClass, ...]]:
    """Name the gateways whose orders nobody measures, since their class is paused, with these classes."""
    routes = observation.routing.routes if observation.routing else ()
    paused = {one.asset_class: one.gateway for one in routes if one.is_paused and one.gateway}
    paused |= {
        one.asset_class: one.gateway for one in observation.orders if one.gateway and is_paused(observation, one)
    }
    return {name: tuple(each for each, at in paused.items() if at == name) for name in paused.values()}


def _measured_fault(inputs: GuardInputs, name: str, why: str) -> str | None:
    """Judge a gateway by the last orders of ours that reached it; None where these were delivered in time."""
    orders = (order for past in reversed(inputs.evidence.context.history) for order in past.orders)
    last = next((one for one in orders if one.gateway == name and _REACHED_IT & _outcomes(one)), None)
    if last is None:
        return f"{why}, and no order of ours is known to have filled there"
    if not _outcomes(last) <= _DELIVERED:
        return f"{why}, and when last measured: {', '.join(sorted(last.outcomes))}"
    if last.latency_ms is None:
        return None
    took_ms = last.latency_ms - (last.own_ms or 0.0)
    slow = took_ms >= inputs.evidence.limits.gateway_slow_ms
    return f"{why}, and when last measured an order took {took_ms:.0f} ms there" if slow else None


def _outcomes(order: PastOrder) -> frozenset[str]:
    return frozenset(word.partition(":")[0] for word in order.outcomes)


_DELIVERED = frozenset(one.value for one in OrderOutcome if one.delivered)
_REACHED_IT = _DELIVERED | {OrderOutcome.REJECTED.value, OrderOutcome.UNKNOWN.value}


def not_rolled_back_before(planned: PlannedAction, inputs: GuardInputs) -> Verdict:  # noqa: ARG001
    """Never roll back twice in a day: worse means halt, not a deeper rollback."""
    count = inputs.history.count_since(Action.ROLL_BACK_RELEASE, inputs.now - DAY)
    if count:
        detail = f"rollbacks={count} limit=1 in a day; `runbook rearm` allows another"
        return Verdict.no(GuardCode.ROLLED_BACK_BEFORE, detail)
    return Verdict.yes()


def target_was_healthy(planned: PlannedAction, inputs: GuardInputs) -> Verdict:
    """Roll back only to a release that is here, and known to be good by its own record and by our observations."""
    target = planned.target.release
    if target is None or target not in inputs.capabilities.releases:
        kept = ", ".join(inputs.capabilities.releases) or "none"
        return Verdict.no(GuardCode.NO_GOOD_RELEASE, f"expected a kept release, found {target or 'none'}; kept: {kept}")
    fault = why_not_good(inputs, target)
    if fault:
        return Verdict.no(GuardCode.NO_GOOD_RELEASE, f"expected a release known to be good, found {target}: {fault}")
    return Verdict.yes(
        f"release {target} was healthy in its last {len(last_observations(inputs, target))} observations"
    )


def why_not_good(inputs: GuardInputs, release: str) -> str | None:
    """Say why a release is not known to be good; None where its own record and its last observations call it good.

    Steps: its own record decides first; then its last observations: a good one does not outweigh a later bad one.
    """
    own = inputs.capabilities.not_known_good.get(release)
    if own is not None:
        return f"by its own record, {own}"
    seen = last_observations(inputs, release)
    if not seen:
        return "it was never observed"
    bad = [one for one in seen if one.status != Status.OK]
    if bad:
        at = f"{bad[-1].at:%H:%M:%SZ}"
        return f"{bad[-1].status} at {at} ({', '.join(bad[-1].troubles) or 'no cause named'}), in its last observations"
    return None


def last_observations(inputs: GuardInputs, release: str) -> tuple[PastObservation, ...]:
    """List the last observations of a release, oldest first; where we were blind nothing was observed."""
    past = [one for one in inputs.evidence.context.history if one.release == release and one.status != Status.BLIND]
    return tuple(past[-DECIDING_COUNT:])


def same_features(planned: PlannedAction, inputs: GuardInputs) -> Verdict:
    """Roll back only to a release that was healthy with today's switches, as far as it knows them.

    A service that is down reports nothing; what the run before saw is in force still.
    """
    routing, history = inputs.latest.routing, inputs.evidence.context.history
    now = (routing.features if routing else {}) or next((one.features for one in reversed(history) if one.features), {})
    then = _last(planned, inputs).features
    differ = sorted(name for name, is_on in now.items() if name in then and then[name] != is_on)
    if differ:
        return Verdict.no(GuardCode.FEATURES_DIFFER, f"set otherwise since then: {', '.join(differ)}")
    return Verdict.yes("features as they were")


def same_routing(planned: PlannedAction, inputs: GuardInputs) -> Verdict:
    """Roll back only to a release that was healthy with today's routes, else with those of the run before."""
    routing, history = inputs.latest.routing, inputs.evidence.context.history
    told = {one.asset_class: one.gateway for one in routing.routes if one.gateway} if routing else {}
    now = told or next((one.routes for one in reversed(history) if one.routes), {})
    then = _last(planned, inputs).routes
    differ = sorted(name for name in now.keys() & then.keys() if now[name] != then[name])
    if differ:
        return Verdict.no(GuardCode.ROUTING_DIFFERS, f"routed otherwise since then: {', '.join(differ)}")
    return Verdict.yes("routes as they were")


def same_table(planned: PlannedAction, inputs: GuardInputs) -> Verdict:
    """Roll back only to a release that was healthy with the very routing table that it would run with.

    The table holds limits, price bands, timeouts and switches, so its whole content counts. The one in force, the one
    on disk that the next start reads, and the one of the release's last observation must be the same; a person may
    override this.
    """
    routing, then = inputs.latest.routing, _last(planned, inputs).table_hash
    in_force = routing.table_hash if routing else None
    on_disk = inputs.capabilities.live_table_hash or (routing.file_hash if routing else None)
    if then is None or (in_force is None and on_disk is None):
        what = f"the table that {planned.target.release} ran with" if then is None else "the table in force"
        return Verdict.no(
            GuardCode.ROUTING_DIFFERS, f"expected the same routing table as then, found no record of {what}"
        )
    hashes = {"in force": in_force, "on disk": on_disk, f"when {planned.target.release} was healthy": then}
    known = {name: table_hash for name, table_hash in hashes.items() if table_hash is not None}
    if len(set(known.values())) > 1:
        told = ", ".join(f"{table_hash[:12]} {name}" for name, table_hash in known.items())
        detail = f"expected the same routing table (limits, price bands, timeouts, features), found {told}"
        return Verdict.no(GuardCode.ROUTING_DIFFERS, detail)
    return Verdict.yes(f"routing table {then[:12]} as it was, and it stays")


def _last(planned: PlannedAction, inputs: GuardInputs) -> PastObservation:
    """Give the last healthy observation of the target; an empty one where there is none."""
    target, past = planned.target.release, inputs.evidence.context.history
    good = (one for one in reversed(past) if target and one.release == target and one.status == Status.OK)
    return next(good, PastObservation(at=inputs.now, status=Status.BLIND))
