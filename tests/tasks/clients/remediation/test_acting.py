"""An action is recorded, done and recorded again: nothing that can fail lies between its beginning and the act."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr, TypeAdapter, ValidationError

import tasks.work.remediation.execute as module
from flows.forms import By, Reason
from tasks.clients.incidents.ledger import append, read_ledger
from tasks.model.diagnosis.diagnosis import Diagnosis, Status
from tasks.model.errors import CannotObserve, Code
from tasks.model.evidence.evidence import TriageRequest
from tasks.model.incidents.incident import Action, Event, IncidentState, Outcome
from tasks.model.probes.orders import AssetClass
from tasks.model.remediation.plan import Plan, PlannedAction, Request, Target
from tasks.model.remediation.remediation import ActionResult, Recovery, RemediationCase
from tasks.model.remediation.verdicts import GuardCode, Verdict
from tasks.rules.incidents.action_history import action_history
from tasks.rules.incidents.transitions import record_of
from tasks.rules.remediation.guards.back_off import trust_in
from tasks.rules.remediation.guards.guard_inputs import GuardInputs
from tasks.settings import RunbookSettings, ServiceSettings
from tasks.work.remediation.execute import ActionContext, ActionOutcome, execute
from tasks.work.remediation.recovery import _record
from tests.fakes.incident.cases import inputs, planned
from tests.fakes.incident.observations import process

SERVICE = "order-service"
PAUSE = planned(Action.PAUSE_STRATEGIES, target=Target(asset_class=AssetClass.EQUITY))
UNSEEN = ["\u200b", "\u00ad\u2060", "\u3164"]


def watching(folder: Path) -> RunbookSettings:
    """Settings of one service whose ledger lies in a folder."""
    service = ServiceSettings(incidents_file=folder / "incidents.jsonl", control_token=SecretStr("x" * 20))
    return RunbookSettings(state_dir=folder, services={SERVICE: service})


def by_hand(one: PlannedAction, by: str = "kim", reason: str = "venue is on fire") -> RemediationCase:
    """A person's order of one action."""
    now = datetime.now(UTC)
    return RemediationCase(
        request=TriageRequest(service=SERVICE),
        diagnosis=Diagnosis(status=Status.OK),
        plan=Plan(written_at=now, actions=(one,)),
        process=process(),
        asked=Request(by=by, reason=reason),
    )


async def act(context: ActionContext) -> ActionOutcome:
    """Do it, and say by whom the service was told that it is done."""
    return ActionOutcome(outcome=Outcome.DONE, detail=context.why.set_by)


@pytest.mark.parametrize("text", UNSEEN)
def test_a_form_does_not_take_a_name_or_a_reason_that_nobody_can_see(text: str) -> None:
    """Pasted from a chat it looks filled in, and the next shift finds a change by nobody."""
    for field in (By, Reason):
        with pytest.raises(ValidationError):
            TypeAdapter(field).validate_python(text)
    assert TypeAdapter(By).validate_python(" ada\u200b ") == "ada"


@pytest.mark.parametrize("text", UNSEEN)
async def test_a_pause_by_a_name_that_nobody_can_see_is_done_and_leaves_nothing_half_done(
    tmp_path: Path, text: str
) -> None:
    """Whatever door it came through: rule 8, and one odd letter must not stop all automation until a re-arm."""
    settings = watching(tmp_path)
    by_person = PAUSE.model_copy(update={"finding": None})

    result = await execute(settings, by_hand(by_person, text, text), by_person, act)

    records = read_ledger(settings.ledger(SERVICE)).records
    assert result.outcome is Outcome.DONE
    assert result.detail == "a person without a name"
    assert [one.event for one in records] == [Event.ACTION_STARTED, Event.ACTION_FINISHED]
    assert action_history(records, SERVICE, datetime.now(UTC)).half_done == ()


async def test_an_action_without_a_usable_target_is_refused_before_its_beginning_is_recorded(tmp_path: Path) -> None:
    """Also one of an automated plan."""
    settings = watching(tmp_path)
    nameless = planned(Action.PAUSE_STRATEGIES, target=Target(strategy="\x00"))

    result = await execute(settings, by_hand(nameless), nameless, act)

    assert result.code == "BAD_TARGET"
    assert read_ledger(settings.ledger(SERVICE)).records == ()


@pytest.mark.parametrize("code", [Code.LEDGER_UNREADABLE, Code.LEDGER_UNWRITABLE])
async def test_what_cannot_be_recorded_is_refused_and_the_run_goes_on_to_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: Code
) -> None:
    """The ledger went away after the plan: a run that breaks here tells nobody anything."""

    async def facts_now(*_: object) -> GuardInputs:
        if code is Code.LEDGER_UNREADABLE:
            raise CannotObserve(code, "expected the ledger was gone")
        return inputs()

    monkeypatch.setattr(module, "guard_inputs_now", facts_now)
    monkeypatch.setattr(module, "recheck", lambda *_: Verdict.yes())
    monkeypatch.setattr(module, "evaluate", lambda *_: Verdict.yes())
    (tmp_path / "incidents.jsonl").mkdir()
    restart = planned(Action.RESTART_SERVICE)
    result = await execute(watching(tmp_path), by_hand(restart), restart, act)

    assert (result.outcome, result.code) == (Outcome.REFUSED, GuardCode.NOT_RECORDED)
    assert code in result.detail


def test_a_recovery_that_is_proven_after_the_ledger_was_lost_is_told_and_recorded_once_it_is_back(
    tmp_path: Path,
) -> None:
    """The restart helped: that must not be lost with the run, nor stay a half-done action for ever."""
    settings = watching(tmp_path)
    restart = planned(Action.RESTART_SERVICE)
    incident = IncidentState(
        incident_id=restart.incident_id, service=SERVICE, state=Event.OPENED, opened_at=datetime.now(UTC)
    )
    case = by_hand(restart).model_copy(update={"incidents": (incident,)})
    opened = record_of(incident, Event.OPENED, datetime.now(UTC), "opened")
    append(settings.ledger(SERVICE), [opened])
    read_ledger(settings.ledger(SERVICE))
    (tmp_path / "incidents.jsonl").rename(tmp_path / "away")
    proof = Recovery(outcome=Outcome.RECOVERED, detail="health ok")
    _record(
        settings, case, ActionResult(planned=restart, outcome=Outcome.DONE, detail="started", recovery=proof), proof
    )
    (tmp_path / "away").rename(tmp_path / "incidents.jsonl")
    append(settings.ledger(SERVICE), [])

    events = [one.event for one in read_ledger(settings.ledger(SERVICE)).records]
    assert events == [Event.OPENED, Event.ACTION_FINISHED, Event.RECOVERED, Event.CLOSED]


async def test_what_an_action_was_for_and_since_when_is_recorded_and_counts_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Earned trust is read from the ledger, and from no memory: the words that are written are those that are read."""

    async def facts_now(*_: object) -> GuardInputs:
        return inputs()

    monkeypatch.setattr(module, "guard_inputs_now", facts_now)
    monkeypatch.setattr(module, "recheck", lambda *_: Verdict.yes())
    monkeypatch.setattr(module, "evaluate", lambda *_: Verdict.yes())
    settings, restart, since = (
        watching(tmp_path),
        planned(Action.RESTART_SERVICE),
        datetime(2026, 11, 23, 14, tzinfo=UTC),
    )
    incident = IncidentState(
        incident_id=restart.incident_id, service=SERVICE, state=Event.OPENED, opened_at=since, reopened_at=since
    )
    case = by_hand(restart).model_copy(update={"incidents": (incident,)})
    proof = Recovery(outcome=Outcome.RECOVERED, detail="health ok")
    for _ in range(2):
        result = await execute(settings, case, restart, act)
        _record(settings, case, result.model_copy(update={"recovery": proof}), proof)

    done = action_history(read_ledger(settings.ledger(SERVICE)).records, SERVICE, datetime.now(UTC)).actions
    trust = trust_in(restart, inputs(*done))
    assert [(one.cause, one.target, one.trouble_since) for one in done] == [("service_hung", "", since)] * 2
    assert trust
    assert (trust.done_count, trust.helped_count, trust.short_count) == (2, 2, 2)


async def test_a_person_s_own_order_earns_no_trust(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is for no cause that the automation has named."""

    async def facts_now(*_: object) -> GuardInputs:
        return inputs()

    monkeypatch.setattr(module, "guard_inputs_now", facts_now)
    monkeypatch.setattr(module, "recheck", lambda *_: Verdict.yes())
    monkeypatch.setattr(module, "evaluate", lambda *_: Verdict.yes())
    settings, order = watching(tmp_path), planned(Action.RESTART_SERVICE).model_copy(update={"finding": None})
    await execute(settings, by_hand(order), order, act)

    (done,) = action_history(read_ledger(settings.ledger(SERVICE)).records, SERVICE, datetime.now(UTC)).actions
    assert (done.cause, done.trouble_since) == ("", None)
