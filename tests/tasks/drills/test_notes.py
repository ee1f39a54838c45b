"""The note of a drill on disk: written before anything is broken, so that it can be healed after any crash."""

from pathlib import Path

import pytest

from tasks.clients.drills.notes import begin, end, keep_score, note, score_of_run, under_way
from tasks.model.drills.drills import DrillName, DrillScore
from tasks.model.errors import Code, RunbookError
from tasks.settings import RunbookSettings
from tests.fakes.incident.observations import NOW
from tests.tasks.drills.trace import context, over


@pytest.fixture
def settings(tmp_path: Path) -> RunbookSettings:
    """Settings with a state directory of their own."""
    return RunbookSettings(state_dir=tmp_path)


def test_a_drill_is_found_by_whoever_comes_after_a_crash(settings: RunbookSettings) -> None:
    """With the table as it was, which nobody else knows any more."""
    one = context(DrillName.WRONG_ROUTE).model_copy(update={"table": "the table"})
    begin(settings, one)

    assert under_way(settings) == one


def test_a_second_drill_is_refused_while_one_is_under_way(settings: RunbookSettings) -> None:
    """Its note would be lost, and with it the way back."""
    begin(settings, context())

    with pytest.raises(RunbookError) as refused:
        begin(settings, context(DrillName.GATEWAY_KILLED))

    assert refused.value.code is Code.DRILL_UNDER_WAY
    assert "runbook drill heal" in refused.value.detail
    assert under_way(settings) == context()


def test_how_far_it_has_come_is_noted(settings: RunbookSettings) -> None:
    """The time of the injection is what every figure counts from."""
    begin(settings, context())

    assert note(settings, over()) == over()
    assert under_way(settings) == over()


def test_a_drill_that_healed_makes_room_for_the_next_one(settings: RunbookSettings) -> None:
    """And never removes the note of another."""
    begin(settings, context())
    end(settings, context().model_copy(update={"run_id": "another"}))
    assert under_way(settings) is not None

    end(settings, context())
    assert under_way(settings) is None


def test_a_note_that_cannot_be_read_does_not_pass_for_none(settings: RunbookSettings) -> None:
    """What it was about is still broken."""
    begin(settings, context())
    (settings.state_dir / "drills" / "under-way.json").write_text("{", "utf-8")

    with pytest.raises(RunbookError) as refused:
        under_way(settings)

    assert refused.value.code is Code.FILE_UNREADABLE


def test_a_score_is_found_by_its_run(settings: RunbookSettings) -> None:
    """The command that started the run reads it from there."""
    score = DrillScore(
        drill=DrillName.SERVICE_KILLED, run_id="run-7", injected_at=NOW, felt=True, detected=True, cause_exact=True,
        actions_exact=True, tier_exact=True,
    )  # fmt: skip
    keep_score(settings, score)

    assert score_of_run(settings, "run-7") == score
    assert score_of_run(settings, "run-8") is None
