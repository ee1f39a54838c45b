"""`runbook replay`: the same cause again, or where the rules of now say something else."""

import json
from pathlib import Path

import pytest

from deployments.commands.replay import asked_file, replay, replay_answer
from tasks.clients.evidence.store import load_run, save_run
from tasks.model.diagnosis.diagnosis import Audience
from tasks.model.errors import Code, RunbookError
from tasks.rules.diagnosis.replay import replay as replay_of

RECORDED = Path(__file__).parents[2] / "tasks" / "rules" / "diagnosis" / "recorded" / "refuse.json.gz"


def current(folder: Path, tier: Audience | None = None) -> Path:
    """A stored run whose diagnosis is that of now, but for the tier."""
    run = load_run(RECORDED)
    diagnosis = replay_of(run.evidence)
    if tier:
        finding = diagnosis.findings[0].model_copy(update={"tier": tier})
        diagnosis = diagnosis.model_copy(update={"findings": (finding,)})
    return save_run(folder, run.model_copy(update={"diagnosis": diagnosis}))


def test_the_same_rules_name_the_same_cause(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 0: what was reported in the incident is what the rules still say."""
    with pytest.raises(SystemExit) as ended:
        replay(current(tmp_path), json_output=True)
    document = json.loads(capsys.readouterr().out)

    assert ended.value.code == 0
    assert document["same"] is True
    assert document["now"]["findings"][0]["cause"] == "dependency_unreachable"


def test_a_changed_rule_ends_with_one_and_shows_where(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever changed the rule reads which past incident it changes."""
    with pytest.raises(SystemExit) as ended:
        replay(current(tmp_path, Audience.TIER_1))

    assert ended.value.code == 1
    assert "findings[0].tier" in capsys.readouterr().out


def test_a_file_that_is_no_stored_run_could_not_be_looked_at(tmp_path: Path) -> None:
    """Exit 3: nothing is said of the rules."""
    path = tmp_path / "x.json.gz"
    path.write_bytes(b"x")

    with pytest.raises(SystemExit) as ended:
        replay(path)
    assert ended.value.code == 3


def test_a_file_and_an_incident_are_not_both_asked_for() -> None:
    """Guessing which one was meant would replay the wrong incident."""
    with pytest.raises(RunbookError) as caught:
        asked_file(Path("x"), "INC-1")
    assert caught.value.code is Code.BAD_ARGUMENT


def test_an_incident_finds_the_first_run_that_saw_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The person who writes the postmortem has its id, not a file name."""
    path = current(tmp_path)
    at = load_run(path).evidence.latest.looked_at.isoformat()
    record = {
        "timestamp": at,
        "type": "gateway_unreachable",
        "service": "order-service",
        "incident_id": "INC-1",
        "event": "opened",
        "details": {"cause": "dependency_unreachable"},
    }
    (tmp_path / "incidents.jsonl").write_text(json.dumps(record) + "\n", "utf-8")
    config = tmp_path / "runbook.toml"
    config.write_text(f"state_dir = {json.dumps(str(tmp_path))}\n[services.order-service]\n", "utf-8")
    monkeypatch.setenv("RUNBOOK_CONFIG", str(config))
    monkeypatch.delenv("RUNBOOK_STATE_DIR", raising=False)

    assert asked_file(None, "INC-1") == path
    assert replay_answer(path).exit_code == 0
    with pytest.raises(RunbookError):
        asked_file(None, "INC-2")
