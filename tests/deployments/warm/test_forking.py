"""A real fork server, asked by a real client: what it imports, what it forks, and when it ends."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from deployments.warm.fork_servers import CAN_FORK
from deployments.warm.forking import ForkServerClient
from deployments.warm.importing import changed
from deployments.warm.protocol import Ended, Forked, ForkOrder
from tasks.model.errors import CannotAct, Code
from tests.fakes.polling import eventually

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not CAN_FORK, reason="the platform cannot fork; the worker then runs as the stock one"),
    pytest.mark.timeout(60),
]


def client(folder: Path, *modules: str) -> ForkServerClient:
    """Describe a fork server that finds modules in a folder."""
    return ForkServerClient(modules, {**os.environ, "PYTHONPATH": str(folder), "PREFECT_HOME": str(folder / "home")})


def order(folder: Path, key: str, **variables: str) -> ForkOrder:
    """Ask for a run of no flow run: Prefect's engine says so, and ends with 1, without asking a server."""
    known = {"PATH": os.environ["PATH"], "PREFECT_HOME": str(folder / "home"), **variables}
    return ForkOrder(key=key, entrypoint="a.flow", directory=str(folder), environment=known, quiet=True)


def test_a_broken_flow_costs_the_others_nothing_and_every_run_tells_how_it_ended(tmp_path: Path) -> None:
    """One broken flow must not send every triage back to four seconds; and no run may end unheard."""
    (tmp_path / "well.py").write_text("", "utf-8")
    (tmp_path / "broken.py").write_text("raise SystemExit(3)\n", "utf-8")

    async def look() -> None:
        server = client(tmp_path, "broken", "well")
        await server.start()
        await server.settle(40)
        ready = server.ready
        assert ready is not None
        assert ready.modules == ("well",)
        assert "SystemExit: 3" in ready.failures["broken"]
        assert server.stale() is None
        processes = [await server.fork(order(tmp_path, str(number))) for number in range(3)]
        assert len({one.pid for one in processes}) == 3
        server.retire()
        for one in processes:
            await asyncio.wait_for(one.wait(), 20)
        assert [one.returncode for one in processes] == [1, 1, 1]
        (tmp_path / "broken.py").write_text("fixed = True\n", "utf-8")
        assert changed(ready.sources) == str(tmp_path / "broken.py")
        await asyncio.sleep(0)
        eventually(lambda: not _alive(server.pid), within_s=15)
        await server.close()

    asyncio.run(look())


def test_a_module_that_starts_a_thread_is_named_and_nothing_is_forked_from_it(tmp_path: Path) -> None:
    """A fork copies the locks of a thread and not the thread: the run would hang some day."""
    (tmp_path / "threaded.py").write_text(
        "import threading, time\nthreading.Thread(target=time.sleep, args=(30,), daemon=True, name='ticker').start()\n"
    )

    async def look() -> None:
        server = client(tmp_path, "threaded")
        await server.start()
        await server.settle(40)
        try:
            assert server.gone
            assert server.unready is not None
            assert (server.unready.module, "ticker" in server.unready.reason) == ("threaded", True)
            with pytest.raises(CannotAct) as refused:
                await server.fork(order(tmp_path, "1"))
            assert refused.value.code is Code.START_FAILED
        finally:
            await server.close()

    asyncio.run(look())


def test_a_server_whose_worker_died_ends_by_itself(tmp_path: Path) -> None:
    """A fork server that nobody asks any more is 150 MB that nobody misses."""

    async def look() -> None:
        orphaned = client(tmp_path)
        await orphaned.start()
        await orphaned.settle(40)
        assert orphaned._writer is not None
        orphaned._writer.close()
        await asyncio.sleep(0)
        eventually(lambda: not _alive(orphaned.pid), within_s=15)
        await orphaned.close()

    asyncio.run(look())


def test_a_process_that_comes_after_everybody_stopped_waiting_is_ended(tmp_path: Path) -> None:
    """A run that nobody watches is one that nobody cancels, ends or reports."""
    words = [sys.executable, "-c", "import time; time.sleep(60)"]

    async def look(late: "subprocess.Popen[bytes]") -> None:
        server = client(tmp_path)
        server._take(Forked(key="given up", pid=late.pid))
        server._take(Ended(pid=late.pid, exit_code=late.wait(10)))
        assert late.returncode == -signal.SIGKILL
        assert server._early == {}

    with subprocess.Popen(words, start_new_session=True) as started:
        asyncio.run(look(started))


def test_an_end_that_is_told_before_the_start_was_noticed_is_kept(tmp_path: Path) -> None:
    """A run of ten milliseconds has an exit code too."""

    async def look() -> None:
        server = client(tmp_path)
        server._take(Ended(pid=2**30, exit_code=7))

        process = server._keep(2**30)
        await asyncio.wait_for(process.wait(), 1)
        assert process.returncode == 7

    asyncio.run(look())


def _alive(pid: int | None) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
