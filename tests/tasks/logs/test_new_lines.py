"""Every minute the new lines only: none lost, none twice, across rotation, truncation and restarts."""

import os
import shutil
from pathlib import Path

import pytest

from tasks.clients.logs.checkpoint import checkpoint_path
from tasks.clients.logs.scan_logs import scan_new_lines
from tasks.model.errors import CannotObserve, Code
from tests.tasks.logs.asking import question
from tests.tasks.logs.traces import TRACES
from tests.tasks.logs.writing import BAD, GOOD, Log, pack, rotate


@pytest.fixture
def log(tmp_path: Path) -> Log:
    """Give an empty log."""
    made = Log(tmp_path)
    made.path.touch()
    return made


def test_only_new_lines_are_reported(log: Log) -> None:
    """A second look at the same lines has nothing to say."""
    log.bad(30)
    first, second = log.scan(), log.scan()
    log.bad(2)
    third = log.scan()

    assert [scan.error_lines for scan in (first, second, third)] == [30, 0, 2]
    assert third.error_line_numbers == (31, 32)
    assert [finding.count for finding in third.findings] == [2]


def test_a_line_that_is_still_being_written_waits(log: Log) -> None:
    """Half a line may become anything."""
    log.write(GOOD + '{"msg":"error')
    half = log.scan()
    log.write('s: 0","level":"info"}\n')
    whole = log.scan()

    assert (half.lines, half.error_lines) == (1, 0)
    assert (whole.lines, whole.error_lines) == (1, 0)


def test_a_trace_that_goes_on_in_the_next_minute_is_counted_once(log: Log) -> None:
    """A trace is reported at once, since the process may be dead, and not again when its end arrives."""
    text = TRACES[1].text.splitlines(keepends=True)
    log.write(GOOD * 20 + "".join(text[:4]))
    first = log.scan()
    log.write("".join(text[4:]) + GOOD)
    second = log.scan()

    assert (first.error_lines, second.error_lines) == (1, 0)
    assert first.lines + second.lines == 21 + len(text)


@pytest.mark.parametrize("packed", [False, True])
def test_the_rest_of_a_renamed_file_is_read_before_the_new_one(log: Log, packed: bool) -> None:
    """Rotation by rename, also when the old file was packed at once."""
    log.bad(5)
    log.scan()
    log.bad(3)
    older = log.path.with_name("orders.log.1")
    log.path.rename(older)
    if packed:
        pack(older)
    log.bad(4)

    assert log.scan().error_lines == 7
    assert log.scan().error_lines == 0


def test_files_that_came_and_went_between_two_looks_are_read_whole(log: Log) -> None:
    """Three rotations in a minute lose nothing."""
    log.bad(5)
    log.scan()
    for _ in range(3):
        rotate(log.path)
        log.bad(2)

    scan = log.scan()

    assert scan.error_lines == 6
    assert not scan.notes


def test_copy_and_truncate_loses_nothing(log: Log) -> None:
    """The copy has the rest, the log begins again, its number stays the same."""
    log.bad(5)
    log.scan()
    log.bad(3)
    shutil.copy(log.path, log.path.with_name("orders.log.1"))
    os.truncate(log.path, 0)
    log.bad(4)

    assert log.scan().error_lines == 7


def test_a_truncated_log_that_grew_larger_again_is_known(log: Log) -> None:
    """Size alone does not tell: the bytes before the place read to do."""
    log.bad(5)
    log.scan()
    os.truncate(log.path, 0)
    log.bad(50)
    scan = log.scan()

    assert scan.error_lines == 50
    assert any(note.startswith("GAP") for note in scan.notes)


def test_a_log_replaced_by_a_larger_one_is_read_whole(log: Log) -> None:
    """Another file under the same name is another log."""
    log.bad(5)
    log.scan()
    log.path.unlink()
    log.path.write_text(GOOD * 100 + BAD.format(1) * 20)

    assert log.scan().error_lines == 20


def test_a_crash_before_the_place_is_kept_repeats_the_same_report(log: Log) -> None:
    """At least once; the offsets say that it is the same report."""
    log.bad(5)
    log.scan()
    kept = checkpoint_path(log.state, log.path)
    before = kept.read_bytes()
    log.bad(3)
    once = log.scan()
    kept.write_bytes(before)

    assert log.scan() == once


@pytest.mark.parametrize("content", [b"", b"{", b'{"version": 1, "offset": "x"}', b"\x00" * 100])
def test_a_damaged_checkpoint_means_reading_from_the_start(log: Log, content: bytes) -> None:
    """What we forgot we read again; a damaged file of ours must not blind us."""
    log.bad(5)
    log.scan()
    checkpoint_path(log.state, log.path).write_bytes(content)

    assert log.scan().error_lines == 5


def test_a_missing_log_cannot_be_looked_at(tmp_path: Path) -> None:
    """No log is not a healthy log."""
    with pytest.raises(CannotObserve) as caught:
        scan_new_lines(tmp_path / "none.log", tmp_path, question())

    assert caught.value.code is Code.FILE_UNREADABLE


def test_a_template_seen_before_the_release_is_not_new(log: Log) -> None:
    """New since the release means that earlier scans did not see it either."""
    log.bad(1)
    log.scan()
    log.write(
        "2026-11-22 16:40:00 ERROR orders - gateway XNAS timed out order=9\n"
        "2026-11-22 16:40:01 ERROR orders - book torn\n"
    )
    scan = scan_new_lines(log.path, log.state, question(released_at="2026-11-22T16:30:00Z"))

    assert {finding.template: finding.is_new for finding in scan.findings} == {
        "orders - gateway XNAS timed out order=<n>": False,
        "orders - book torn": True,
    }
