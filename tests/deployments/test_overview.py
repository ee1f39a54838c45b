"""`runbook` alone: what matters in an incident stands first, each line with the command to type next."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deployments import cli
from deployments.overview import overview
from deployments.views.overview import ServiceNow, overview_lines
from tasks.clients.evidence.history import history_path, remember_observation
from tasks.clients.incidents.ledger import append
from tasks.model.diagnosis.diagnosis import Audience, Cause
from tasks.model.incidents.incident import ActionRecord, Event, IncidentState
from tasks.model.incidents.modes import Mode
from tasks.model.messages.slack_press import WaitingPlan
from tasks.model.probes.history import PastObservation
from tasks.model.remediation.in_force import Held, Restriction
from tasks.rules.formats.time import clock_text
from tasks.rules.incidents.action_history import ASKED_TYPE
from tasks.rules.incidents.transitions import record_of
from tasks.settings import load_settings
from tests.fakes.incident.observations import NOW

HALTED = Restriction(kind=Held.TRADING, name="equity", state="halted", set_by="triage", set_at=NOW)
HUNG = IncidentState(
    incident_id="INC-1",
    service="order-service",
    state=Event.OPENED,
    opened_at=NOW - timedelta(minutes=5),
    causes=(Cause.SERVICE_HUNG,),
    tier=Audience.TIER_1,
)
PLAN = WaitingPlan(actions=("restart service",), until=NOW + timedelta(minutes=4), flow_run_id="x", fingerprint="y")
UNSEEN = "no run has seen it for 2 h: `runbook status` says whether triages run."
REARM = "check the service, then `runbook rearm --reason …`"
RESUME = "`runbook resume equity --reason …`"
NEXT = "Next: `runbook check` says how it is now, `runbook plan` what would be done."


def past(status: str = "ok", *held: Restriction) -> PastObservation:
    return PastObservation(at=NOW - timedelta(minutes=1), status=status, held=held)


def service(**changes: object) -> ServiceNow:
    """A service of which nothing needs a person."""
    quiet = ServiceNow("order-service", Mode.ACT, "", (), {}, "", past())
    return quiet._replace(**changes)  # type: ignore[arg-type]


def lines(*services: ServiceNow, count: int | None = None) -> list[str]:
    return overview_lines(list(services), count or len(services), NOW)


def test_an_incident_says_what_is_broken_since_when_what_waits_and_what_to_type() -> None:
    """The four answers, before any server is asked."""
    said = lines(
        service(incidents=(HUNG,), waiting={"INC-1": PLAN}, acting='run "restart"', last=past("critical", HALTED))
    )

    assert said == [
        "order-service: 1 open incident; last seen critical at 14:59:00Z. Mode act.",
        '  Under way: run "restart"',
        "  service hung since 14:55:00Z, with tier 1, on-call: `runbook ack INC-1`",
        "  WAITS FOR YOU until 15:04:00Z: restart service: `runbook approve INC-1` or `runbook reject INC-1`",
        f"  In force, as seen at 14:59:00Z: EQUITY IS HALTED (by triage, 15:00:00Z). To lift it: {RESUME}",
        NEXT,
    ]


def test_who_has_an_incident_and_what_is_half_done_are_said() -> None:
    """The second person at a shell must not repeat the first."""
    second = PLAN.model_copy(update={"first": "bob"})
    waits = lines(service(incidents=(HUNG,), waiting={"INC-1": second}))[2]
    assert "restart service (approved by bob, waits for a second person): `runbook approve INC-1`" in waits
    half = ActionRecord(key="INC-1/restart_service", action="restart_service", started_at=NOW - timedelta(minutes=2))
    mine = HUNG.model_copy(
        update={
            "acknowledged_by": "ada",
            "acknowledged_until": NOW + timedelta(minutes=30),
            "actions": (half,),
            "reopened_at": NOW - timedelta(minutes=3),
        }
    )

    assert lines(service(incidents=(mine,)))[1:3] == [
        "  service hung since 14:57:00Z, acknowledged by ada until 15:30:00Z (INC-1)",
        f"  HALF DONE: restart service began at 14:58:00Z, and its end is not known: {REARM}",
    ]
    over = mine.model_copy(
        update={"acknowledged_until": NOW, "recovered_at": NOW - timedelta(minutes=1), "actions": ()}
    )
    assert lines(service(incidents=(over,)))[1] == (
        "  recovered at 14:59:00Z, still open: service hung since 14:57:00Z, with tier 1, on-call: `runbook ack INC-1`"
    )


def test_what_is_quiet_is_one_line_and_what_nobody_has_seen_is_not_quiet() -> None:
    """What is not known to be good is not good."""
    assert lines(service()) == [
        "order-service: no open incident, nothing in force; last seen ok at 14:59:00Z. Mode act.",
        NEXT,
    ]
    assert lines(service(), service(name="b"), count=5)[:2] == [
        "2 services: no open incident, nothing in force; last seen ok at 14:59:00Z. Mode act.",
        "3 more services were not read in time: `runbook incidents` lists all.",
    ]
    assert lines(service(last=None))[0] == f"order-service: no open incident; {UNSEEN} Mode act."
    unknown = PastObservation(at=NOW - timedelta(minutes=1), status="ok")
    assert lines(service(last=unknown))[0] == "order-service: no open incident; last seen ok at 14:59:00Z. Mode act."
    old = PastObservation(at=NOW - timedelta(minutes=5), status="ok", held=())
    stale = "order-service: no open incident; last seen ok at 14:55:00Z, 5 min ago. Mode act."
    assert lines(service(last=old)) == [stale, NEXT]
    degraded = "order-service: no open incident; last seen degraded at 14:59:00Z. Mode act."
    assert lines(service(last=past("degraded")))[0] == degraded
    assert lines(service(fault="LEDGER_UNREADABLE: gone"))[:2] == [
        "order-service: its incidents are not known; last seen ok at 14:59:00Z. Mode act.".replace("healthy", "ok"),
        "  LEDGER_UNREADABLE: gone",
    ]


@pytest.fixture
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one service."""
    config = tmp_path / "runbook.toml"
    config.write_text(f'state_dir = "{tmp_path}"\n[services.order-service]\n', "utf-8")
    monkeypatch.setenv("RUNBOOK_CONFIG", str(config))
    return tmp_path


def test_it_reads_the_ledger_and_the_last_run_of_this_host(configured: Path) -> None:
    """No server is asked, and no order is sent."""
    settings, now = load_settings(), datetime.now(UTC)
    until = now + timedelta(minutes=4)
    opened = record_of(HUNG, Event.OPENED, NOW, "x", {"cause": "service_hung"})
    details: dict[str, object] = {"actions": ["restart service"], "until": until.isoformat()}
    asked = record_of(HUNG, Event.OBSERVED, now, "a plan waits", details).model_copy(update={"type": ASKED_TYPE})
    append(settings.ledger("order-service"), [opened, asked])
    said = "\n".join(overview().lines)

    assert f"order-service: 1 open incident; {UNSEEN} Mode " in said
    assert "service hung since 15:00:00Z, with tier 1, on-call: `runbook ack INC-1`" in said
    assert f"WAITS FOR YOU until {clock_text(until)}: restart service: `runbook approve INC-1`" in said
    assert configured
    seen = past("critical", HALTED).model_copy(update={"at": now})
    assert remember_observation(history_path(settings, "order-service"), seen)
    assert f"In force, as seen at {clock_text(now)}: EQUITY IS HALTED (by triage" in "\n".join(overview().lines)


def test_a_ledger_and_settings_that_cannot_be_read_are_one_line(configured: Path) -> None:
    """On the worst day of the host it says so, and shows the help all the same."""
    (configured / "incidents.jsonl").mkdir()
    assert any(line.startswith("  LEDGER_UNREADABLE: ") for line in overview().lines)
    (configured / "runbook.toml").write_text("nonsense = ", "utf-8")
    (line,) = overview().lines
    assert line.startswith("BAD_SETTING: ")


def test_the_command_alone_says_it_first_and_then_the_help_with_the_incident_commands_first(
    configured: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One word at 3 a.m."""
    monkeypatch.setattr("sys.argv", ["runbook"])
    cli.main()
    out = capsys.readouterr().out

    assert configured
    assert out.startswith(f"order-service: no open incident; {UNSEEN} Mode ")
    assert out.index("Usage: runbook") < out.index("See what is wrong") < out.index("Act") < out.index("Run and set up")


def test_what_is_not_read_in_time_is_counted_and_nothing_slow_is_imported(
    configured: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a second, also on a host that watches a thousand."""
    config = configured / "runbook.toml"
    config.write_text(f"{config.read_text('utf-8')}[services.b]\n[services.c]\n", "utf-8")
    monkeypatch.setattr("deployments.overview.READ_FOR_S", -1.0)
    slow = "{'prefect', 'httpx', 'slack_sdk'}.intersection(sys.modules)"
    code = f"import sys, deployments.cli, deployments.overview; print(len({slow}))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)

    assert overview().lines[1] == "2 more services were not read in time: `runbook incidents` lists all."
    assert found.stdout == "0\n"


def test_where_nothing_is_configured_two_commands_begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first minute of a new user."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RUNBOOK_STATE_DIR", str(tmp_path / "var"))
    monkeypatch.setattr("sys.argv", ["runbook"])
    cli.main()
    out = capsys.readouterr().out

    assert out.index("Usage: runbook") < out.index("No service is configured here. Begin with one of these:")
    assert "runbook up" in out
    assert "runbook contract --write --url URL" in out
