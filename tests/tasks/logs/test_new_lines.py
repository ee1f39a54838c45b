"""Every minute the new lines only: none lost, none twice, across rotation, truncation and restarts."""

import gzip
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tasks.clients.log_files import look_at_log, look_at_new_lines
from tasks.clients.log_files_checkpoint import checkpoint_path
from tasks.model.errors import CannotLook, Code
from tasks.model.log_findings import LogScan
from tests.tasks.logs.asking import question
from tests.tasks.logs.traces import TRACES

GOOD = "2026-11-22 16:11:02,124 INFO orders - order accepted, 0 errors\n"
BAD = "2026-11-22 16:11:02,125 ERROR orders - gateway XNAS timed out order={}\n"


class Log:
    """A log, the scans of it, and what they should have seen in all."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "orders.log"
        self.state = folder / "state"
        self.scans: list[LogScan] = []
        self.written = 0

    def write(self, text: str) -> None:
        """Append, as the service does."""
        with self.path.open("a") as file:
            file.write(text)

    def bad(self, count: int) -> None:
        """Append numbered error lines."""
        for _ in range(count):
            self.written += 1
            self.write(BAD.format(self.written))

    def scan(self) -> LogScan:
        """Look at what is new."""
        self.scans.append(look_at_new_lines(self.path, self.state, question(line_numbers=True)))
        return self.scans[-1]

    @property
    def errors_seen(self) -> int:
        """Sum the error lines of all scans."""
        return sum(scan.error_lines for scan in self.scans)


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
    """A trace is told at once, since the process may be dead, and not again when its end arrives."""
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
    with pytest.raises(CannotLook) as caught:
        look_at_new_lines(tmp_path / "none.log", tmp_path, question())

    assert caught.value.code is Code.FILE_UNREADABLE


def test_a_template_seen_before_the_release_is_not_new(log: Log) -> None:
    """New since the release means that earlier scans did not see it either."""
    log.bad(1)
    log.scan()
    log.write(
        "2026-11-22 16:40:00 ERROR orders - gateway XNAS timed out order=9\n"
        "2026-11-22 16:40:01 ERROR orders - book torn\n"
    )
    scan = look_at_new_lines(log.path, log.state, question(released_at="2026-11-22T16:30:00Z"))

    assert {finding.template: finding.is_new for finding in scan.findings} == {
        "orders - gateway XNAS timed out order=<n>": False,
        "orders - book torn": True,
    }


def pack(path: Path) -> None:
    """Pack a file as logrotate does: the time of writing stays."""
    status = path.stat()
    with gzip.open(f"{path}.gz", "wb") as file:
        file.write(path.read_bytes())
    os.utime(f"{path}.gz", ns=(status.st_atime_ns, status.st_mtime_ns))
    path.unlink()


def rotate(path: Path, *, packed: bool = False) -> None:
    """Rotate by rename: log.1 becomes log.2, and so on; what is older is packed."""
    for number in range(9, 0, -1):
        for ending in ("", ".gz"):
            older = path.with_name(f"{path.name}.{number}{ending}")
            if older.exists():
                older.rename(path.with_name(f"{path.name}.{number + 1}{ending}"))
    first = path.with_name(f"{path.name}.1")
    path.rename(first)
    path.touch()
    if packed:
        pack(first)


PIECES = st.sampled_from(
    [
        GOOD,
        "2026-11-22 16:11:02,1 ERROR boom\n",
        "Connection refused\n",
        "\n",
        "half a ",
        "ERR",
        "\x00\n",
        *(trace.text for trace in TRACES[:9]),
    ]
)


class Rotations(RuleBasedStateMachine):
    """Write, rotate, truncate and look in any order: in the end as much was told as whole looks at all files find."""

    @initialize()
    def start(self) -> None:
        """Begin with an empty folder."""
        self.folder = Path(os.environ["ROTATIONS_FOLDER"]) / os.urandom(8).hex()
        self.folder.mkdir(parents=True)
        self.log = Log(self.folder)
        self.log.path.touch()
        self.files = 0
        self.log.scan()

    @rule(pieces=st.lists(PIECES, max_size=12))
    def write(self, pieces: list[str]) -> None:
        """Append anything, a piece of a line too."""
        self.log.write("".join(pieces))

    @rule()
    def look(self) -> None:
        """Look at what is new."""
        self.log.scan()

    @rule(packed=st.booleans())
    def rename(self, packed: bool) -> None:
        """Rotate by rename."""
        if self.files < 8 and self.log.path.stat().st_size:
            self.mark()
            rotate(self.log.path, packed=packed)

    @rule()
    def copy_and_truncate(self) -> None:
        """Rotate by copying; the copy is older than anything written after it."""
        if self.files < 8 and self.log.path.stat().st_size:
            self.mark()
            text = self.log.path.read_bytes()
            rotate(self.log.path)
            self.log.path.unlink()
            shutil.copy2(self.folder / "orders.log.1", self.log.path)
            os.truncate(self.log.path, 0)
            assert (self.folder / "orders.log.1").read_bytes() == text

    def mark(self) -> None:
        """Make each file's content its own, as times do in real logs, and keep a copy of it."""
        self.files += 1
        self.log.write(f"rotated {self.files}\n")
        shutil.copy(self.log.path, self.folder / f"kept-{self.files}")

    def teardown(self) -> None:
        """Look once more, and compare the sums with whole looks."""
        if not hasattr(self, "log"):
            return
        self.log.write("\n")
        self.log.scan()
        files = [*(self.folder / f"kept-{number}" for number in range(1, self.files + 1)), self.log.path]
        whole = [look_at_log(file, question()) for file in files]
        assert sum(scan.lines for scan in self.log.scans) == sum(scan.lines for scan in whole)
        assert sum(scan.bytes for scan in self.log.scans) == sum(scan.bytes for scan in whole)
        assert self.log.errors_seen == sum(scan.error_lines for scan in whole)
        shutil.rmtree(self.folder)


def test_any_order_of_writing_rotating_and_looking_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The promise behind every report: none lost, none twice."""
    monkeypatch.setenv("ROTATIONS_FOLDER", str(tmp_path))
    Rotations.TestCase.settings = settings(
        max_examples=40, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
    )
    Rotations.TestCase("runTest").runTest()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=st.lists(PIECES, min_size=1, max_size=30), cuts=st.lists(st.integers(0, 30), max_size=6))
def test_any_cut_into_minutes_gives_the_sum_of_one_look(tmp_path: Path, pieces: list[str], cuts: list[int]) -> None:
    """Where a minute ends must not change what is counted."""
    log = Log(tmp_path / os.urandom(8).hex())
    log.path.parent.mkdir()
    log.path.touch()
    for index, piece in enumerate([*pieces, "\n"]):
        log.write(piece)
        if index in cuts or index == len(pieces):
            log.scan()
    whole = look_at_log(log.path, question(line_numbers=True))

    assert sum(scan.lines for scan in log.scans) == whole.lines
    assert sorted(number for scan in log.scans for number in scan.error_line_numbers) == list(whole.error_line_numbers)
    assert log.errors_seen == whole.error_lines
