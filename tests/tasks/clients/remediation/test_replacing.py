"""Replacing a process: an end that is known is reported as one."""

import sys
from pathlib import Path

import pytest

from tasks.clients.process.commands import reap
from tasks.model.incidents.incident import Outcome
from tasks.settings import ServiceSettings
from tasks.work.remediation.restart import replaced
from tests.fakes.incident.observations import process
from tests.fakes.ports import free_port

pytestmark = pytest.mark.live


def service(folder: Path, code: str) -> ServiceSettings:
    """A service that some Python starts."""
    return ServiceSettings.model_validate(
        {
            "base_url": f"http://127.0.0.1:{free_port()}",
            "start_command": (sys.executable, "-c", code),
            "start_log": folder / "start.log",
            "restart": {"start_timeout_s": 10.0},
        }
    )


def test_a_start_that_ended_with_an_error_has_a_known_end_and_did_not_help(tmp_path: Path) -> None:
    """*Its end is not known* would send the person paged to re-arm, and the next start would be refused again."""
    refuses = "import sys; print('ROUTING_TABLE_REFUSED: t.toml: not TOML', file=sys.stderr); sys.exit(2)"
    done = replaced(service(tmp_path, refuses), process().model_copy(update={"pid": None}))

    assert done.outcome is Outcome.NOT_RECOVERED
    assert "START_FAILED" in done.detail
    assert "exit_code=2" in done.detail
    assert "ROUTING_TABLE_REFUSED" in done.detail


def test_a_start_that_cannot_be_judged_stays_unknown(tmp_path: Path) -> None:
    """A process that runs and never answers may do anything."""
    silent = service(tmp_path, "import time; time.sleep(60)").model_copy(
        update={"restart": service(tmp_path, "").restart.model_copy(update={"start_timeout_s": 0.5})}
    )

    assert replaced(silent, process().model_copy(update={"pid": None})).outcome is Outcome.UNKNOWN
    reap()
