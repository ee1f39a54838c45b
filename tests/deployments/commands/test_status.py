"""`runbook status`: the shape that other programs rely on, also when nothing runs."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deployments.stack.last_triage import cause_in
from deployments.stack.live_status import gather_status, triage_status
from deployments.stack.state_dir import StateDir
from deployments.views.status import status_lines, triage_lines
from tasks.clients.incidents.ledger import append
from tasks.model.diagnosis.diagnosis import Cause, Finding, Status
from tasks.model.evidence.evidence import Evidence, TriageRequest
from tasks.model.fleet.sweep import ServiceSeen, Standing, SweepObservations, SweepRecord, SweepRequest
from tasks.model.incidents.incident import Event, LedgerRecord
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import Fault, OrderOutcome, Seen
from tasks.model.probes.processes import ProcessState
from tasks.model.reports.report import TriageStory
from tasks.rules.diagnosis.name_causes import name_cause
from tasks.rules.fleet.sweep_markdown import sweep_markdown
from tasks.rules.reports.report_markdown import triage_markdown
from tests.fakes.incident.cases import finding
from tests.fakes.incident.observations import NOW, evidence, gateway, health, observation, order, process, three


def test_the_status_of_no_stack_has_every_key(tmp_path: Path) -> None:
    """A dashboard that polls before the start reads nulls, not an error."""
    status = gather_status(StateDir(tmp_path))

    assert status["prefect"] == {"pid": None, "api_url": None, "ui_url": None, "health": None, "database": None}
    assert status["worker"] == {"pid": None}
    assert status["triage"] == {"last": None, "next_at": None, "overdue": False, "known": True}
    assert status["open_incidents"] == []
    assert not status["running"]
    assert status_lines(status)


@pytest.mark.parametrize(("minutes", "overdue"), [(1.0, False), (10.0, True)])
def test_a_watch_that_has_stopped_is_told(minutes: float, overdue: bool) -> None:
    """A service that nobody looks at must not show an old *is well* and a next triage as if all were fine."""
    now = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
    last = {"finished_at": (now - timedelta(minutes=minutes)).isoformat(), "state": "Completed", "summary": "well"}

    found = triage_status(None, last, "2026-11-23T15:01:00Z", now)
    told = triage_lines({"triage": found, "open_incidents": [], "mode": "act"})[0]

    assert found["overdue"] is overdue
    assert ("OVERDUE" in told) is overdue


def test_the_open_incidents_of_every_service_are_told(tmp_path: Path) -> None:
    """With several services on one host, one status tells of all of them, whosever ledger it is in."""
    state = StateDir(tmp_path)
    names = ("a", "b", "c")
    paths = {name: tmp_path / ("shared" if name == "c" else f"of-{name}") for name in names}
    tables = [f'[services.{name}]\nincidents_file = "{path.as_posix()}"\n' for name, path in paths.items()]
    state.settings_file.write_text("".join(tables), "utf-8")
    for name in ("b", "c"):
        opened = LedgerRecord(timestamp=datetime.now(UTC), type="x", service=name, event=Event.OPENED)
        append(paths[name], [opened.model_copy(update={"incident_id": f"INC-{name}"})])

    assert gather_status(state)["open_incidents"] == ["INC-b", "INC-c"]


def test_a_ledger_that_is_gone_is_no_open_incident_of_none(tmp_path: Path) -> None:
    """The status said *open incidents none* while nothing could be read, recorded or done."""
    state = StateDir(tmp_path)
    state.incidents_file.mkdir()

    status = gather_status(state)
    told = triage_lines({**status, "triage": {"last": None, "next_at": None, "overdue": False}})

    assert status["open_incidents"] == []
    assert any(one.startswith("open incidents  unknown, LEDGER_UNREADABLE: ") for one in told)


def test_the_cause_of_several_services_is_that_of_the_most_urgent_one() -> None:
    """Who asks for the last triage hears of the worst, and *healthy* only where all are."""

    def seen(name: str, *findings: Finding) -> ServiceSeen:
        standing = Standing.NEEDS_TRIAGE if findings else Standing.HEALTHY
        status = Status.CRITICAL if findings else Status.OK
        return ServiceSeen(
            service=name, standing=standing, because="x", looked_at=NOW, status=status, findings=findings
        )

    def page(*services: ServiceSeen) -> str:
        request = SweepRequest(services=tuple(one.service for one in services), asked=TriageRequest(service=""))
        return sweep_markdown(SweepRecord(request=request, observations=SweepObservations(services=services)))

    assert cause_in(page(seen("a"), seen("b"))) == "healthy"
    assert cause_in(page(seen("a"), seen("b", finding(Cause.SERVICE_HUNG)))) == "service_hung"


def report_of(evidence: Evidence) -> str:
    """The report that a triage would publish."""
    return triage_markdown(TriageStory(evidence=evidence, diagnosis=name_cause(evidence)))


def test_the_cause_is_read_out_of_the_report() -> None:
    """The most urgent cause stands first; a healthy report has none."""
    silent = {"health": health(Fault.TIMED_OUT), "process": process(ProcessState.STOPPED), "orders": ()}
    sick = (gateway("XNAS", Seen.FAILED), gateway("FXALL"))

    assert cause_in(report_of(evidence(observation()))) == "healthy"
    assert cause_in(report_of(three(**silent))) == "service_hung"
    denied = (order(AssetClass.EQUITY, OrderOutcome.DENIED), order(AssetClass.FX))
    assert cause_in(report_of(three(gateways=sick, orders=denied))) == "dependency_unreachable"


@pytest.mark.parametrize("words", [["--help"], ["status"], ["down"]])
def test_what_a_person_types_first_never_imports_prefect(tmp_path: Path, words: list[str]) -> None:
    """Three seconds of import is a long time while orders fail."""
    program = (
        "import sys\nfrom deployments.cli import main\n"
        f"sys.argv = ['runbook', *{words!r}]\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "sys.exit(9 if 'prefect' in sys.modules else 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"RUNBOOK_STATE_DIR": str(tmp_path), "PATH": "", "SYSTEMROOT": "C:\\Windows"},
        capture_output=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr.decode()


def test_what_is_in_force_is_the_first_line_of_the_status() -> None:
    """A table of green parts with a halted class below it reads as *everything is healthy*."""
    words = "EQUITY IS HALTED (by triage, 14:32:19Z)."
    none: dict[str, object] = {"pid": None, "base_url": None, "ui_url": None, "health": None}
    status = {
        "prefect": none,
        "worker": none,
        "monitoring": none,
        "services": {"order-service": {**none, "in_force_words": words}, "quiet": {**none, "in_force_words": ""}},
        "gateways": {},
        "triage": triage_status(None, None, None, NOW),
        "open_incidents": [],
        "mode": "act",
    }

    assert status_lines(status)[0] == f"order-service: {words}"
    assert not any(line.startswith("quiet:") for line in status_lines(status))


def test_a_report_of_a_halted_class_is_not_called_healthy() -> None:
    """`status --json` says *healthy* to other programs only where nothing is held back."""
    halted = order(AssetClass.EQUITY, OrderOutcome.DENIED).model_copy(update={"code": "TRADING_HALTED"})
    seen = evidence(observation(orders=(halted, order(AssetClass.FX))))
    story = TriageStory(evidence=seen, diagnosis=name_cause(seen))

    assert cause_in(triage_markdown(story)) == "restricted"
    assert cause_in(triage_markdown(story.model_copy(update={"evidence": evidence(observation())}))) == "healthy"
