"""Every action from a shell, without Prefect: the guards, lock, ledger, proof and messages of the forms."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import tasks.work.remediation.operator_action as ordering
import tasks.work.remediation.restart as restarting
from deployments.commands import operator_action as shell
from deployments.stack.local_http import ask
from tasks.clients.incidents.ledger import read_ledger
from tasks.clients.incidents.mode import set_mode
from tasks.clients.locks import host_lock
from tasks.clients.messages.local_file import read_deliveries
from tasks.clients.process.probe import service_identity
from tasks.model.diagnosis.diagnosis import Audience
from tasks.model.errors import RunbookError
from tasks.model.incidents.incident import Action, Event, LedgerRecord
from tasks.model.incidents.modes import Mode
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.processes import ProcessCheck
from tasks.model.reports.progress import Progress
from tasks.rules.incidents.action_history import ActionHistory, action_history
from tasks.rules.incidents.fold import fold_incidents
from tasks.settings import ServiceSettings
from tasks.work.remediation.execute import ActionOutcome
from tests.fakes.incident.dying_run import KILLED
from tests.fakes.service.monitored_service import Patient, running

pytestmark = [pytest.mark.live, pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")]
NAME = "order-service"
EQUITY = AssetClass.EQUITY
WHO: dict[str, Any] = {"reason": "the venue says so", "by": "ada"}
# The tests run on weekends, too.
AT_ANY_HOUR = ("MARKET_CLOSED",)
IN_MAIN_THREAD = pytest.mark.skipif(
    threading.current_thread() is not threading.main_thread(), reason="signals reach the main thread"
)


@pytest.fixture
def patient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Patient]:
    """A running healthy stub with a control plane and two gateways that answer, watched from the environment."""
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    with running(tmp_path / "venue") as venue:
        gateways = {name: {"base_url": venue.service.url, "asset_classes": ["equity"]} for name in ("XNAS", "XNYS")}
        with running(tmp_path, control_token="any", gateways=gateways) as one:
            one.watch_from_the_environment(monkeypatch)
            yield one


def typed(command: Callable[..., None], *words: object, **options: Any) -> int:
    """Give a command and say with what it exits."""
    with pytest.raises(SystemExit) as ended:
        command(*words, **{**WHO, **options})
    return int(ended.value.code or 0)


def records(patient: Patient) -> tuple[LedgerRecord, ...]:
    return read_ledger(patient.ledger).records


def history(patient: Patient) -> ActionHistory:
    return action_history(records(patient), NAME, datetime.now(UTC))


def told(patient: Patient, audience: Audience) -> list[str]:
    found = read_deliveries(patient.settings.notifications_path)
    return [one.text for one in found if one.audience is audience]


def shown(patient: Patient) -> dict[str, Any]:
    return dict(ask(f"{patient.service.url}/routing") or {})


@contextmanager
def held(patient: Patient) -> Iterator[None]:
    """Hold the lock as the minute's run does."""
    lease = host_lock.take(patient.settings.state_dir, NAME, 'run "order-service hung"', datetime.now(UTC))
    try:
        yield
    finally:
        host_lock.release(patient.settings.state_dir, lease)


def test_a_restart_is_announced_proven_reported_and_ends_its_own_incident(
    patient: Patient, capsys: pytest.CaptureFixture[str]
) -> None:
    """With Prefect away a person restarts as the form does: the ledger says who, why, and what came of it."""
    code = typed(shell.restart)

    out, err = capsys.readouterr()
    identity, (incident,) = service_identity(patient.service), fold_incidents(records(patient), NAME)
    started = next(one for one in records(patient) if one.event == Event.ACTION_STARTED)
    assert code == 0
    assert out.startswith("order-service: restart service: recovered.")
    assert "waiting for the new process to answer" in err
    assert identity
    assert identity.pid != patient.pid
    assert not incident.is_open
    assert [one.outcome for one in incident.actions] == ["recovered"]
    assert (started.details["asked_by"], started.details["reason"]) == ("ada", "the venue says so")
    assert told(patient, Audience.TIER_1)[0].startswith(
        "Manual action by ada: restart service. Reason: the venue says so."
    )
    assert "order-service recovered at " in told(patient, Audience.TIER_1)[-1]
    assert len(told(patient, Audience.DESK)) == 1
    minute_ago = datetime.now(UTC) - timedelta(minutes=1)
    assert history(patient).count_since(Action.RESTART_SERVICE, minute_ago) == 1
    assert list((patient.settings.state_dir / "evidence").rglob("*"))


def test_a_restart_beside_a_run_that_acts_is_skipped_and_names_it(
    patient: Patient, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rule 3: skipped and not queued; once the run is over nothing comes after it."""
    with held(patient):
        code = typed(shell.restart)
    identity, out = service_identity(patient.service), capsys.readouterr().out
    assert code == 1
    assert 'refused. LOCK_HELD: blocked by run "order-service hung" since ' in out
    assert identity
    assert identity.pid == patient.pid
    assert Event.ACTION_STARTED not in [one.event for one in records(patient)]
    assert not any(one.is_open for one in fold_incidents(records(patient), NAME))


def test_the_switch_holds_for_people_unless_they_name_it(patient: Patient, capsys: pytest.CaptureFixture[str]) -> None:
    """Rule 12: what is overridden is recorded and told, and the document names it."""
    set_mode(patient.settings, Mode.OBSERVE)
    refused = typed(shell.reroute, EQUITY, gateway="XNYS", override=AT_ANY_HOUR)
    first, _ = capsys.readouterr()
    done = typed(shell.reroute, EQUITY, gateway="XNYS", override=(*AT_ANY_HOUR, "mode-forbids"), json_output=True)
    document = json.loads(capsys.readouterr().out)

    assert refused == 1
    assert "reroute orders: refused. MODE_FORBIDS: " in first
    assert done == 0
    assert (document["action"], document["outcome"], document["asked_by"]) == ("reroute_orders", "recovered", "ada")
    assert document["actions"][0]["target"] == "equity XNYS"
    assert "MODE_FORBIDS" in document["actions"][0]["passed_by"]
    assert shown(patient)["asset_classes"]["equity"]["gateway"] == "XNYS"
    assert any("MODE_FORBIDS." in text for text in told(patient, Audience.TIER_1))


def test_a_re_route_without_a_gateway_goes_back_to_the_table_s_own(patient: Patient) -> None:
    """The form has a field for it; the shell needs no more than the class."""
    assert typed(shell.reroute, EQUITY, gateway="XNYS", override=AT_ANY_HOUR) == 0
    assert typed(shell.reroute, EQUITY, override=AT_ANY_HOUR) == 0

    assert shown(patient)["asset_classes"]["equity"]["gateway"] == "XNAS"


def test_what_tightens_waits_for_no_lock_and_no_mode(patient: Patient) -> None:
    """Rule 8: a mark and a feature that is switched off pass in mode observe, beside a run that acts."""
    set_mode(patient.settings, Mode.OBSERVE)
    with held(patient):
        marked = typed(shell.mark_degraded, "XNAS")
        off = typed(shell.disable_feature, "order_throttle")

    assert (marked, off) == (0, 0)
    assert shown(patient)["gateways"]["XNAS"]["state"] == "degraded"
    assert shown(patient)["features"]["order_throttle"]["enabled"] is False
    started = [one for one in records(patient) if one.event == Event.ACTION_STARTED]
    assert all('held by run "order-service hung"' in one.details["lock"] for one in started)


@pytest.mark.usefixtures("patient")
def test_a_rollback_that_nobody_set_up_is_refused_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 1, the guard and what to set."""
    assert typed(shell.roll_back, "0.9.0") == 1

    assert "roll back release: refused. NOT_AVAILABLE: expected roll_back_command" in capsys.readouterr().out


def test_nothing_is_restarted_that_cannot_be_recorded(patient: Patient) -> None:
    """The ledger is the budget: without it nobody knows what was done before."""
    patient.ledger.unlink(missing_ok=True)
    patient.ledger.mkdir(parents=True)
    with pytest.raises(RunbookError, match="LEDGER_UN"):
        shell.restart(**WHO)

    identity = service_identity(patient.service)
    assert identity
    assert identity.pid == patient.pid


@pytest.mark.parametrize(
    "options", [{"override": ("NOPE",)}, {"by": "\u200b"}, {"reason": " "}, {"service": "another"}], ids=str
)
def test_what_cannot_be_read_is_one_clear_error_and_nothing_is_written(patient: Patient, options: Any) -> None:
    """A slip of the pen at 3 a.m. changes nothing."""
    with pytest.raises(RunbookError, match=r"expected "):
        shell.restart(**{**WHO, **options})

    assert not patient.ledger.exists()


def interrupted_in(monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """Press Ctrl-C while the process is replaced; again once the first was heeded, for two at once are one signal."""
    replaced, heeded = restarting.replaced, threading.Event()

    def slowly(service: ServiceSettings, process: ProcessCheck, report: Any) -> ActionOutcome:
        for _ in range(times):
            os.kill(os.getpid(), signal.SIGINT)
            assert heeded.wait(60)
            time.sleep(0.5)
        return replaced(service, process, report)

    monkeypatch.setattr(ordering, "Progress", lambda **fields: heeded.set() or Progress(**fields))
    monkeypatch.setattr(restarting, "replaced", slowly)


@IN_MAIN_THREAD
def test_an_interrupted_restart_ends_first_and_its_end_is_known(
    patient: Patient, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C in the middle: nobody is left with a service that was stopped and not started."""
    interrupted_in(monkeypatch, times=1)
    code = typed(shell.restart)

    _, err = capsys.readouterr()
    (action,), (incident,) = history(patient).actions, fold_incidents(records(patient), NAME)
    identity = service_identity(patient.service)
    assert code == 130
    assert "interrupted: what was begun ends first" in err
    assert err.splitlines()[-1].startswith("Interrupted: restart service began at ")
    assert err.splitlines()[-1].endswith(": done, and not followed up; `runbook check` says how the service is.")
    assert action.outcome == "done"
    assert incident.is_open
    assert identity
    assert identity.pid != patient.pid
    assert host_lock.holder_of(patient.settings.state_dir, NAME) is None


@IN_MAIN_THREAD
def test_a_restart_that_is_interrupted_twice_is_half_done_and_blocks_the_next(
    patient: Patient, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rule 4: whoever insists leaves it, and the ledger says that its end is not known."""
    interrupted_in(monkeypatch, times=2)
    code = typed(shell.restart)
    monkeypatch.undo()
    first = capsys.readouterr().err

    assert code == 130
    assert first.splitlines()[-1].endswith("and its end is not known; check the service, then `runbook rearm`.")
    assert [one.action for one in history(patient).half_done] == ["restart_service"]


@IN_MAIN_THREAD
def test_a_command_that_is_interrupted_before_it_acts_begins_nothing(
    patient: Patient, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C while it checks is a change of mind."""

    async def waits(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.sleep(5)

    monkeypatch.setattr(ordering, "execute", waits)

    assert typed(shell.restart) == 130
    assert capsys.readouterr().err.splitlines()[-1] == "Interrupted: nothing of restart service was begun."
    assert Event.ACTION_STARTED not in [one.event for one in records(patient)]
    assert host_lock.holder_of(patient.settings.state_dir, NAME) is None


@pytest.mark.parametrize(
    ("step", "detail"),
    [("started", "its end is not known"), ("deed", "its end is not known"), ("finished", "never proven")],
)
def test_a_killed_restart_is_found_and_not_repeated(
    patient: Patient, capsys: pytest.CaptureFixture[str], step: str, detail: str
) -> None:
    """Rule 4, kill -9 between two steps: the next order is refused by name, and the lock blocks nobody."""
    command = [sys.executable, "-m", "tests.fakes.incident.dying_shell", step]
    killed = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert killed.returncode == KILLED, killed.stderr

    code = typed(shell.restart)

    found = [one for one in records(patient) if one.event == Event.ACTION_STARTED]
    assert code == 1
    assert "restart service: refused. HALF_DONE_ACTION: action=restart_service" in (out := capsys.readouterr().out)
    assert detail in out
    assert len(found) == 1
    assert host_lock.holder_of(patient.settings.state_dir, NAME) is None
