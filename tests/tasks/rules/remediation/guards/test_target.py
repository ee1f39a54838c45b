"""What an action names is held to be a name before anything of it is recorded: midway it would block all others."""

import pytest

from tasks.model.incidents.incident import Action
from tasks.model.probes.control import ControlReason
from tasks.model.probes.orders import AssetClass
from tasks.model.remediation.plan import Request, Target
from tasks.model.remediation.verdicts import GuardCode
from tasks.rules.remediation.guards.evaluate import evaluate
from tests.fakes.incident.cases import inputs, planned

ASKED = Request(by="kim", reason="venue is back")
NO_NAMES = ("", " ", "\u200b", "a b", "a/b", "../a", "a\x00", "a\n", "-a", "é", "x" * 101, "\ud800")
NAMES = ("XNAS", "1.0.0", "1.0.0+build.5", "order_throttle", "alpha-7", "v1:2@b", "x" * 100)
NAMED = {
    Action.PAUSE_STRATEGIES: "strategy",
    Action.RESUME: "strategy",
    Action.MARK_DEGRADED: "gateway",
    Action.DISABLE_FEATURE: "feature",
    Action.ROLL_BACK_RELEASE: "release",
    Action.REROUTE_ORDERS: "gateway",
    Action.RESTORE_ROUTING: "table_hash",
}


def code_of(action: Action, **target: object) -> GuardCode:
    """What the guards say of a person's order on this target."""
    one = planned(action, target=Target.model_validate(target)).model_copy(update={"finding": None})
    return evaluate(one, inputs(asked=ASKED)).code


@pytest.mark.parametrize("action", NAMED)
@pytest.mark.parametrize("name", NO_NAMES)
def test_what_is_no_name_is_refused_before_anything_is_begun(action: Action, name: str) -> None:
    """Also for a pause: the control plane would refuse it a moment later, and the ledger would hold a half-done one."""
    also = {"asset_class": AssetClass.EQUITY} if action is Action.REROUTE_ORDERS else {}

    assert code_of(action, **{NAMED[action]: name}, **also) is GuardCode.BAD_TARGET


@pytest.mark.parametrize("action", NAMED)
@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_taken(action: Action, name: str) -> None:
    """Releases have plus signs, strategies have dashes."""
    also = {"asset_class": AssetClass.EQUITY} if action is Action.REROUTE_ORDERS else {}

    assert code_of(action, **{NAMED[action]: name}, **also) is not GuardCode.BAD_TARGET


@pytest.mark.parametrize(
    "action",
    [
        Action.PAUSE_STRATEGIES,
        Action.RESUME,
        Action.MARK_DEGRADED,
        Action.DISABLE_FEATURE,
        Action.REROUTE_ORDERS,
    ],
)
def test_an_action_that_lacks_what_it_is_for_is_refused(action: Action) -> None:
    """Nothing is guessed, and nothing raises midway."""
    assert code_of(action) is GuardCode.BAD_TARGET
    assert code_of(action, release="1.0.0") is GuardCode.BAD_TARGET


def test_an_action_that_is_for_the_whole_service_needs_no_name() -> None:
    """A restart is of the one service."""
    assert code_of(Action.RESTART_SERVICE) is GuardCode.ALLOWED


@pytest.mark.parametrize("text", ["\u200b", "\u00ad\u2060", "\u3164", "\u2800 \u115f", "\t\n "])
def test_words_that_nobody_can_see_are_no_words(text: str) -> None:
    """A change without a readable name is a change by nobody."""
    with pytest.raises(ValueError, match="words are expected"):
        ControlReason(reason="why", set_by=text)
    with pytest.raises(ValueError, match="words are expected"):
        ControlReason(reason=text)
