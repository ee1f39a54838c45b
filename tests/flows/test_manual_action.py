"""The doors for people in an incident: each form through Prefect, against a service that is a real process."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from deployments.stack.local_http import ask
from flows import manual_action
from tasks.clients.incidents.ledger import append, read_ledger
from tasks.clients.incidents.mode import set_mode
from tasks.clients.locks import host_lock
from tasks.clients.messages.local_file import read_deliveries
from tasks.clients.process.probe import service_identity
from tasks.model.diagnosis.diagnosis import Audience, Cause
from tasks.model.errors import RunbookError
from tasks.model.incidents.incident import Action, Event, IncidentState, LedgerRecord, Source
from tasks.model.incidents.modes import Mode
from tasks.model.probes.orders import AssetClass
from tasks.model.remediation.operator_action import MANUAL_ACTION_TYPE, Resumed
from tasks.model.remediation.verdicts import GuardCode
from tasks.notify.find_due_pages import messages_due
from tasks.rules.incidents.action_history import action_history
from tasks.rules.incidents.fold import fold_incidents
from tasks.rules.incidents.transitions import record_of
from tests.fakes.incident.observations import NOW
from tests.fakes.service.monitored_service import Patient, running, watched

pytestmark = [
    pytest.mark.prefect,
    pytest.mark.skipif(sys.platform == "win32", reason="the drills are POSIX signals"),
    # Prefect leaves sockets of its own client to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
WHO = {"reason": "the venue says so", "by": "ada"}
EQUITY = AssetClass.EQUITY
# The tests run on weekends, too.
AT_ANY_HOUR = (GuardCode.MARKET_CLOSED,)


@pytest.fixture
def patient(tmp_path: Path, prefect: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Patient]:
    """A running healthy stub with a control plane and two gateways that answer, watched by the flows."""
    assert prefect
    with running(tmp_path / "venue") as venue:
        gateways = {name: {"base_url": venue.service.url, "asset_classes": ["equity"]} for name in ("XNAS", "XNYS")}
        with running(tmp_path, control_token="any", gateways=gateways) as one:
            one.watch_from_the_environment(monkeypatch)
            yield one


@pytest.fixture
def observed(patient: Patient) -> Patient:
    """The same, with the switch on observe: the automation keeps its hands off."""
    set_mode(patient.settings, Mode.OBSERVE)
    return patient


def records(patient: Patient) -> tuple[LedgerRecord, ...]:
    """The story as the ledger tells it."""
    return read_ledger(patient.ledger).records


def incidents(patient: Patient) -> tuple[IncidentState, ...]:
    """Every incident of the ledger."""
    return fold_incidents(records(patient), "order-service")


def told(patient: Patient, audience: Audience) -> list[str]:
    """What one audience was notified, oldest first."""
    found = read_deliveries(patient.settings.notifications_path)
    return [one.text for one in found if one.audience is audience]


def shown(patient: Patient) -> dict[str, Any]:
    """What the service itself tells of its routing."""
    found: dict[str, Any] = ask(f"{patient.service.url}/routing") or {}
    return found


def equity(patient: Patient) -> dict[str, Any]:
    """What the service tells of equities."""
    found: dict[str, Any] = shown(patient)["asset_classes"]["equity"]
    return found


def open_incident(patient: Patient) -> str:
    """An incident of the automation's own that runs."""
    incident = IncidentState(
        incident_id="INC-1", service="order-service", state=Event.OPENED, opened_at=NOW, causes=(Cause.GATEWAY_FAILING,)
    )
    append(patient.ledger, [record_of(incident, Event.OPENED, datetime.now(UTC), "x", {"cause": "gateway_failing"})])
    return "INC-1"


async def test_a_restart_by_hand_is_told_proven_and_ends_its_own_incident(patient: Patient) -> None:
    """The ledger says who, why and what came of it; the budget counts it like any other."""
    line = await manual_action.restart(**WHO)

    identity = service_identity(patient.service)
    (incident,) = incidents(patient)
    opened = records(patient)[0]
    assert line.startswith("order-service: restart service: recovered.")
    assert identity
    assert identity.pid != patient.pid
    assert (opened.type, opened.source, opened.details["by"]) == (MANUAL_ACTION_TYPE, Source.OPERATOR, "ada")
    assert opened.details["reason"] == "the venue says so"
    assert not incident.is_open
    assert incident.acknowledged_by == "ada"
    assert [one.outcome for one in incident.actions] == ["recovered"]
    started = next(one for one in records(patient) if one.event == Event.ACTION_STARTED)
    assert started.details["asked_by"] == "ada"
    assert told(patient, Audience.TIER_1)[0].startswith(
        "Manual action by ada: restart service. Reason: the venue says so."
    )
    assert "order-service recovered at " in told(patient, Audience.TIER_1)[-1]
    assert len(told(patient, Audience.DESK)) == 1
    budget = action_history(records(patient), "order-service", datetime.now(UTC))
    assert budget.count_since(Action.RESTART_SERVICE, datetime.now(UTC) - timedelta(minutes=1)) == 1


async def test_a_person_may_always_pause(observed: Patient) -> None:
    """Rule 8: in mode observe, and while another run holds the lock; nothing is looked at or waited for first."""
    held = host_lock.take(observed.settings.state_dir, "order-service", "flow_run=another")
    line = await manual_action.pause(**WHO, asset_class=EQUITY)
    host_lock.release(observed.settings.state_dir, held)

    (incident,) = incidents(observed)
    assert "pause strategies: done" in line
    assert equity(observed)["trading_state"] == "halted"
    assert equity(observed)["set_by"] == "ada"
    assert not incident.is_open
    started = next(one for one in records(observed) if one.event == Event.ACTION_STARTED)
    assert "held by flow_run=another" in started.details["lock"]
    assert told(observed, Audience.DESK)[0].startswith("Equity trading is halted. Cancels still go through.")
    # *No longer degraded*, as at the end of any other incident, would send the desk trading into a wall.
    assert messages_due(observed.settings, "order-service", datetime.now(UTC)) == ()
    assert len(told(observed, Audience.DESK)) == 1


async def test_nothing_named_pauses_everything_and_resumes_everything(patient: Patient) -> None:
    """One click stops all trading; one more, by a person, and each class only after its test order has filled."""
    with pytest.raises(RunbookError, match="nothing was paused: choose one, submit again"):
        await manual_action.pause(**WHO)
    await manual_action.pause(**WHO, everything=True)
    paused = {name: one["trading_state"] for name, one in shown(patient)["asset_classes"].items()}
    set_again = await manual_action.resume(**WHO)

    assert paused["equity"] == "halted"
    assert equity(patient)["trading_state"] == "active"
    assert "resume: done" in set_again


async def test_a_strategy_is_paused_and_resumed_alone(patient: Patient) -> None:
    """The one that ran wild is stopped; its neighbours trade on."""
    await manual_action.pause(**WHO, strategy="alpha")
    paused = shown(patient)["strategies"]["alpha"]["state"]
    await manual_action.resume(**WHO, what=Resumed.STRATEGY, name="alpha")

    assert paused == "halted"
    assert shown(patient)["strategies"]["alpha"]["state"] == "active"
    assert equity(patient)["trading_state"] == "active"


async def test_a_person_in_mode_observe_names_the_mode_that_is_passed_by(observed: Patient) -> None:
    """Rule 12: the switch holds for people, too, unless they say its name; that is recorded and told."""
    wanted = {**WHO, "asset_class": EQUITY, "gateway": "XNYS"}
    refused = await manual_action.reroute(**wanted, override=AT_ANY_HOUR)
    done = await manual_action.reroute(**wanted, override=(*AT_ANY_HOUR, GuardCode.MODE_FORBIDS))

    assert "refused. MODE_FORBIDS" in refused
    assert "recovered" in done
    assert equity(observed)["gateway"] == "XNYS"
    (started,) = [one for one in records(observed) if one.event == Event.ACTION_STARTED]
    assert GuardCode.MODE_FORBIDS in started.details["passed_by"]
    assert any("MODE_FORBIDS." in text for text in told(observed, Audience.TIER_1))
    assert "MODE_FORBIDS." in told(observed, Audience.DESK)[-1]
    assert not any(one.is_open for one in incidents(observed))


async def test_a_person_may_mark_a_gateway_in_mode_observe(observed: Patient) -> None:
    """Rule 8: what tightens is allowed by its effect, not by its name."""
    done = await manual_action.mark_degraded(**WHO, gateway="XNAS")

    assert "done" in done
    assert shown(observed)["gateways"]["XNAS"]["state"] == "degraded"


async def test_our_own_mark_and_re_route_are_taken_back_by_a_person(patient: Patient) -> None:
    """What the automation did while a gateway was ill stays until somebody says that it is well."""
    await manual_action.mark_degraded(**WHO, gateway="XNAS")
    await manual_action.reroute(**WHO, asset_class=EQUITY, gateway="XNYS", override=AT_ANY_HOUR)
    led_to = equity(patient)
    await manual_action.resume(**WHO, what=Resumed.GATEWAY_MARK, name="XNAS")
    await manual_action.resume(**WHO, what=Resumed.ROUTE, asset_class=EQUITY, override=AT_ANY_HOUR)

    assert (led_to["gateway"], led_to["set_by"]) == ("XNYS", "ada")
    assert equity(patient)["gateway"] == "XNAS"
    assert equity(patient)["route_set"]["gateway"] is None
    assert shown(patient)["gateways"]["XNAS"]["state"] == "enabled"


async def test_a_feature_is_switched_off_and_a_rollback_that_nobody_set_up_is_refused(patient: Patient) -> None:
    """Each form ends in one clear line, also where the settings know no way."""
    off = await manual_action.disable_feature(**WHO, feature="order_throttle")
    refused = await manual_action.roll_back(**WHO, release="0.9.0")

    assert "disable feature: recovered" in off
    assert shown(patient)["features"]["order_throttle"]["enabled"] is False
    assert "refused. NOT_AVAILABLE" in refused


async def test_a_lock_that_is_held_refuses_all_but_a_pause_and_names_the_holder(patient: Patient) -> None:
    """Rule 3: two people at two forms do not act at once; the second reads who acts."""
    held = host_lock.take(patient.settings.state_dir, "order-service", "flow_run=another")
    line = await manual_action.restart(**WHO)
    host_lock.release(patient.settings.state_dir, held)

    assert "refused. LOCK_HELD: blocked by flow_run=another" in line
    assert Event.ACTION_STARTED not in [one.event for one in records(patient)]
    assert not any(one.is_open for one in incidents(patient))


async def test_an_order_goes_into_the_incident_that_is_open_and_leaves_it_open(patient: Patient) -> None:
    """One thread for one trouble; that a class is paused does not mean that its gateway is well."""
    mine = open_incident(patient)

    await manual_action.pause(**WHO, asset_class=EQUITY)

    (incident,) = incidents(patient)
    assert incident.incident_id == mine
    assert incident.is_open
    assert [one.action for one in incident.actions] == ["pause_strategies"]


async def test_a_restart_by_hand_that_fails_goes_to_the_next_tier_and_its_incident_stays(
    tmp_path: Path, prefect: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person's action that went wrong is handed on like the automation's own."""
    assert prefect
    patient = watched(tmp_path, start_command=(sys.executable, "-c", "raise SystemExit('no licence')"))
    patient.watch_from_the_environment(monkeypatch)

    line = await manual_action.restart(**WHO)

    (incident,) = incidents(patient)
    assert "not recovered" in line
    assert incident.is_open
    assert any("no licence" in text for text in told(patient, Audience.TIER_2))
    assert "START_FAILED" in await manual_action.restart(**WHO)


async def test_a_form_that_lacks_a_name_is_one_clear_error(patient: Patient) -> None:
    """Nothing is guessed where something is taken back, and nothing is written."""
    with pytest.raises(RunbookError, match="say which strategy"):
        await manual_action.resume(**WHO, what=Resumed.STRATEGY)

    assert records(patient) == ()
