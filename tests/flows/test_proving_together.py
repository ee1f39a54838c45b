"""Re-routes do not wait for each other's proof: all are made, the desk reads it, then they are proven together."""

import pytest

import flows.remediation
from flows.remediation import carry_out
from tasks.model.diagnosis.diagnosis import Audience, Diagnosis, Status
from tasks.model.evidence.evidence import TriageRequest
from tasks.model.incidents.incident import Action, IncidentState, Outcome
from tasks.model.messages.messages import Message
from tasks.model.probes.control import TradingState
from tasks.model.probes.orders import AssetClass
from tasks.model.remediation.plan import Due, Plan, PlannedAction, Target
from tasks.model.remediation.remediation import ActionResult, Recovery, RemediationCase
from tasks.model.remediation.verdicts import Verdict
from tasks.rules.remediation.planning.propose import instead
from tests.fakes.incident.cases import INCIDENT, planned, unreachable
from tests.fakes.incident.observations import NOW, process

CLASSES = (AssetClass.EQUITY, AssetClass.FX)


def step(action: Action, target: Target) -> PlannedAction:
    """One action that every guard allows."""
    one = planned(action, unreachable("XNAS", "FXALL", classes=CLASSES), target)
    return one.model_copy(update={"verdict": Verdict.yes()})


def reroute(name: AssetClass) -> PlannedAction:
    """Lead one class elsewhere."""
    return step(Action.REROUTE_ORDERS, Target(asset_class=name, gateway="XNYS"))


def else_pause(name: AssetClass) -> PlannedAction:
    """Pause it where that is not done, or did not help."""
    halt = step(Action.PAUSE_STRATEGIES, Target(asset_class=name, trading_state=TradingState.HALTED))
    return instead(halt, Due.IF_NOT_DONE, reroute(name))


CASE = RemediationCase(
    request=TriageRequest(service="order-service"),
    diagnosis=Diagnosis(status=Status.CRITICAL),
    process=process(),
    plan=Plan(written_at=NOW, actions=tuple(one for name in CLASSES for one in (reroute(name), else_pause(name)))),
    incidents=(IncidentState(incident_id=INCIDENT, service="order-service", state="opened", opened_at=NOW),),
)


class Day:
    """The steps of a remediation, each written down instead of taken."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, proof: Outcome) -> None:
        self.proof = proof
        self.happened: list[str] = []
        self.told: list[Message] = []
        steps = dict.fromkeys(Action, self.act)
        monkeypatch.setattr(flows.remediation, "STEPS", steps)
        monkeypatch.setattr(flows.remediation, "confirm_recovery", self.confirm_recovery)
        monkeypatch.setattr(flows.remediation, "escalation", self.escalation)
        monkeypatch.setattr(flows.remediation, "take_snapshot", lambda _: None)

    async def act(self, _: RemediationCase, one: PlannedAction) -> ActionResult:
        """Take one action."""
        self.happened.append(f"{one.action} {one.target.asset_class}")
        return ActionResult(planned=one, outcome=Outcome.DONE, detail="done")

    async def confirm_recovery(self, _: RemediationCase, result: ActionResult) -> ActionResult:
        """Prove one effect."""
        self.happened.append(f"prove {result.planned.target.asset_class}")
        return result.model_copy(update={"recovery": Recovery(outcome=self.proof, detail="seen")})

    async def escalation(self, _: str, messages: tuple[Message, ...]) -> None:
        """Notify."""
        self.happened.append("notify")
        self.told += messages


async def test_all_classes_are_led_elsewhere_and_the_desk_reads_it_before_any_proof(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each proof may take two minutes; the orders of the second class cannot wait for that of the first."""
    day = Day(monkeypatch, Outcome.RECOVERED)

    result = await carry_out(CASE)

    acted = ["reroute_orders equity", "reroute_orders fx"]
    assert day.happened == [*acted, "notify", "prove equity", "prove fx"]
    (notice,) = day.told
    assert notice.audience is Audience.DESK
    assert notice.text == "New equity and fx orders go to XNYS. Orders already sent stay where they are."
    assert [one.proven for one in result.actions] == [Outcome.RECOVERED] * 2


async def test_a_class_whose_re_route_did_not_help_is_paused_after_the_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was done is not what helped: the pause that stands in for it is due then."""
    day = Day(monkeypatch, Outcome.NOT_RECOVERED)

    result = await carry_out(CASE)

    assert day.happened[-2:] == ["pause_strategies equity", "pause_strategies fx"]
    assert len(day.happened) == 7
    assert len(result.actions) == 4
