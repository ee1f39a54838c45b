"""The plan as a message tells it: what would be done, and nothing that cannot come."""

from tasks.model.diagnosis.diagnosis import Cause
from tasks.model.incidents.incident import Action
from tasks.model.incidents.modes import Mode
from tasks.model.probes.control import TradingState
from tasks.model.probes.orders import AssetClass
from tasks.model.remediation.plan import Plan, Target
from tasks.rules.remediation.planning.plan import make_plan
from tasks.rules.remediation.planning.plan_markdown import plan_lines, together
from tests.fakes.incident.cases import INCIDENT, inputs, planned


def _plan(mode: Mode) -> Plan:
    return make_plan(inputs(mode=mode), dict.fromkeys(Cause, INCIDENT))


def test_what_silence_would_mean_is_named_only_where_somebody_is_asked() -> None:
    """In mode *act* nobody is asked: who reads that four classes are paused if nobody answers looks for a question."""
    told = plan_lines(_plan(Mode.ACT).actions)
    asked = plan_lines(_plan(Mode.PROPOSE).actions)

    assert [line.partition(":")[0] for line in told] == ["1. restart service"]
    assert [line for line in asked if "nobody answers" in line] == [asked[-1]], "in one line, however many classes"
    assert asked[-1] == "If nobody answers: halt equity and fx"


def test_what_is_no_halt_keeps_its_own_words() -> None:
    """A class that may still close positions is not called halted, and a strategy is named."""
    reducing = Target(asset_class=AssetClass.FX, trading_state=TradingState.REDUCING)
    halted = Target(asset_class=AssetClass.EQUITY, trading_state=TradingState.HALTED)
    targets = (halted, reducing, Target(strategy="alpha"))

    assert together(tuple(planned(Action.PAUSE_STRATEGIES, target=one) for one in targets)) == (
        "halt equity, pause strategies fx reducing, pause strategies alpha"
    )
