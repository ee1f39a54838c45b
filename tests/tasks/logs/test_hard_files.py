"""Dense, endless, packed, cut and missing files: counts stay exact, memory and time stay bounded."""

import gzip
from pathlib import Path

import pytest

from tasks.clients.logs.engine import Engine, HyperscanEngine, RegexEngine
from tasks.clients.logs.scan_logs import scan_log, scan_new_lines
from tasks.model.errors import CannotObserve, Code
from tests.tasks.logs.asking import needs_hyperscan, question, written
from tests.tasks.logs.traces import TRACES


def dense(lines: int) -> bytes:
    """Make a log in which every line has a word that would be an error without its level."""
    rows = []
    for number in range(lines):
        level = "ERROR" if number % 97 == 0 else "INFO"
        rows.append(
            f'{{"timestamp":"2026-11-22T16:11:{number % 60:02d}.{number % 1000:03d}Z","level":"{level}",'
            f'"msg":"retry {number} after error, timed out"}}'
        )
        if number % 501 == 0:
            rows.append(TRACES[number % 7].text.rstrip())
    return "\n".join(rows).encode() + b"\n"


@pytest.mark.parametrize("engine", [pytest.param(HyperscanEngine, marks=needs_hyperscan), RegexEngine])
def test_a_log_full_of_harmless_error_words_is_counted_exactly(tmp_path: Path, engine: type[Engine]) -> None:
    """The short way through lines known to be harmless must not hide one that is not."""
    lines = 12_000
    path = written(tmp_path, dense(lines))
    scan = scan_log(path, question(line_numbers=True), engine())

    traces = len(range(0, lines, 501))
    records_with_trace = len([number for number in range(0, lines, 501) if number % 97 == 0])
    assert scan.error_lines == len(range(0, lines, 97)) + traces - records_with_trace
    assert sum(finding.count for finding in scan.findings) == scan.error_lines


def test_a_log_of_errors_alone_keeps_exact_counts(tmp_path: Path) -> None:
    """A storm of errors is counted to the last one, and stays a few findings."""
    path = written(
        tmp_path,
        b"".join(
            b"2026-11-22 16:11:02 ERROR orders - order %d of %032x rejected by XNAS\n" % (n, n * 7919)
            for n in range(30_000)
        ),
    )
    scan = scan_log(path, question())

    assert scan.error_lines == 30_000
    assert [finding.count for finding in scan.findings] == [30_000]


def test_a_thousand_kinds_of_messages_stay_bounded(tmp_path: Path) -> None:
    """Findings are for reading; what does not fit is counted together, and the report says so."""
    words = ["".join(chr(103 + (n // 20**place) % 20) for place in range(4)) for n in range(6000)]
    path = written(
        tmp_path, b"".join(f"2026-11-22 16:11:02 ERROR {w} {w[::-1]} {w[1:]} {w}x\n".encode() for w in words)
    )
    scan = scan_log(path, question())

    assert scan.error_lines == 6000
    assert sum(finding.count for finding in scan.findings) == 6000
    assert len(scan.findings) <= 520
    assert any(note.startswith("BOUNDED") for note in scan.notes)


@pytest.mark.parametrize("head", [b'{"level":"error","msg":"', b"2026-11-22 16:11:02 ERROR "])
def test_a_line_of_many_megabytes_is_one_error_line(tmp_path: Path, head: bytes) -> None:
    """A dumped order book in one line must not fill our memory or hide the next line."""
    path = written(
        tmp_path,
        b"INFO ok\n" * 20 + head + b"x" * 9_000_000 + b'"}\n' + b"2026-11-22 16:11:03 ERROR next\n" + b"INFO ok\n" * 20,
    )
    scan = scan_log(path, question(line_numbers=True))

    assert scan.error_line_numbers == (21, 22)
    assert scan.lines == 42
    assert scan.bytes == path.stat().st_size


def test_a_word_deep_in_a_long_line_without_a_level_is_seen(tmp_path: Path) -> None:
    """Only the ends of a very long line are kept, but all of it is searched."""
    path = written(tmp_path, b"x" * 4_000_000 + b" connection refused " + b"y" * 4_000_000 + b"\n" + b"fine\n")

    assert scan_log(path, question(line_numbers=True)).error_line_numbers == (1,)


def test_a_long_line_at_the_end_waits_for_its_newline(tmp_path: Path) -> None:
    """New lines only: a long one that is still being written is reported once, when it is whole."""
    path = written(tmp_path, b"ok\n" * 3 + b"ERROR " + b"x" * 5_000_000)
    first = scan_new_lines(path, tmp_path / "state", question())
    with path.open("ab") as file:
        file.write(b"x" * 3_000_000 + b"\nok\n")
    second = scan_new_lines(path, tmp_path / "state", question())

    assert (first.lines, first.error_lines, second.lines, second.error_lines) == (3, 0, 2, 1)
    assert first.bytes + second.bytes == path.stat().st_size


def test_an_older_packed_log_is_read_as_it_is(tmp_path: Path) -> None:
    """The night's log is packed by the morning."""
    path = tmp_path / "orders.log.1.gz"
    path.write_bytes(gzip.compress(b"2026-11-22 16:11:02 ERROR boom\n" * 100))

    assert scan_log(path, question()).error_lines == 100


def test_a_cut_archive_tells_what_could_be_read(tmp_path: Path) -> None:
    """Half an archive is better than none, if the report says so."""
    path = tmp_path / "orders.log.1.gz"
    packed = gzip.compress(b"".join(b"2026-11-22 16:11:02 ERROR boom %d\n" % (n * n) for n in range(9000)))
    path.write_bytes(packed[: len(packed) // 2])
    scan = scan_log(path, question())

    assert any(note.startswith("DAMAGED") for note in scan.notes)


def test_a_deadline_ends_the_look_with_what_it_has(tmp_path: Path) -> None:
    """A look that takes too long is worse than half an answer; the next one goes on from there."""
    path = written(tmp_path, dense(20_000))
    scan = scan_log(path, question(deadline_s=0.0))

    assert not scan.complete
    whole = scan_log(path, question()).error_lines
    found, deadline_s = 0, 0.02
    while found < whole and deadline_s < 60:
        found += scan_new_lines(path, tmp_path / "state", question(deadline_s=deadline_s)).error_lines
        # A slow machine may not get through one block in so little time; it goes on with a little more.
        deadline_s *= 1.2
    assert found == whole


@pytest.mark.parametrize("target", ["missing.log", ".", "/dev/null"])
def test_what_is_no_file_cannot_be_looked_at(tmp_path: Path, target: str) -> None:
    """A pipe or a device would hang us; a folder is a mistake in the settings."""
    with pytest.raises(CannotObserve) as caught:
        scan_log(tmp_path / target, question())

    assert caught.value.code is Code.FILE_UNREADABLE
