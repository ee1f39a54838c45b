"""A ledger that is not what it was has lost budgets: unreadable, until a person accepts it."""

import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from filelock import FileLock

import tasks.clients.incidents.ledger_reading as reading
from tasks.clients.incidents.ledger import append, append_or_keep, read_ledger, transact
from tasks.clients.incidents.ledger_spool import memory_folder, waiting
from tasks.model.errors import Code, RunbookError
from tasks.model.incidents.incident import Event, LedgerRecord
from tasks.model.incidents.ledger_file import LedgerPlace
from tasks.rules.incidents.fold import fold_incidents
from tests.fakes.process.killing import killed_at_line

AT = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=2)


def record(name: str = "x", event: Event | None = None, incident: str | None = None) -> LedgerRecord:
    """One record."""
    return LedgerRecord(timestamp=AT, type=name, service="order-service", event=event, incident_id=incident)


@pytest.fixture
def place(tmp_path: Path) -> LedgerPlace:
    """A ledger of twenty lines that was read once."""
    found = LedgerPlace(path=tmp_path / "incidents.jsonl", state_dir=tmp_path / "state")
    append(found, [record(f"n-{number}") for number in range(20)])
    read_ledger(found)
    return found


def another_process() -> None:
    """Forget what this process has read."""
    reading._known.clear()


def remove(path: Path) -> None:
    """Delete it."""
    path.unlink()


def truncate(path: Path) -> None:
    """What `copytruncate` of a log rotation does."""
    os.truncate(path, 0)


def rotate(path: Path) -> None:
    """What a log rotation with `create` does, and then another writer."""
    path.rename(f"{path}.1")
    path.write_bytes(b'{"timestamp": "2026-11-23T15:00:00Z", "type": "theirs"}\n')


def cut(path: Path) -> None:
    """Lose the last line."""
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))


def edit(path: Path) -> None:
    """Change one letter in the middle, and nothing of the size."""
    path.write_bytes(path.read_bytes().replace(b"n-7", b"m-7"))


def edit_and_grow(path: Path) -> None:
    """Change the first line, and write on."""
    path.write_bytes(path.read_bytes().replace(b"n-0", b"m-0") + path.read_bytes())


def empty(path: Path) -> None:
    """Put an empty file in its place."""
    path.unlink()
    path.touch()


HARM = [remove, truncate, rotate, cut, edit, edit_and_grow, empty]


@pytest.mark.parametrize("in_the_same_process", [True, False])
@pytest.mark.parametrize("harm", HARM)
def test_a_ledger_that_is_not_what_it_was_is_unreadable(
    place: LedgerPlace, harm: object, in_the_same_process: bool
) -> None:
    """As an empty ledger it would give the restart budget back, and forget the action that was left half done."""
    assert callable(harm)
    harm(place.path)
    if not in_the_same_process:
        another_process()

    for deed in (lambda: read_ledger(place), lambda: transact(place, lambda _: [record()])):
        with pytest.raises(RunbookError) as caught:
            deed()
        assert caught.value.code is Code.LEDGER_UNREADABLE
        assert "runbook rearm" in caught.value.detail


def test_a_first_start_without_a_ledger_is_fine(tmp_path: Path) -> None:
    """A new machine has had no incident."""
    place = LedgerPlace(path=tmp_path / "incidents.jsonl", state_dir=tmp_path / "state")

    assert read_ledger(place).records == ()
    append(place, [record()])
    assert len(read_ledger(place).records) == 1


def test_a_ledger_of_the_earlier_version_is_read_and_from_then_on_known(tmp_path: Path) -> None:
    """An upgrade needs no person."""
    place = LedgerPlace(path=tmp_path / "incidents.jsonl", state_dir=tmp_path / "state")
    append(place.path, [record(), record()])

    assert len(read_ledger(place).records) == 2
    remove(place.path)
    with pytest.raises(RunbookError):
        read_ledger(place)


def test_the_very_same_lines_in_a_new_file_are_the_same_ledger(place: LedgerPlace) -> None:
    """A restored backup, a moved volume: nothing is lost, so nobody is woken."""
    shutil.copy(place.path, f"{place.path}.copy")
    Path(f"{place.path}.copy").replace(place.path)
    another_process()

    append(place, [record("next")])

    assert len(read_ledger(place).records) == 21


def test_an_append_sees_that_the_ledger_is_gone(place: LedgerPlace) -> None:
    """It would begin a new one, in which no restart was ever made."""
    remove(place.path)

    with pytest.raises(RunbookError) as caught:
        append(place, [record()])

    assert caught.value.code is Code.LEDGER_UNREADABLE
    assert not place.path.exists()


def test_what_cannot_be_recorded_in_a_lost_ledger_is_kept_until_it_is_accepted(place: LedgerPlace) -> None:
    """A person's pause during a lost ledger is in the next one."""
    remove(place.path)

    assert append_or_keep(place, [record("paused")]).kept
    assert len(waiting(place)) == 1


def test_what_others_append_is_read_on(place: LedgerPlace) -> None:
    """The order service writes here too, at any time, and leaves torn lines when it is killed."""
    append(place.path, [record("theirs")])
    with place.path.open("ab") as file:
        file.write(b'{"torn": ')

    ledger = read_ledger(place)
    assert [one.type for one in ledger.records][-2:] == ["n-19", "theirs"]
    assert len(ledger.skipped) == 1

    append(place, [record("ours")])
    another_process()
    assert [one.type for one in read_ledger(place).records][-2:] == ["theirs", "ours"]


def test_a_long_ledger_is_folded_and_says_the_same(place: LedgerPlace) -> None:
    """A run reads the end of the file; the incidents of the older part come out of the fold."""
    many = [record("seen", Event.OBSERVED, "INC-1") for _ in range(6000)]
    append(place, [record("opened", Event.OPENED, "INC-1"), *many])
    whole = fold_incidents(read_ledger(place, from_line_1=True), "order-service")
    first = fold_incidents(read_ledger(place), "order-service")
    another_process()
    ledger = read_ledger(place)

    assert fold_incidents(ledger, "order-service") == first == whole
    assert len(ledger.records) < 100
    assert ledger.before.line_count == 6021
    assert ledger.before.left_out_count > 5900


@pytest.mark.parametrize("spoil", [b"", b"{}", b"x" * 100, None])
def test_a_damaged_fold_is_made_again_from_the_file(place: LedgerPlace, spoil: bytes | None) -> None:
    """The fold is a convenience; the file is what counts."""
    append(place, [record("opened", Event.OPENED, "INC-1"), *(record() for _ in range(6000))])
    was = read_ledger(place)
    folder = memory_folder(place)
    assert folder is not None
    kept = folder / "fold.json"
    kept.write_bytes(kept.read_bytes().replace(b"INC-1", b"INC-2") if spoil is None else spoil)
    another_process()

    assert fold_incidents(read_ledger(place), "order-service") == fold_incidents(was, "order-service")


def test_a_damaged_memory_is_no_empty_one(place: LedgerPlace) -> None:
    """What the ledger was is not known then, and an unknown budget is none."""
    folder = memory_folder(place)
    assert folder is not None
    (folder / "memory.json").write_text("{")
    another_process()

    with pytest.raises(RunbookError) as caught:
        read_ledger(place)

    assert caught.value.code is Code.LEDGER_UNREADABLE


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
def test_a_reader_killed_anywhere_leaves_a_ledger_that_can_be_read(tmp_path: Path) -> None:
    """Its notes are whole or not there."""
    number = 0
    while True:
        number += 1
        place = LedgerPlace(path=tmp_path / str(number) / "incidents.jsonl", state_dir=tmp_path / str(number))
        append(place.path, [record() for _ in range(5)])
        with killed_at_line(number, "ledger_reading.py", "ledger_memory.py", "atomic.py") as run:
            read_ledger(place)
        if run[0] < number:
            break
        another_process()
        append(place, [record("next")])
        assert len(read_ledger(place).records) == 6, number

    assert number > 50


def test_a_state_directory_that_cannot_be_written_costs_the_memory_and_not_the_ledger(tmp_path: Path) -> None:
    """A full disk under the state must not make the ledger unreadable."""
    (tmp_path / "state").write_text("")
    place = LedgerPlace(path=tmp_path / "incidents.jsonl", state_dir=tmp_path / "state")
    append(place, [record()])

    assert len(read_ledger(place).records) == 1


def test_a_ledger_whose_lock_somebody_holds_is_still_read(place: LedgerPlace) -> None:
    """Reading what nobody changed needs no lock."""
    append(place.path, [record("theirs")])

    with FileLock(f"{place.path}.lock"):
        assert len(read_ledger(place).records) == 21


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize("kind", ["pipe", "folder", "dangling"])
def test_whatever_stands_in_its_place_is_told(place: LedgerPlace, kind: str) -> None:
    """Neither hangs, nor is it an empty ledger."""
    place.path.unlink()
    match kind:
        case "pipe":
            os.mkfifo(place.path)
        case "folder":
            place.path.mkdir()
        case _:
            place.path.symlink_to(place.path.with_name("nowhere"))

    with pytest.raises(RunbookError) as caught:
        read_ledger(place)

    assert caught.value.code is Code.LEDGER_UNREADABLE
