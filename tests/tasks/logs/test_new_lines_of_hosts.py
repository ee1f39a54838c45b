"""What is written after a scan is read once, also where a line is not what it is in the file."""

from pathlib import Path

import pytest

from tasks.clients.logs.scan_logs import scan_log, scan_new_lines
from tests.tasks.logs.asking import question
from tests.tasks.logs.hosts import CARRIED, ENCODINGS, JOURNAL, Host, docker


@pytest.mark.parametrize("host", [*ENCODINGS, *CARRIED, *JOURNAL], ids=lambda host: host.name)
@pytest.mark.parametrize("share", [0.3, 0.5, 0.8])
def test_a_log_read_in_two_scans_has_as_many_lines_as_in_one(tmp_path: Path, host: Host, share: float) -> None:
    """A writer stops anywhere, in the middle of a letter too."""
    path, state = tmp_path / "a.log", tmp_path / "state"
    whole = host.content + (b"" if host.content.endswith((b"\n", b"\n\x00")) else "\n".encode("utf-16-le"))
    cut = int(len(whole) * share)
    counts = []
    for text in (whole[:cut], whole[cut:]):
        with path.open("ab") as file:
            file.write(text)
        counts.append(scan_new_lines(path, state, question()).lines)

    assert sum(counts) == scan_log(path, question()).lines


def test_pieces_of_a_line_that_come_later_are_read_with_the_first(tmp_path: Path) -> None:
    """The level stands in the first piece, and says of the second that it is harmless."""
    path, state = tmp_path / "a.log", tmp_path / "state"
    errors = []
    for text in (docker("INFO a long", end=""), docker(" error, x"), docker("ERROR x")):
        with path.open("a") as file:
            file.write(text)
        errors.append(scan_new_lines(path, state, question()).error_lines)

    assert errors == [0, 0, 1]


def test_pieces_that_are_parted_by_a_block_are_one_line(tmp_path: Path) -> None:
    """A block ends anywhere; a record of 60 pieces ends later."""
    path = tmp_path / "a.log"
    piece = docker("INFO " + "x" * 16_000, end="") + docker("y error failed " * 1000, end="") * 20 + docker("end error")
    path.write_text(piece * 12 + docker("ERROR x"), "utf-8")

    assert scan_log(path, question()).error_lines == 1
