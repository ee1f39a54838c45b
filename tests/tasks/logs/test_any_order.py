"""Whatever is written, rotated and looked at in whatever order: none lost, none twice."""

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tasks.clients.logs.scan_logs import scan_log
from tests.tasks.logs.asking import question
from tests.tasks.logs.traces import TRACES
from tests.tasks.logs.writing import GOOD, Log, rotate

BOOM = "2026-11-22 16:11:02,1 ERROR boom\n"
PIECES = st.sampled_from(
    [
        GOOD,
        BOOM,
        "Connection refused\n",
        "\n",
        "half a ",
        "ERR",
        "\x00\n",
        *(trace.text for trace in TRACES[:9]),
    ]
)
GROUP = next(trace.text for trace in TRACES if "Exception Group" in trace.text)


class Rotations(RuleBasedStateMachine):
    """Write, rotate, truncate and scan in any order: in the end all that whole scans find was reported."""

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
        """Look once more, and compare the sums with whole checks."""
        if not hasattr(self, "log"):
            return
        self.log.write("\n")
        self.log.scan()
        files = [*(self.folder / f"kept-{number}" for number in range(1, self.files + 1)), self.log.path]
        whole = [scan_log(file, question()) for file in files]
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
@example(pieces=[BOOM, "half a ", GROUP, BOOM], cuts=[])
def test_any_cut_into_minutes_gives_the_sum_of_one_look(tmp_path: Path, pieces: list[str], cuts: list[int]) -> None:
    """Where a minute ends must not change what is counted."""
    log = Log(tmp_path / os.urandom(8).hex())
    log.path.parent.mkdir()
    log.path.touch()
    for index, piece in enumerate([*pieces, "\n"]):
        log.write(piece)
        if index in cuts or index == len(pieces):
            log.scan()
    whole = scan_log(log.path, question(line_numbers=True))

    assert sum(scan.lines for scan in log.scans) == whole.lines
    assert sorted(number for scan in log.scans for number in scan.error_line_numbers) == list(whole.error_line_numbers)
    assert log.errors_seen == whole.error_lines
