"""The files of an incident that is over: written whole, completed after a crash, the same when written again."""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tasks.clients.evidence.history import history_path
from tasks.clients.evidence.store import list_runs
from tasks.clients.files import atomic
from tasks.model.diagnosis.diagnosis import Audience
from tasks.model.errors import CannotAct, CannotObserve, Code, RunbookError
from tasks.model.incidents.incident import Action, Outcome
from tasks.model.postmortem.postmortem import Postmortem
from tasks.work.postmortem.artifacts import checks_drafted, regression_written
from tasks.work.postmortem.case import found_incident, known_case
from tasks.work.postmortem.documents import fresh_document, is_published, mark_written, unwritten, write_document
from tests.fakes.incident import observations
from tests.fakes.incident.story import INCIDENT, SERVICE, Story, at, gateway_story

pytestmark = pytest.mark.live


@pytest.fixture
def story(tmp_path: Path) -> Story:
    """An incident that is over."""
    return gateway_story(tmp_path)


def written(story: Story) -> Postmortem:
    """Everything that the end of an incident writes, as a run does it."""
    beside = [step(story.settings, SERVICE, INCIDENT, at(151)) for step in (regression_written, checks_drafted)]
    faults = tuple(one.fault for one in beside if one.fault)
    postmortem = write_document(story.settings, SERVICE, INCIDENT, faults)
    mark_written(story.settings, postmortem, published=True)
    return postmortem


def files(story: Story) -> dict[str, tuple[int, bytes]]:
    """Every file that was left behind, with its time and content."""
    root = story.settings.state_dir
    kept = [path for name in ("postmortems", "regressions", "checks") for path in (root / name).rglob("*")]
    return {
        path.relative_to(root).as_posix(): (path.stat().st_mtime_ns, path.read_bytes())
        for path in kept
        if path.is_file()
    }


def due(story: Story) -> tuple[str, ...]:
    """What the next run has to make good."""
    return unwritten(story.settings, (story.incident,), at(300))


def test_writing_twice_changes_no_file(story: Story) -> None:
    """A person's editor must not find the file changed beneath it every minute."""
    assert written(story).changed
    before = files(story)
    again = written(story)

    assert not again.changed
    assert files(story) == before
    assert is_published(story.settings, again)


def test_an_incident_is_due_until_it_is_written_and_published(story: Story) -> None:
    """A run that is killed before the end leaves it to the next one."""
    assert due(story) == (INCIDENT,)
    postmortem = write_document(story.settings, SERVICE, INCIDENT)
    assert due(story) == (INCIDENT,)
    mark_written(story.settings, postmortem, published=False)
    assert due(story) == (INCIDENT,)
    mark_written(story.settings, postmortem, published=True)
    assert due(story) == ()


def test_an_incident_that_is_written_while_it_runs_is_written_again_at_its_end(tmp_path: Path) -> None:
    """The half story of the first hour is not the postmortem."""
    story = Story(tmp_path)
    story.fails(observations.three(gateways=(observations.slow_gateway("XNAS"),)))
    early = written(story)
    story.ends(100)

    assert "still open" in early.text
    assert not (tmp_path / "regressions").exists()
    assert due(story) == (INCIDENT,)
    assert "still open" not in written(story).text
    assert due(story) == ()


def test_a_file_that_a_person_deletes_does_not_come_back_by_itself(story: Story) -> None:
    """Cleaning up is allowed; `runbook postmortem ID` brings it back."""
    postmortem = written(story)
    Path(postmortem.path).unlink()

    assert due(story) == ()
    assert written(story).changed


class KilledError(BaseException):
    """The process ends here."""


def killed_at(call: int, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Kill the run at its n-th touch of the disk: before a file is written, or between writing and naming it."""
    calls = 0

    def counting(real: Callable[..., Any]) -> Callable[..., Any]:
        def step(*arguments: Any, **more: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == call:
                raise KilledError
            return real(*arguments, **more)

        return step

    monkeypatch.setattr(atomic.os, "fsync", counting(os.fsync))
    monkeypatch.setattr(Path, "replace", counting(Path.replace))
    return lambda: calls


@pytest.mark.parametrize("call", range(1, 17))
def test_a_kill_at_any_step_is_completed_by_the_next_run(
    story: Story, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, call: int
) -> None:
    """Whatever was half written is written whole, nothing is missing and nothing is left over."""
    with monkeypatch.context() as patch:
        calls = killed_at(call, patch)
        with pytest.raises(KilledError):
            written(story)
        assert calls() == call
    assert due(story) == (INCIDENT,)
    written(story)

    other = gateway_story(tmp_path_factory.mktemp("whole"))
    written(other)
    assert {name: content for name, (_, content) in files(story).items()} == {
        name: content for name, (_, content) in files(other).items()
    }
    assert due(story) == ()


def test_the_kills_above_are_all_there_are(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new file would be a new step that nobody killed."""
    calls = killed_at(10_000, monkeypatch)
    written(story)

    assert calls() == 16


def test_a_persons_edits_survive_on_disk(story: Story) -> None:
    """Words outside of the parts, and a part that was edited, through the file as an editor saves it."""
    path = Path(written(story).path)
    text = path.read_text("utf-8").replace("What stands outside", "We met on Tuesday. What stands outside")
    path.write_text(text.replace("**did not help**", "was never tried; the log is wrong"), "utf-8")
    story.acts(Action.RESUME, Outcome.RECOVERED, 140)
    again = written(story)

    assert "We met on Tuesday." in path.read_text("utf-8")
    assert "was never tried; the log is wrong" in path.read_text("utf-8")
    assert again.edited == ("actions",)
    assert "**resume**" in fresh_document(story.settings, SERVICE, INCIDENT)
    assert "resume" in path.read_text("utf-8").partition("## Timeline")[2]


def test_a_document_that_cannot_be_read_is_not_written_over(story: Story) -> None:
    """Saved in another encoding, it still holds a person's work."""
    path = Path(written(story).path)
    path.write_bytes("Schätzung: 3 Aufträge".encode("latin-1"))

    with pytest.raises(CannotObserve) as caught:
        write_document(story.settings, SERVICE, INCIDENT)
    assert caught.value.code is Code.FILE_UNREADABLE
    assert path.read_bytes() == "Schätzung: 3 Aufträge".encode("latin-1")


def test_a_link_that_a_person_made_stays_a_link(story: Story, tmp_path: Path) -> None:
    """Whoever keeps postmortems in a repository links them there."""
    path = Path(written(story).path)
    target = tmp_path / "repository.md"
    path.replace(target)
    path.symlink_to(target)
    story.acts(Action.RESUME, Outcome.RECOVERED, 140)
    written(story)

    assert path.is_symlink()
    assert "**resume**" in target.read_text("utf-8")


def test_what_was_known_once_is_told_years_later(story: Story) -> None:
    """The ledger rotates, looks go after a day and evidence after two weeks; the postmortem must not forget."""
    before = written(story)
    story.ledger.unlink()
    history_path(story.settings, SERVICE).unlink()
    story.settings.notifications_path.unlink()
    for run in list_runs(story.settings.state_dir, SERVICE):
        run.unlink()
    again = write_document(story.settings, SERVICE, INCIDENT)

    assert not again.changed
    assert again.text == before.text


def test_facts_of_another_version_are_set_aside_and_not_lost(story: Story) -> None:
    """A damaged file is kept for whoever can read it."""
    written(story)
    facts = next((story.settings.state_dir / "postmortems" / ".facts").glob("*.json.gz"))
    facts.write_bytes(b"torn")

    assert not write_document(story.settings, SERVICE, INCIDENT).changed
    assert [path.read_bytes() for path in facts.parent.glob("*.unreadable")] == [b"torn"]


def test_a_full_disk_is_told_and_tried_again(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be kept beside the postmortem is named in it, and the incident stays due."""
    folder = story.settings.state_dir / "regressions"
    folder.write_text("in the way", "utf-8")
    postmortem = written(story)

    assert "the fixture: SINK\\_UNWRITABLE" in postmortem.text
    assert due(story) == (INCIDENT,)
    folder.unlink()
    assert "SINK" not in written(story).text
    assert due(story) == ()

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    story.acts(Action.RESUME, Outcome.RECOVERED, 140)
    monkeypatch.setattr(atomic.os, "fsync", full)
    with pytest.raises(CannotAct):
        write_document(story.settings, SERVICE, INCIDENT)
    assert not list((story.settings.state_dir / "postmortems").rglob("*.new"))


@pytest.mark.parametrize("incident_id", ["../../escaped", "a/b", "x" * 190, ".hidden", "取引", "INC 1\n"])
def test_an_id_from_a_foreign_ledger_is_never_a_path(tmp_path: Path, incident_id: str) -> None:
    """Another program may name incidents as it likes; files stay in their folders."""
    story = Story(tmp_path / "var", incident_id)
    story.fails(observations.three(gateways=(observations.slow_gateway("XNAS"),)))
    story.ends(100)
    postmortem = write_document(story.settings, SERVICE, incident_id)
    regression_written(story.settings, SERVICE, incident_id, at(101))

    folder = (tmp_path / "var" / "postmortems").resolve()
    assert Path(postmortem.path).resolve().parent == folder
    assert [path.name for path in tmp_path.iterdir()] == ["var"]
    assert len(list((tmp_path / "var" / "regressions").iterdir())) == 2


def test_an_incident_that_nobody_knows_is_one_clear_error(story: Story) -> None:
    """A typing error must not make an empty postmortem."""
    with pytest.raises(RunbookError) as caught:
        known_case(story.settings, SERVICE, "INC-2")
    assert caught.value.code is Code.BAD_ARGUMENT
    assert found_incident(story.settings, SERVICE, "") == INCIDENT


def test_only_a_few_old_incidents_are_made_good_at_once(story: Story) -> None:
    """The first run after an upgrade must not write a hundred documents before it checks again."""
    many = [story.incident.model_copy(update={"incident_id": f"I{n}", "closed_at": at(n)}) for n in range(50)]

    assert unwritten(story.settings, many, at(300)) == ("I49", "I48", "I47", "I46", "I45")
    assert unwritten(story.settings, many, at(86_400 * 15)) == ()


def test_the_lines_of_a_ledger_that_is_read_from_its_end_are_still_its_own(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A year of incidents is longer than what is read at once; a wrong line number sends people astray."""
    whole = known_case(story.settings, SERVICE, INCIDENT)
    story.says(Audience.TIER_1, "closed", "over", 151)
    monkeypatch.setattr("tasks.clients.incidents.ledger.READ_LIMIT_BYTES", story.ledger.stat().st_size - 10)
    cut = known_case(story.settings, SERVICE, INCIDENT)

    assert len(cut.around) == len(whole.around) - 1
    assert [one.line for one in cut.records[:-1]] == [one.line for one in whole.records]
