"""`runbook replay --plan`: every stored run again, by today's rules or by a changed settings file."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from deployments.commands.replay import replay
from tasks.clients.evidence.store import load_run, save_run
from tasks.model.errors import Code, RunbookError
from tasks.model.evidence.stored_run import StoredRun
from tasks.model.incidents.incident import IncidentState
from tasks.model.remediation.remediation import IncidentUpdate
from tasks.model.reports.report import TriageStory
from tasks.rules.diagnosis.name_causes import name_cause
from tasks.settings import load_settings
from tasks.work.remediation.plan import planned_and_kept

RECORDED = Path(__file__).parents[2] / "tasks" / "rules" / "diagnosis" / "recorded"
SERVICE = "order-service"


@pytest.fixture(autouse=True)
def settings_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The settings that are in force: one service, mode observe."""
    path = tmp_path / "runbook.toml"
    path.write_text(toml(tmp_path), "utf-8")
    monkeypatch.setenv("RUNBOOK_CONFIG", str(path))
    for name in ("RUNBOOK_STATE_DIR", "RUNBOOK_MODE"):
        monkeypatch.delenv(name, raising=False)
    return path


def toml(folder: Path, more: str = "", mode: str = "observe", service: str = SERVICE) -> str:
    """A settings file with some changes."""
    able = 'start_command = ["true"]\ncontrol_token = "a-token-of-a-test"'
    return f"state_dir = {json.dumps(str(folder))}\nmode = '{mode}'\n[services.{service}]\n{able}\n{more}"


def kept(folder: Path, name: str = "hung_stopped", *, planned: bool = True) -> StoredRun:
    """One run as a triage keeps it: its evidence, and what its plan was made from."""
    run = load_run(RECORDED / f"{name}.json.gz")
    run = run.model_copy(update={"diagnosis": name_cause(run.evidence), "stored_at": run.evidence.latest.looked_at})
    save_run(folder, run)
    if planned:
        opened = tuple(
            IncidentState(incident_id="INC-1", service=SERVICE, state="opened",
                          opened_at=run.evidence.context.looked_at, causes=(one.cause,))
            for one in run.diagnosis.findings
        )  # fmt: skip
        story = TriageStory(evidence=run.evidence, diagnosis=run.diagnosis, incidents=IncidentUpdate(opened=opened))
        asyncio.run(planned_and_kept(load_settings(), story))
    return run


def ran(capsys: pytest.CaptureFixture[str], settings: Path | None = None, since: str | None = None) -> tuple[int, Any]:
    """Run the command for its exit code and its document."""
    with pytest.raises(SystemExit) as ended:
        replay(plan=True, settings=settings, since=since, json_output=True)
    return int(str(ended.value.code)), json.loads(capsys.readouterr().out)


def test_the_same_rules_and_settings_decide_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What the run kept is all that its plan was made from: the plan comes out again, to the letter."""
    kept(tmp_path)

    code, document = ran(capsys)
    (run,) = document["runs"]
    assert (code, document["count"], document["differing_count"]) == (0, 1, 0)
    assert run["before"]["plan"][0] == "restart service: MODE_FORBIDS"
    assert run["before"] == run["after"]
    assert run["not_compared"] == []


def test_changed_settings_that_would_have_acted_end_with_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before the mode is set to act, the past month says what it would have done."""
    kept(tmp_path)
    changed = tmp_path / "changed.toml"
    changed.write_text(toml(tmp_path, mode="act"), "utf-8")

    code, document = ran(capsys, changed)
    assert code == 1
    assert document["runs"][0]["before"]["actions"] == []
    assert document["runs"][0]["after"]["actions"][0] == "restart service"
    with pytest.raises(SystemExit):
        replay(plan=True, settings=changed)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("order-service")
    assert lines[1].startswith("  plan    restart service: MODE_FORBIDS; ")
    assert lines[2].startswith("  actions nothing  ->  restart service")
    assert lines[-1] == "1 stored runs replayed: 1 differ, 0 could not be read"


@pytest.mark.parametrize(
    ("more", "part", "words"),
    [
        ("restart = { per_window_count = 0 }", "plan", "restart service: RESTART_BUDGET_SPENT"),
        ("limits = { confirm_count = 10 }", "causes", "service hung, "),
    ],
)
def test_a_limit_that_changes_decides_otherwise(
    more: str, part: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A budget of none restarts nothing; who asks for ten bad checks confirms less."""
    kept(tmp_path)
    changed = tmp_path / "changed.toml"
    changed.write_text(toml(tmp_path, more, mode="act"), "utf-8")

    code, document = ran(capsys, changed)
    assert code == 1
    assert any(words in one for one in document["runs"][0]["after"][part]), document["runs"][0]["after"]


def test_an_old_run_is_compared_by_its_causes_alone_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A plan made from nothing would be no plan of that run."""
    kept(tmp_path, planned=False)
    changed = tmp_path / "changed.toml"
    changed.write_text(toml(tmp_path, mode="act"), "utf-8")

    code, document = ran(capsys, changed)
    (run,) = document["runs"]
    assert code == 0
    assert run["after"]["plan"] == []
    assert run["not_compared"] == ["the plan: what it was made from was not kept with this run"]


def test_a_run_that_cannot_be_read_is_named_and_stops_no_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One damaged file hides no difference; where none can be read nothing is known."""
    run = kept(tmp_path)
    folder = tmp_path / "evidence" / "runs" / SERVICE
    (folder / "20261101T000000.000000Z-service_hung.json.gz").write_bytes(b"x")

    code, document = ran(capsys)
    assert (code, document["count"], document["unreadable_count"]) == (0, 2, 1)
    assert "not a whole gzip file" in document["runs"][0]["unreadable"]
    for path in folder.glob(f"{run.evidence.latest.looked_at:%Y}*"):
        path.write_bytes(b"x")
    assert ran(capsys)[0] == 3


def test_only_runs_since_a_time_are_replayed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Last month, and not all there is."""
    at = kept(tmp_path).evidence.latest.looked_at

    assert ran(capsys, since=(at - timedelta(minutes=1)).isoformat())[1]["count"] == 1
    assert ran(capsys, since=(at + timedelta(minutes=1)).isoformat())[1]["count"] == 0


def test_what_stored_runs_cannot_show_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A longer deadline sees other things; a stored run holds what was seen."""
    kept(tmp_path)
    changed = tmp_path / "changed.toml"
    changed.write_text(toml(tmp_path, "look = { order_timeout_s = 9 }\nescalation = { near_s = 1 }"), "utf-8")

    assert ran(capsys, changed)[1]["settings_not_compared"] == ["services.order-service.look"]
    changed.write_text(toml(tmp_path, service="other"), "utf-8")
    assert ran(capsys, changed)[1]["runs"][0]["not_compared"] == [
        "everything: the changed settings have no [services.order-service]"
    ]


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"plan": True, "settings": Path("missing.toml")}, Code.BAD_SETTING),
        ({"plan": True, "since": "last month"}, Code.BAD_ARGUMENT),
        ({"plan": True, "incident": "INC-1"}, Code.BAD_ARGUMENT),
        ({"settings": Path("x.toml")}, Code.BAD_ARGUMENT),
        ({"since": "7d"}, Code.BAD_ARGUMENT),
    ],
)
def test_what_is_asked_for_wrongly_is_one_line(asked: dict[str, Any], code: Code) -> None:
    """Exit 2, and no half of an answer."""
    with pytest.raises(RunbookError) as caught:
        replay(**asked)
    assert caught.value.code is code
