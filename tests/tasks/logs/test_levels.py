"""Severity comes from the field in which its writer put it; words count only where there is none."""

from pathlib import Path

import pytest

from tasks.clients.logs.scan_logs import scan_log
from tasks.model.logs.findings import Severity
from tasks.rules.logs.line import severity_of, text_of_line
from tests.tasks.logs.asking import question
from tests.tasks.logs.samples import LINES


@pytest.mark.parametrize(("form", "line", "severity"), LINES)
def test_a_line_is_as_bad_as_its_level_field_says(form: str, line: str, severity: Severity | None) -> None:
    """A word in a message must not page anyone when the level says that everything is healthy."""
    found, _ = severity_of(text_of_line(line.encode()))

    assert found == severity, form


def test_a_file_of_all_formats_counts_the_same_lines(tmp_path: Path) -> None:
    """What the engine does not find is not read: every bad line must be found in the middle of all others."""
    log = tmp_path / "mixed.log"
    log.write_text("".join(line + "\n" for _, line, _ in LINES))

    scan = scan_log(log, question(line_numbers=True))

    assert list(scan.error_line_numbers) == [
        number for number, (_, _, severity) in enumerate(LINES, 1) if (severity or 0) >= Severity.ERROR
    ]
    assert scan.lines == len(LINES)
    assert scan.bytes == log.stat().st_size
