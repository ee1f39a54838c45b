"""What could not be recorded is kept, and recorded once: not never, and not twice."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tasks.clients.incidents.ledger import append, append_or_keep, read_ledger
from tasks.clients.incidents.ledger_spool import memory_folder, waiting
from tasks.model.incidents.incident import LedgerRecord
from tasks.model.incidents.ledger_file import LedgerPlace
from tests.fakes.process.killing import killed_at_line

AT = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)


def record(name: str) -> LedgerRecord:
    """One record that can be told from the others."""
    return LedgerRecord(timestamp=AT, type=name, service="order-service")


def place_in(folder: Path) -> LedgerPlace:
    """A ledger with a state directory of its own."""
    return LedgerPlace(path=folder / "desk" / "incidents.jsonl", state_dir=folder / "state")


def blocked(place: LedgerPlace) -> Path:
    """Put a file where the ledger's folder must be: nothing can be appended."""
    place.path.parent.write_text("")
    return place.path.parent


def kinds(place: LedgerPlace) -> list[str]:
    """The types of what the ledger holds."""
    return [one.type for one in read_ledger(place.path).records]


def test_a_record_that_cannot_be_appended_is_kept_and_appended_by_the_next(tmp_path: Path) -> None:
    """A person's pause holds with a full disk, and the postmortem knows of it all the same."""
    place = place_in(tmp_path)
    obstacle = blocked(place)
    said = append_or_keep(place, [record("paused")])
    obstacle.unlink()
    append(place, [record("next")])

    assert (said.appended, said.kept) == (False, True)
    assert "LEDGER_UNWRITABLE" in said.detail
    assert kinds(place) == ["paused", "next"]
    assert waiting(place) == ()


def test_where_nothing_can_be_kept_either_it_is_said(tmp_path: Path) -> None:
    """Whoever pauses trading on a dead disk reads that nobody wrote it down."""
    place = place_in(tmp_path)
    blocked(place)
    (tmp_path / "state").write_text("")

    said = append_or_keep(place, [record("paused")])

    assert (said.appended, said.kept) == (False, False)
    assert "SINK_UNWRITABLE" in said.detail


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
def test_what_was_kept_is_appended_once_wherever_the_writer_is_killed(tmp_path: Path) -> None:
    """Kill the writer at each of its lines, append again: no record is lost, and none stands there twice."""
    killed_count, number = 0, 0
    while True:
        number += 1
        place = place_in(tmp_path / str(number))
        place.path.parent.parent.mkdir()
        obstacle = blocked(place)
        for name in ("first", "second"):
            append_or_keep(place, [record(name)])
        obstacle.unlink()
        with killed_at_line(number, "ledger_spool.py", "jsonl.py", "atomic.py") as run:
            append(place, [record("killed")])
        if run[0] < number:
            break
        killed_count += 1
        append_or_keep(place, [record("after")])
        found = kinds(place)
        assert sorted({*found} - {"killed"}) == ["after", "first", "second"], number
        assert len(found) == len(set(found)), number

    assert killed_count > 30


def test_lines_that_a_killed_writer_got_in_before_its_torn_one_are_not_written_twice(tmp_path: Path) -> None:
    """A batch of three, killed in the middle of the second; then the service heals the torn line with its own."""
    place = place_in(tmp_path)
    obstacle = blocked(place)
    append_or_keep(place, [record(name) for name in ("a", "b", "c")])
    obstacle.unlink()
    with killed_at_line(1, "jsonl.py"):
        append(place, [record("killed")])
    (batch,) = waiting(place)
    lines = batch.read_bytes().splitlines(keepends=True)
    place.path.parent.mkdir(exist_ok=True)
    theirs = b'\n{"timestamp": "2026-11-23T15:00:00Z", "type": "theirs"}\n'
    place.path.write_bytes(lines[0] + lines[1][:20] + theirs)
    append(place, [record("after")])

    assert kinds(place) == ["a", "theirs", "b", "c", "after"]


def test_what_is_kept_of_a_file_of_somebody_else_is_nothing(tmp_path: Path) -> None:
    """Without a state directory there is no place for it, and that is said."""
    assert memory_folder(LedgerPlace(path=tmp_path / "x.jsonl")) is None
    assert append_or_keep(tmp_path, [record("x")]).kept is False


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_in_place_of_the_ledger_swallows_no_record(tmp_path: Path) -> None:
    """What goes into a pipe is gone when its reader is; it is kept instead."""
    place = place_in(tmp_path)
    place.path.parent.mkdir(parents=True)
    os.mkfifo(place.path)
    said = append_or_keep(place, [record("paused")])
    place.path.unlink()
    append(place, [record("next")])

    assert said.kept
    assert kinds(place) == ["paused", "next"]
