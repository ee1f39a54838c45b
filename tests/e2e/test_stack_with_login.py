"""The stack whose Prefect server asks for a password: everything of ours is let in, and nobody else is."""

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from deployments.prefect_api.client import PrefectDoor, authorization
from deployments.stack.local_http import ask
from tasks.clients.process.marks import marked
from tests.fakes.polling import eventually
from tests.fakes.stack.local_stack import MARK, Stack

pytestmark = [pytest.mark.e2e, pytest.mark.drill, pytest.mark.timeout(300)]
LOGIN = "desk:opensesame"


def test_with_a_login_everything_of_ours_works_and_nobody_else_gets_in(empty: Stack) -> None:
    """A server that asks for a password must not make the service's own incidents, or a person's answer, go unheard."""
    started = empty.run("up", "--detach", RUNBOOK_SERVER_AUTH=LOGIN)
    assert started.returncode == 0, started.stdout + started.stderr
    last, status = empty.wait_for_triage(), empty.status()
    api = status["prefect"]["api_url"]
    door = PrefectDoor(api, authorization({"PREFECT_API_AUTH_STRING": LOGIN}))

    assert last["cause"] == "healthy"
    assert ask(f"{api}/flow_runs/filter", {}) == {"exception_message": "Unauthorized"}
    assert not {"desk:opensesame", "opensesame"} & set(str(status).replace("'", " ").split())
    assert not any("opensesame" in " ".join(psutil.Process(one.pid).cmdline()) for one in marked(MARK, empty.mark()))
    assert _holding("opensesame", empty.state_dir) == ["order-service/events-login", "prefect-server.json"]

    by_hand, nothing = empty.run("triage", "--json"), empty.run("approve")
    assert by_hand.returncode == 0, by_hand.stderr
    assert nothing.stderr.startswith("NOTHING_WAITS:")

    if sys.platform != "win32":
        since = datetime.now(UTC)
        os.kill(status["gateways"]["XNYS"]["pid"], signal.SIGKILL)
        deployment = door.ask("/deployments/name/triage/event") or {}
        question = {
            "flow_runs": {"deployment_id": {"any_": [deployment["id"]]}, "start_time": {"after_": since.isoformat()}}
        }
        eventually(lambda: door.ask("/flow_runs/filter", question), within_s=60, every_s=0.5)


def _holding(secret: str, folder: Path) -> list[str]:
    found = subprocess.run(["grep", "-rlaF", secret, str(folder)], capture_output=True, text=True, check=False)
    return sorted(str(Path(line).relative_to(folder)) for line in found.stdout.splitlines())
