"""`runbook follow-ups`: listed, done, given to somebody else, given more time; and the postmortem shows it."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from deployments.commands.postmortem import assign, done, due, list_all
from tasks.model.errors import Code, RunbookError
from tasks.model.postmortem.follow_up import FollowUp
from tasks.settings import load_settings
from tasks.work.postmortem.documents import write_document
from tasks.work.postmortem.kept_follow_ups import list_follow_ups
from tests.fakes.incident.story import INCIDENT, SERVICE, gateway_story


@pytest.fixture(autouse=True)
def _written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An incident that is over, with its postmortem, in the state directory that the settings name."""
    config = tmp_path / "runbook.toml"
    config.write_text(f"state_dir = {json.dumps(str(tmp_path))}\n[services.{SERVICE}]\n", "utf-8")
    monkeypatch.setenv("RUNBOOK_CONFIG", str(config))
    monkeypatch.delenv("RUNBOOK_STATE_DIR", raising=False)
    gateway_story(tmp_path)
    write_document(load_settings(), SERVICE, INCIDENT)


def first() -> FollowUp:
    """The one that is due first."""
    return list_follow_ups(load_settings())[0][0]


def ran(capsys: pytest.CaptureFixture[str], command: Any, *words: str, **options: Any) -> tuple[int, Any]:
    """Run a command for its exit code and its document."""
    with pytest.raises(SystemExit) as ended:
        command(*words, json_output=True, **options)
    return int(str(ended.value.code)), json.loads(capsys.readouterr().out)


def test_open_ones_are_listed_and_all_where_asked(capsys: pytest.CaptureFixture[str]) -> None:
    """Done ones stand in nobody's way."""
    one = first()
    count = len(ran(capsys, list_all)[1]["follow_ups"])
    code, changed = ran(capsys, done, one.follow_up_id, by="lee")
    assert (code, changed["state"], changed["done_by"]) == (0, "done", "lee")

    assert len(ran(capsys, list_all)[1]["follow_ups"]) == count - 1
    assert len(ran(capsys, list_all, open_=True)[1]["follow_ups"]) == count - 1
    assert len(ran(capsys, list_all, all_=True)[1]["follow_ups"]) == count


def test_a_person_reads_what_is_whose_until_when(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The lines are for a terminal, the document for a script."""
    one = first()
    ran(capsys, assign, one.follow_up_id, "max", by="lee")
    ran(capsys, due, one.follow_up_id, "2026-01-31", by="lee")
    with pytest.raises(SystemExit):
        list_all()

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{one.follow_up_id}  open      due 2026-01-31  OVERDUE  max  {INCIDENT}"
    assert lines[1] == f"  {one.what}"
    assert f"{one.follow_up_id} **max**, due 2026-01-31: " in (tmp_path / "postmortems" / f"{INCIDENT}.md").read_text()


def test_without_any_it_says_so(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """An empty screen is read as a broken command."""
    for path in (tmp_path / "follow_ups").glob("*.json"):
        path.unlink()
    with pytest.raises(SystemExit):
        list_all()
    assert capsys.readouterr().out == "No open follow-ups.\n"


def test_a_broken_file_ends_with_three(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The list is not whole."""
    (tmp_path / "follow_ups" / "INC-x.json").write_text("{", "utf-8")

    code, document = ran(capsys, list_all)
    assert code == 3
    assert len(document["unreadable"]) == 1


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (done, ("FU-00000000",)),
        (done, ("../x",)),
        (assign, ("FU-00000000", " ")),
        (due, ("FU-00000000", "tomorrow")),
    ],
)
def test_a_wrong_word_is_one_line(command: Any, words: tuple[str, ...]) -> None:
    """Exit 2; nothing is changed."""
    with pytest.raises(RunbookError) as caught:
        command(*words, by="lee")
    assert caught.value.code is Code.BAD_ARGUMENT
    assert first().due == datetime.now(UTC).date() + timedelta(days=14)
