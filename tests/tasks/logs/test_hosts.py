"""A log is read as it lies on its host, whoever wrote, carried and encoded it."""

from pathlib import Path

import pytest

from tasks.clients.logs.engine import RegexEngine
from tasks.clients.logs.scan_logs import scan_log
from tests.tasks.logs.asking import question, written
from tests.tasks.logs.hosts import HOSTS, Host

every_host = pytest.mark.parametrize("host", HOSTS, ids=lambda host: host.name)


@every_host
def test_the_lines_with_errors_are_found_and_no_others(tmp_path: Path, host: Host) -> None:
    """A level that its writer gave decides; then what carried the line; then its words."""
    scan = scan_log(written(tmp_path, host.content), question(line_numbers=True))
    errors = [finding for finding in scan.findings if finding.severity.label in ("error", "critical")]
    seen = [finding.exception for finding in scan.findings if finding.exception]

    assert scan.error_line_numbers == host.errors, [finding.template for finding in errors]
    assert {one.type for one in seen} >= set(host.exceptions)
    assert {one.root_cause.type for one in seen if one.root_cause} >= set(host.roots)
    assert any(host.template in finding.template for finding in errors) or not host.template


@every_host
def test_the_slow_engine_finds_the_same(tmp_path: Path, host: Host) -> None:
    """Where hyperscan has no wheel, nobody is paged for less or for more."""
    path = written(tmp_path, host.content)
    fast, slow = (scan_log(path, question(line_numbers=True), engine) for engine in (None, RegexEngine()))

    assert slow.model_copy(update={"engine": ""}) == fast.model_copy(update={"engine": ""})
