"""The whole stack on PostgreSQL and Redis, as a person starts it: two settings more."""

import os
import signal
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from deployments.stack.local_http import ask
from tasks.clients.process.marks import marked
from tests.fakes.polling import eventually
from tests.fakes.stack.local_stack import MARK, Stack, nothing_carries
from tests.fakes.stack.postgres import Cluster
from tests.fakes.stack.redis_server import Redis

pytestmark = [pytest.mark.e2e, pytest.mark.drill, pytest.mark.timeout(400)]


@pytest.fixture
def url(cluster: Cluster) -> Iterator[str]:
    """Give a fresh database."""
    with cluster.database() as fresh:
        yield fresh


def test_the_stack_lives_on_postgres_and_redis_and_tells_nobody_a_password(
    cluster: Cluster, redis: Redis, url: str, tmp_path: Path
) -> None:
    """A triage completes, an incident starts the next one over Redis, and each password is where it must be alone."""
    stack = Stack(tmp_path / "state")
    started = stack.run("up", "--detach", RUNBOOK_DATABASE_URL=url, RUNBOOK_REDIS_URL=redis.url)
    try:
        assert started.returncode == 0, started.stdout + started.stderr
        mark, last, status = stack.mark(), stack.wait_for_triage(), stack.run("status", "--json")
        again = stack.run("up", "--detach", "--database-url", url + "_other")
        commands = [psutil.Process(one.pid).cmdline() for one in marked(MARK, mark)]
        settings = ask(f"{stack.api()}/admin/settings")
        _an_incident_starts_a_triage(stack, redis)
    finally:
        stopped = stack.run("down")

    assert last["cause"] == "healthy"
    assert '"database": "postgresql"' in status.stdout
    assert int(cluster.ask("SELECT count(*) FROM flow_run WHERE state_type = 'COMPLETED'", url.rpartition("/")[2])) >= 1
    assert any("events" in key for key in redis.held_keys())
    assert (again.returncode, again.stderr.split(":")[0]) == (1, "RUNS_OTHERWISE")
    assert settings
    assert commands
    seen = [started.stdout, started.stderr, status.stdout, again.stderr, str(commands), str(settings)]
    for password in (cluster.password, redis.password):
        assert not any(password in text for text in seen)
        assert _holding(password, stack.state_dir) == ["prefect-server.json"]
    assert stopped.returncode == 0, stopped.stderr
    assert nothing_carries(mark)
    assert not (stack.state_dir / "prefect" / "prefect.db").exists()


def _an_incident_starts_a_triage(stack: Stack, redis: Redis) -> None:
    status, since = stack.status(), datetime.now(UTC)
    api = stack.api()
    os.kill(status["gateways"]["XNYS"]["pid"], signal.SIGKILL)
    deployment = ask(f"{api}/deployments/name/triage/event", timeout_s=5) or {}
    started_since = {"deployment_id": {"any_": [deployment["id"]]}, "start_time": {"after_": since.isoformat()}}
    # The run holds the one place of its deployment for as long as it works.
    eventually(lambda: any("lease" in key for key in redis.held_keys()), within_s=90)
    eventually(lambda: ask(f"{api}/flow_runs/filter", {"flow_runs": started_since}), within_s=90, every_s=0.5)


def _holding(secret: str, folder: Path) -> list[str]:
    found = subprocess.run(["grep", "-rlaF", secret, str(folder)], capture_output=True, text=True, check=False)
    return [str(Path(line).relative_to(folder)) for line in found.stdout.splitlines()]
