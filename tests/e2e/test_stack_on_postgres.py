"""The whole stack on PostgreSQL, as a person starts it: one option more."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from deployments.local_http import ask
from tasks.clients.process_marks import marked
from tests.fakes.local_stack import MARK, Stack, nothing_carries
from tests.fakes.postgres import Cluster

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


@pytest.fixture
def url(cluster: Cluster) -> Iterator[str]:
    """Give a fresh database."""
    with cluster.database() as fresh:
        yield fresh


def test_the_stack_lives_on_postgres_and_tells_nobody_the_password(cluster: Cluster, url: str, tmp_path: Path) -> None:
    """The first triage completes on it, all that it leaves is there, and the password is where it must be alone."""
    stack = Stack(tmp_path / "state")
    started = stack.run("up", "--detach", RUNBOOK_DATABASE_URL=url)
    try:
        assert started.returncode == 0, started.stdout + started.stderr
        mark, last, status = stack.mark(), stack.wait_for_triage(), stack.run("status", "--json")
        again = stack.run("up", "--detach", "--database-url", url + "_other")
        commands = [psutil.Process(one.pid).cmdline() for one in marked(MARK, mark)]
        settings = ask(f"{stack.status()['prefect']['api_url']}/admin/settings")
    finally:
        stopped = stack.run("down")

    assert last["cause"] == "healthy"
    assert '"database": "postgresql"' in status.stdout
    assert int(cluster.ask("SELECT count(*) FROM flow_run WHERE state_type = 'COMPLETED'", url.rpartition("/")[2])) >= 1
    assert (again.returncode, again.stderr.split(":")[0]) == (1, "RUNS_OTHERWISE")
    seen = [started.stdout, started.stderr, status.stdout, again.stderr, str(commands), str(settings)]
    assert settings
    assert commands
    assert not any(cluster.password in text for text in seen)
    assert _holding(cluster.password, stack.state_dir) == ["prefect-server.json"]
    assert stopped.returncode == 0, stopped.stderr
    assert nothing_carries(mark)
    assert not (stack.state_dir / "prefect" / "prefect.db").exists()


def _holding(secret: str, folder: Path) -> list[str]:
    found = subprocess.run(["grep", "-rlaF", secret, str(folder)], capture_output=True, text=True, check=False)
    return [str(Path(line).relative_to(folder)) for line in found.stdout.splitlines()]
