"""An action is recorded, done and recorded again: nothing that can fail lies between its beginning and the deed."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr, TypeAdapter, ValidationError

from flows.forms import By, Reason
from tasks.clients import acting
from tasks.clients.acting import Done, Scene, carried_out
from tasks.clients.incident_ledger import append, read_ledger
from tasks.confirm_recovery import _record
from tasks.model.diagnosis import Diagnosis, Status
from tasks.model.errors import CannotLook, Code
from tasks.model.evidence import TriageRequest
from tasks.model.incident import Action, Event, IncidentState, Outcome
from tasks.model.orders import AssetClass
from tasks.model.plan import Plan, PlannedAction, Request, Target
from tasks.model.remediation import ActionResult, Recovery, RemediationCase
from tasks.model.verdicts import GuardCode, Verdict
from tasks.rules.action_history import action_history
from tasks.rules.guards.facts import Facts
from tasks.rules.incident_changes import record_of
from tasks.settings import RunbookSettings, ServiceSettings
from tests.fakes.cases import facts, planned
from tests.fakes.looks import process

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


async def deed(scene: Scene) -> Done:
    """Do it, and say by whom the service was told that it is done."""
    return Done(outcome=Outcome.DONE, detail=scene.why.set_by)


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

    result = await carried_out(settings, by_hand(by_person, text, text), by_person, deed)

    records = read_ledger(settings.ledger(SERVICE)).records
    assert result.outcome is Outcome.DONE
    assert result.detail == "a person without a name"
    assert [one.event for one in records] == [Event.ACTION_STARTED, Event.ACTION_FINISHED]
    assert action_history(records, SERVICE, datetime.now(UTC)).half_done == ()


async def test_an_action_without_a_usable_target_is_refused_before_its_beginning_is_recorded(tmp_path: Path) -> None:
    """Also one of an automated plan."""
    settings = watching(tmp_path)
    nameless = planned(Action.PAUSE_STRATEGIES, target=Target(strategy="\x00"))

    result = await carried_out(settings, by_hand(nameless), nameless, deed)

    assert result.code == "BAD_TARGET"
    assert read_ledger(settings.ledger(SERVICE)).records == ()


@pytest.mark.parametrize("code", [Code.LEDGER_UNREADABLE, Code.LEDGER_UNWRITABLE])
async def test_what_cannot_be_recorded_is_refused_and_the_run_goes_on_to_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: Code
) -> None:
    """The ledger went away after the plan: a run that breaks here tells nobody anything."""

    async def facts_now(*_: object) -> Facts:
        if code is Code.LEDGER_UNREADABLE:
            raise CannotLook(code, "expected the ledger was gone")
        return facts()

    monkeypatch.setattr(acting, "facts_now", facts_now)
    monkeypatch.setattr(acting, "still_there", lambda *_: Verdict.yes())
    monkeypatch.setattr(acting, "weigh", lambda *_: Verdict.yes())
    (tmp_path / "incidents.jsonl").mkdir()
    restart = planned(Action.RESTART_SERVICE)
    result = await carried_out(watching(tmp_path), by_hand(restart), restart, deed)

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
