"""With `[people]`, a command is given by the login on the host: refused in one line, recorded, and never a pause."""

import json
from pathlib import Path

import pytest

from deployments.commands import operator_action
from deployments.commands.automation import maintenance, mode, rearm
from deployments.commands.checks import accept
from deployments.commands.incidents import ack
from deployments.commands.operators import ordered
from tasks.clients.incidents.ledger import read_ledger
from tasks.clients.incidents.mode import current_mode
from tasks.model.diagnosis.diagnosis import Audience, Cause, Confidence, Diagnosis, Finding, Status
from tasks.model.errors import Code, RunbookError
from tasks.model.incidents.incident import Action, LedgerRecord
from tasks.model.incidents.modes import Mode
from tasks.model.remediation.operator_action import ManualAction
from tasks.model.remediation.plan import Request, Target
from tasks.model.remediation.verdicts import GuardCode
from tasks.record.record_incidents import incidents_recorded
from tasks.settings import RunbookSettings, load_settings
from tests.fakes.incident.observations import three

PEOPLE = """
[people.ada]
name = "Ada"
role = "admin"
logins = ["ada"]
[people.bob]
name = "Bob"
role = "responder"
logins = ["bob"]
[people.cy]
name = "Cy"
role = "approver"
logins = ["cy"]
"""


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunbookSettings:
    """A service with people, and one open incident."""
    config = tmp_path / "runbook.toml"
    config.write_text(f'state_dir = "{tmp_path}"\nfour_eyes = ["resume"]\n[services.order-service]\n{PEOPLE}', "utf-8")
    monkeypatch.setenv("RUNBOOK_CONFIG", str(config))
    loaded = load_settings()
    finding = Finding(
        cause=Cause.SERVICE_HUNG, confidence=Confidence.CONFIRMED, because=("x",), section="§2.1", tier=Audience.TIER_1
    )
    incidents_recorded(loaded, three(), Diagnosis(status=Status.CRITICAL, findings=(finding,)))
    return loaded


def login(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr("deployments.commands.operators.host_login", lambda: name)


def records(settings: RunbookSettings, kind: str) -> list[LedgerRecord]:
    return [one for one in read_ledger(settings.ledger("order-service")).records if one.type == kind]


def order(action: Action, *overrides: GuardCode, by: str = "root") -> ManualAction:
    asked = Request(by=by, reason="the venue says so", overrides=overrides)
    return ManualAction(service="order-service", action=action, asked=asked, targets=(Target(asset_class="equity"),))


def code_of(error: "pytest.ExceptionInfo[RunbookError]") -> Code:
    return error.value.code


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("eve", ack),
        ("bob", lambda: mode(Mode.ACT)),
        ("cy", lambda: mode(Mode.ACT)),
        ("eve", lambda: mode(Mode.OBSERVE)),
        ("bob", lambda: rearm(reason="found it")),
        ("bob", lambda: maintenance["start"].default_command(for_="30m", reason="work")),
        ("bob", maintenance["end"].default_command),
        ("bob", lambda: accept("latency")),
        ("bob", lambda: operator_action.restart(reason="it hangs")),
        ("bob", lambda: operator_action.roll_back(reason="it is bad")),
        ("bob", lambda: operator_action.reroute("equity", reason="it is bad")),
        ("cy", lambda: operator_action.restart(reason="it hangs", override=("MODE_FORBIDS",))),
    ],
)
def test_a_command_that_a_role_does_not_cover_is_refused_and_recorded(
    settings: RunbookSettings, monkeypatch: pytest.MonkeyPatch, name: str, command: object
) -> None:
    """One line for the person, one in the ledger, and nothing changes."""
    assert callable(command)
    login(monkeypatch, name)

    with pytest.raises(RunbookError) as error:
        command()

    assert code_of(error) is Code.NOT_PERMITTED
    assert f"login {name}" in str(error.value)
    assert [one.details["door"] for one in records(settings, "not_permitted")] == [f"login {name}"]
    assert current_mode(settings) is settings.mode


def test_an_acknowledgement_names_the_person_and_not_the_claim(
    settings: RunbookSettings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The ledger says who it was."""
    login(monkeypatch, "bob")
    with pytest.raises(SystemExit):
        ack(by="Ada", json_output=True)

    assert json.loads(capsys.readouterr().out)["acknowledged_by"] == "Bob (typed: Ada)"
    assert settings.people


def test_a_responder_takes_the_hands_of_the_automation_off(
    settings: RunbookSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To be more careful is never the right of a few."""
    login(monkeypatch, "bob")
    mode(Mode.OBSERVE)

    assert current_mode(settings) is Mode.OBSERVE


@pytest.mark.parametrize("action", [Action.PAUSE_STRATEGIES, Action.MARK_DEGRADED, Action.DISABLE_FEATURE])
def test_what_tightens_is_never_refused_at_a_shell(
    settings: RunbookSettings, monkeypatch: pytest.MonkeyPatch, action: Action
) -> None:
    """Safety rule 8: whoever sees that orders go wrong stops them, also without a ledger."""
    settings.ledger_path("order-service").write_bytes(b"")
    login(monkeypatch, "eve")

    assert ordered(settings, order(action, by="eve2")).asked.by == "eve2 (not proven; login eve)"
    assert records_left(settings) == b""


def records_left(settings: RunbookSettings) -> bytes:
    return settings.ledger_path("order-service").read_bytes()


@pytest.mark.parametrize(
    ("name", "wanted", "needs"),
    [
        ("bob", order(Action.RESTART_SERVICE), "approver"),
        ("eve", order(Action.ROLL_BACK_RELEASE), "approver"),
        ("cy", order(Action.RESTART_SERVICE, GuardCode.MODE_FORBIDS), "admin"),
        ("eve", order(Action.MARK_DEGRADED, GuardCode.MODE_FORBIDS), "responder"),
    ],
)
def test_an_order_without_the_right_is_refused_recorded_and_reported(
    settings: RunbookSettings, monkeypatch: pytest.MonkeyPatch, name: str, wanted: ManualAction, needs: str
) -> None:
    """The tier of the open incident reads once who tried what."""
    login(monkeypatch, name)
    for _ in range(2):
        with pytest.raises(RunbookError) as error:
            ordered(settings, wanted)

    assert code_of(error) is Code.NOT_PERMITTED
    assert f"expected the role {needs}" in str(error.value)
    assert len(records(settings, "not_permitted")) == 2
    told = settings.notifications_path.read_text("utf-8") if settings.notifications_path.exists() else ""
    assert told.count("Nothing was done.") == (0 if needs == "responder" else 1)


def test_an_order_names_the_person_who_is_proven(settings: RunbookSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """`sudo` runs it as root, and root is nobody's name."""
    monkeypatch.setattr("deployments.commands.operators.person", lambda _: "root")
    login(monkeypatch, "cy")

    assert ordered(settings, order(Action.RESTART_SERVICE)).asked.by == "Cy"
    assert ordered(settings, order(Action.RESTART_SERVICE, by="Ada")).asked.by == "Cy (typed: Ada)"


def test_four_eyes_hold_an_order_back_until_another_person_gives_it(
    settings: RunbookSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once by one person, twice by the same one, then by another: carried out once, as by both."""
    monkeypatch.setattr("deployments.commands.operators.person", lambda _: "root")
    login(monkeypatch, "ada")
    for _ in range(2):
        with pytest.raises(RunbookError) as error:
            ordered(settings, order(Action.RESUME))
        assert code_of(error) is Code.SECOND_PERSON_NEEDED

    assert "expected two people for resume equity, found Ada alone, nothing is done yet" in str(error.value)
    login(monkeypatch, "cy")
    assert ordered(settings, order(Action.RESUME)).asked.by == "Ada and Cy"
    with pytest.raises(RunbookError) as again:
        ordered(settings, order(Action.RESUME))
    assert code_of(again) is Code.SECOND_PERSON_NEEDED


def test_without_people_nothing_is_asked(settings: RunbookSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """As before, to the word."""
    monkeypatch.setattr("deployments.commands.operators.host_login", lambda: pytest.fail("nobody needs the login"))
    free = settings.model_copy(update={"people": {}, "four_eyes": ()})

    assert ordered(free, order(Action.RESUME)) == order(Action.RESUME)
