"""The plan as a message tells it: what would be done, and nothing that cannot come."""

from tasks.model.diagnosis import Cause
from tasks.model.modes import Mode
from tasks.model.plan import Plan
from tasks.rules.planning.markdown import plan_lines
from tasks.rules.planning.plan import make_plan
from tests.fakes.cases import INCIDENT, facts


def _plan(mode: Mode) -> Plan:
    return make_plan(facts(mode=mode), dict.fromkeys(Cause, INCIDENT))


def test_what_silence_would_mean_is_named_only_where_somebody_is_asked() -> None:
    """In mode *act* nobody is asked: who reads that four classes are paused if nobody answers looks for a question."""
    told = plan_lines(_plan(Mode.ACT).actions)
    asked = plan_lines(_plan(Mode.PROPOSE).actions)

    assert [line.partition(":")[0] for line in told] == ["1. restart service"]
    assert any("only if nobody answers" in line for line in asked)
