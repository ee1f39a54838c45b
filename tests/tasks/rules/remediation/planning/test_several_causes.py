"""Several causes in one plan: one healing action a run, and each pause for what it stands in for."""

from tasks.model.diagnosis.diagnosis import Cause, Finding, Kind
from tasks.model.incidents.incident import Action
from tasks.model.incidents.modes import Mode
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import Seen
from tasks.model.remediation.capabilities import Capabilities
from tasks.model.remediation.plan import Due, Plan
from tasks.model.remediation.verdicts import GuardCode
from tasks.rules.remediation.guards.guard_inputs import GuardInputs
from tasks.rules.remediation.planning.plan import make_plan
from tests.fakes.incident.cases import INCIDENT, ROUTES, finding, inputs, seen, unreachable
from tests.fakes.incident.observations import gateway


def plan_of(given: GuardInputs) -> Plan:
    """Plan with one incident for all causes."""
    return make_plan(given, dict.fromkeys(Cause, INCIDENT))


def misrouted(*kinds: Kind, classes: tuple[AssetClass, ...] = (AssetClass.EQUITY,)) -> Finding:
    """A routing table that leads wrong."""
    return finding(Cause.ROUTING_MISCONFIGURED, kinds=kinds, asset_classes=classes)


def test_two_healing_actions_are_never_taken_in_one_run() -> None:
    """Nobody could say which one helped; the second waits for the next check."""
    leaking = finding(Cause.RESOURCE_EXHAUSTED, kinds=(Kind.MEMORY,))
    others = {
        Action.DISABLE_FEATURE: finding(Cause.BAD_FEATURE, feature="order_throttle"),
        Action.ROLL_BACK_RELEASE: finding(Cause.BAD_RELEASE, release="1.1.0", kinds=(Kind.ERRORS,)),
        Action.RESTORE_ROUTING: misrouted(Kind.LATENT, classes=()),
    }
    for action, bad in others.items():
        for mode in (Mode.ACT, Mode.PROPOSE):
            alone, *_ = plan_of(inputs(found=(bad,), mode=mode)).actions
            (second,) = [
                one for one in plan_of(inputs(found=(leaking, bad), mode=mode)).actions if one.action is action
            ]

            assert alone.verdict.code is (GuardCode.ALLOWED if mode is Mode.ACT else GuardCode.APPROVAL_NEEDED)
            assert second.verdict.code is GuardCode.ONE_AT_A_TIME


def test_a_healing_action_that_a_guard_forbids_holds_up_no_other() -> None:
    """What is not done can neither help nor harm."""
    leaking = finding(Cause.RESOURCE_EXHAUSTED, kinds=(Kind.MEMORY,))
    bad = finding(Cause.BAD_FEATURE, feature="order_throttle")
    plan = plan_of(inputs(found=(leaking, bad), capabilities=Capabilities(cannot_restart="no start_command")))

    codes = {one.action: one.verdict.code for one in plan.actions if one.due is Due.ALWAYS}
    assert codes == {Action.RESTART_SERVICE: GuardCode.NOT_AVAILABLE, Action.DISABLE_FEATURE: GuardCode.ALLOWED}


def test_a_class_that_is_paused_in_any_case_is_not_planned_to_be_paused_perhaps_as_well() -> None:
    """A crash loop beside a dead gateway: the plan names each class once."""
    names = [one for pair in ROUTES.values() for one in pair]
    dead = tuple(gateway(one, Seen.FAILED if one == "XNAS" else Seen.PASSED) for one in names)
    both = inputs(found=(finding(Cause.CRASH_LOOP), unreachable("XNAS")), seen=seen(gateways=dead))

    pauses = [(one.target.words, one.due) for one in plan_of(both).actions if one.action is Action.PAUSE_STRATEGIES]

    assert pauses == [("equity halted", Due.ALWAYS), ("fx halted", Due.ALWAYS)]


def test_a_pause_that_stands_in_for_two_actions_waits_for_each_of_them() -> None:
    """The feature may be switched off without effect, or the release be rolled back without effect."""
    feature = finding(Cause.BAD_FEATURE, feature="order_throttle", asset_classes=(AssetClass.EQUITY,))
    release = finding(Cause.BAD_RELEASE, release="1.1.0", kinds=(Kind.ERRORS,))
    plan = plan_of(inputs(found=(feature, release))).actions

    others = [one.other for one in plan if one.target.words == "equity halted"]

    assert others == [one.key for one in plan if one.due is Due.ALWAYS]
