"""The first fork server, forked from the worker: the same to a run as one that is started, and never a stale one."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deployments.warm.fork_servers import CAN_FORK

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not CAN_FORK, reason="the platform cannot fork; the worker then runs as the stock one"),
    pytest.mark.timeout(120),
]

PROGRAM = """
import asyncio, json, os, sys
from pathlib import Path
from deployments.warm.early import EarlyFork
from deployments.warm.protocol import ForkOrder

folder = Path(sys.argv[1])
wanted = (["well"], {**os.environ, "MARK": "early"})
early = EarlyFork(*wanted)

async def look():
    server, following = early.client(*wanted), early.client(*wanted)
    await server.start()
    await server.settle(60)
    found = {"modules": server.ready.modules, "stale": server.stale(), "forked": os.getpgid(server.pid) == server.pid}
    known = {"PATH": os.environ["PATH"], "PREFECT_HOME": os.environ["PREFECT_HOME"]}
    order = ForkOrder(key="1", entrypoint="well.flow", directory=str(folder), environment=known, quiet=True)
    run = await server.fork(order)
    await asyncio.wait_for(run.wait(), 30)
    (folder / "well.py").write_text("changed = True")
    found |= {"exit_code": run.returncode, "stale_then": server.stale(), "following": following.pid}
    await server.close()
    try:
        os.kill(server.pid, 0)
    except ProcessLookupError:
        found["gone"] = True
    print(json.dumps(found))

asyncio.run(look())
"""


def run(program: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    home = {"PYTHONPATH": str(folder), "PREFECT_HOME": str(folder / "home")}
    command = [sys.executable, "-c", program, str(folder)]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, **home}, check=False)


def test_a_forked_fork_server_serves_ends_and_knows_what_it_has_imported(tmp_path: Path) -> None:
    """A run must not see whether its fork server was forked or started; and one that has to go must go."""
    (tmp_path / "well.py").write_text("", "utf-8")
    os.utime(tmp_path / "well.py", (0, 0))

    done = run(PROGRAM, tmp_path)
    found: dict[str, Any] = json.loads(done.stdout) if done.stdout else {}

    assert found == {
        "modules": ["well"],
        "stale": None,
        "forked": True,
        # A run of no flow run: Prefect's engine says so.
        "exit_code": 1,
        "stale_then": str(tmp_path / "well.py"),
        "following": None,
        "gone": True,
    }, done.stderr


def test_a_file_that_changed_after_the_worker_began_is_not_what_was_imported(tmp_path: Path) -> None:
    """The worker imports some files before it forks: a deployment in these seconds must not pass unseen."""
    changed = PROGRAM.replace("early = EarlyFork", '(folder / "well.py").write_text("")\nearly = EarlyFork')

    done = run(changed, tmp_path)
    found: dict[str, Any] = json.loads(done.stdout) if done.stdout else {}

    assert found.get("stale") == str(tmp_path / "well.py"), done.stderr


def test_a_fork_server_ends_with_a_worker_that_never_came_to_use_it(tmp_path: Path) -> None:
    """A worker that is refused at the server leaves nothing behind."""
    (tmp_path / "well.py").write_text("", "utf-8")

    done = run(PROGRAM.partition("async def look")[0] + "print(early._pid)", tmp_path)

    async def gone() -> None:
        while True:
            try:
                os.kill(int(done.stdout), 0)
            except ProcessLookupError:
                return
            await asyncio.sleep(0.1)

    asyncio.run(asyncio.wait_for(gone(), 60))
