"""`runbook status`: the shape that other programs rely on, also when nothing runs."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from deployments.last_triage import cause_in
from deployments.live_status import gather_status
from deployments.state_dir import StateDir
from deployments.views.status import status_lines


def test_the_status_of_no_stack_has_every_key(tmp_path: Path) -> None:
    """A dashboard that polls before the start reads nulls, not an error."""
    status = gather_status(StateDir(tmp_path))

    assert status["prefect"] == {"pid": None, "api_url": None, "ui_url": None, "health": None}
    assert status["worker"] == {"pid": None}
    assert status["triage"] == {"last": None, "next_at": None}
    assert status["open_incidents"] == []
    assert not status["running"]
    assert status_lines(status)


@pytest.mark.parametrize(
    ("report", "cause"),
    [
        ("# Triage\n\nall well\n", "healthy"),
        ("## Cause\n| service\\_hung | confirmed | x | y | §2.1 | tier_1 |\n", "service_hung"),
        ("| unknown | inconclusive | x | y | §3 | tier_2 |\n| service\\_down | likely |", "unknown"),
    ],
)
def test_the_cause_is_read_out_of_the_report(report: str, cause: str) -> None:
    """The most urgent cause stands first."""
    assert cause_in(report) == cause


@pytest.mark.parametrize("words", [["--help"], ["status"], ["down"]])
def test_what_a_person_types_first_never_imports_prefect(tmp_path: Path, words: list[str]) -> None:
    """Three seconds of import is a long time while orders fail."""
    program = (
        "import sys\nfrom deployments.cli import main\n"
        f"sys.argv = ['runbook', *{words!r}]\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "sys.exit(9 if 'prefect' in sys.modules else 0)\n"
    )
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"RUNBOOK_STATE_DIR": str(tmp_path), "PATH": "", "SYSTEMROOT": "C:\\Windows"},
        capture_output=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr.decode()
    assert time.monotonic() - began < 5
