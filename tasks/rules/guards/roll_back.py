"""The guards of a rollback (safety rule 7). Knight Capital, 2012: the rollback spread the fault.

Source: SEC release 34-70694 (2013), paragraphs 15 to 18: old code came back to life under a new flag.
"""

from tasks.model.diagnosis import Status
from tasks.model.incident import Action
from tasks.model.looks import Seen
from tasks.model.past_looks import PastLook
from tasks.model.plan import PlannedAction
from tasks.model.verdicts import GuardCode, Verdict
from tasks.rules.causes.gateway_signs import signs_of
from tasks.rules.guards.common import DAY
from tasks.rules.guards.facts import Facts


def can_roll_back(planned: PlannedAction, facts: Facts) -> Verdict:  # noqa: ARG001
    """Say whether the settings name a way to roll this service back."""
    if facts.setup.cannot_roll_back:
        return Verdict.no(GuardCode.NOT_AVAILABLE, facts.setup.cannot_roll_back)
    return Verdict.yes()


def gateways_healthy(planned: PlannedAction, facts: Facts) -> Verdict:  # noqa: ARG001
    """Roll back only while every gateway answers a direct probe: else the errors may be theirs."""
    sick = {one.gateway for one in facts.latest.gateways if one.seen is not Seen.PASSED} | set(signs_of(facts.evidence))
    if sick or not facts.latest.gateways:
        told = ", ".join(sorted(sick)) or "no gateway was probed"
        return Verdict.no(GuardCode.GATEWAYS_NOT_HEALTHY, f"expected all gateways healthy was {told}")
    return Verdict.yes("all gateways answer a direct probe")


def not_rolled_back_before(planned: PlannedAction, facts: Facts) -> Verdict:  # noqa: ARG001
    """Never roll back twice in a day: worse means halt, not a deeper rollback."""
    count = facts.history.count_since(Action.ROLL_BACK_RELEASE, facts.now - DAY)
    if count:
        return Verdict.no(GuardCode.ROLLED_BACK_BEFORE, f"rollbacks={count} limit=1 in a day; re-arm by hand")
    return Verdict.yes()


def target_was_healthy(planned: PlannedAction, facts: Facts) -> Verdict:
    """Roll back only to a release that is still here and that our own looks saw healthy."""
    target = planned.target.release
    good = healthy_looks(facts, target)
    if target is None or target not in facts.setup.releases or not good:
        kept = ", ".join(facts.setup.releases) or "none"
        was = f"{target or 'none'}, healthy_looks={len(good)}, kept: {kept}"
        return Verdict.no(GuardCode.NO_GOOD_RELEASE, f"expected a kept release that was seen healthy was {was}")
    return Verdict.yes(f"release {target} was healthy in {len(good)} looks")


def same_features(planned: PlannedAction, facts: Facts) -> Verdict:
    """Roll back only to a release that was healthy with today's switches, as far as it knows them.

    A service that is down tells nothing; what the run before saw is in force still.
    """
    good, routing, history = _good(planned, facts), facts.latest.routing, facts.evidence.context.history
    now = (routing.features if routing else {}) or next((one.features for one in reversed(history) if one.features), {})
    then = good[-1].features if good else {}
    differ = sorted(name for name, is_on in now.items() if name in then and then[name] != is_on)
    if differ:
        return Verdict.no(GuardCode.FEATURES_DIFFER, f"set otherwise since then: {', '.join(differ)}")
    return Verdict.yes("features as they were")


def same_routing(planned: PlannedAction, facts: Facts) -> Verdict:
    """Roll back only to a release that was healthy with today's routes, those of the run before where nobody tells."""
    good, routing, history = _good(planned, facts), facts.latest.routing, facts.evidence.context.history
    told = {one.asset_class: one.gateway for one in routing.routes if one.gateway} if routing else {}
    now = told or next((one.routes for one in reversed(history) if one.routes), {})
    then = good[-1].routes if good else {}
    differ = sorted(name for name in now.keys() & then.keys() if now[name] != then[name])
    if differ:
        return Verdict.no(GuardCode.ROUTING_DIFFERS, f"routed otherwise since then: {', '.join(differ)}")
    return Verdict.yes("routes as they were")


def _good(planned: PlannedAction, facts: Facts) -> tuple[PastLook, ...]:
    return healthy_looks(facts, planned.target.release)


def healthy_looks(facts: Facts, release: str | None) -> tuple[PastLook, ...]:
    """List the looks of the runs before in which a release was well, oldest first."""
    past = facts.evidence.context.history
    return tuple(one for one in past if release and one.release == release and one.status == Status.OK)
