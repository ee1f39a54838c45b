"""Prefect's server goes away in the middle of an action: the action ends by itself, and the ledger has its end."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deployments.stack.local_http import answers
from tasks.clients.incidents.ledger import read_ledger
from tasks.clients.locks import host_lock
from tasks.clients.process.probe import service_identity
from tasks.model.incidents.incident import Event, Outcome
from tasks.rules.incidents.fold import fold_incidents
from tasks.rules.remediation.branches import remediation_case
from tests.fakes.incident.triaged import NAME, triaged
from tests.fakes.polling import eventually
from tests.fakes.ports import free_port
from tests.fakes.service.monitored_service import Patient, running

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.drill,
    pytest.mark.timeout(240),
    pytest.mark.skipif(sys.platform == "win32", reason="needs fork and POSIX signals"),
]
REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def server(tmp_path: Path) -> "Iterator[tuple[subprocess.Popen[bytes], str]]":
    """A Prefect server of this test alone, which it may kill."""
    port = free_port()
    api = f"http://127.0.0.1:{port}/api"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    environment = {**kept, "PREFECT_HOME": str(tmp_path / "prefect"), "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
    command = [sys.executable, "-m", "deployments.prefect_server", "127.0.0.1", str(port)]
    with (tmp_path / "server.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=log, stderr=log)
    try:
        eventually(lambda: answers(f"{api}/health"), within_s=150, every_s=0.2)
        yield process, api
    finally:
        process.kill()
        process.wait(30)


@pytest.fixture
def hung(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Patient]:
    """A stub that hangs, watched in mode act."""
    with running(tmp_path) as one:
        one.watch_from_the_environment(monkeypatch)
        assert one.pid
        os.kill(one.pid, signal.SIGSTOP)
        yield one


async def test_an_action_ends_by_itself_and_is_proven_without_prefects_server(
    hung: Patient, server: "tuple[subprocess.Popen[bytes], str]"
) -> None:
    """The tool that watches may break; the service is healed, nothing is half done, and the lock is free."""
    process, api = server
    story = await triaged(hung)
    assert story.plan
    case = hung.settings.state_dir / "case.json"
    case.write_text(remediation_case(story, story.plan).model_dump_json(), "utf-8")
    # One try for each call: the client's own patience of minutes is not what is tested.
    prefect = {"PREFECT_API_URL": api, "PREFECT_CLIENT_MAX_RETRIES": "0", "PREFECT_LOGGING_LEVEL": "CRITICAL"}
    environment = {**os.environ, **prefect, "SERVER_TO_KILL": str(process.pid)}
    order = json.dumps({"step": "away", "case": str(case), "environment": {}})

    ended = subprocess.run(  # noqa: ASYNC221 - nothing else runs in this loop
        [sys.executable, "-m", "tests.fakes.incident.dying_run"],
        cwd=REPOSITORY,
        env=environment,
        input=f"{order}\n",
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )

    assert process.poll() == -signal.SIGKILL
    assert ended.stdout == "1\n", "the run itself is told to have failed: nobody could take its end"
    records = read_ledger(hung.ledger).records
    ends = [one.details["outcome"] for one in records if one.event == Event.ACTION_FINISHED]
    (incident,) = fold_incidents(records, NAME)
    assert ends == [Outcome.DONE, Outcome.RECOVERED]
    assert not incident.is_open
    identity = service_identity(hung.service)
    assert identity
    assert identity.pid != hung.pid
    assert host_lock.holder_of(hung.settings.state_dir, NAME) is None
    lease = host_lock.take(hung.settings.state_dir, NAME, "the next run")
    host_lock.release(hung.settings.state_dir, lease)
    assert lease.taken
