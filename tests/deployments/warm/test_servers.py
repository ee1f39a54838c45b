"""The succession of fork servers: which one a run is forked from, and when it gets a process of its own."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from deployments.warm import fork_servers
from deployments.warm.fork_servers import ForkServers
from deployments.warm.importing import CHANGED_WHILE_IMPORTED, changed, fingerprint, imported_sources
from deployments.warm.protocol import Ready, Unready

LOG = logging.getLogger("test")


class FakeServer:
    """A fork server that is ready at once, unless told otherwise."""

    made: "list[FakeServer]"
    threads_in: str | None = None
    hangs = False

    def __init__(self, modules: list[str], _environment: dict[str, str]) -> None:
        self.modules = tuple(modules)
        self.started_at_s = time.monotonic()
        self.ready: Ready | None = None
        self.unready: Unready | None = None
        self.changed: str | None = None
        self.retired = self.closed = False
        self.hanging = self.hangs
        type(self).made.append(self)

    async def start(self) -> None:
        """Become ready, or say which module must not be imported."""
        if self.threads_in in self.modules:
            self.unready = Unready(module=str(self.threads_in), reason="a thread")
        elif not self.hanging:
            self.ready = Ready(modules=self.modules, failures={}, sources={})

    @property
    def gone(self) -> bool:
        """Say whether it can be used no more."""
        return self.ready is None and not self.hanging

    async def settle(self, _within_s: float) -> None:
        """Be settled."""

    def stale(self) -> str | None:
        """Name the changed file."""
        return self.changed

    def retire(self) -> None:
        """Note that it was retired."""
        self.retired = True

    async def close(self) -> None:
        """Note that it was closed."""
        self.closed = True

    def die(self) -> None:
        """Be killed."""
        self.ready = None


@pytest.fixture
def fake() -> type[FakeServer]:
    """Give a kind of fork server of this test's own."""
    return type("Fake", (FakeServer,), {"made": []})


def servers(fake: type[FakeServer], *modules: str) -> ForkServers:
    """Make a succession of fakes."""
    return ForkServers(modules, dict, LOG, fake)  # type: ignore[arg-type]


def run(work: Callable[[], Awaitable[None]]) -> None:
    """Run one test's coroutine."""
    asyncio.run(work())  # type: ignore[arg-type]


def test_code_that_has_changed_is_never_forked_from(fake: type[FakeServer]) -> None:
    """After a deployment no run works with the old code, not even the very next one."""

    async def work() -> None:
        ours = servers(fake, "flows.triage")
        await ours.start()
        assert await ours.usable("flows.triage.triage") is fake.made[0]
        fake.made[0].changed = "flows/triage.py"

        assert await ours.usable("flows.triage.triage") is fake.made[1]
        assert fake.made[0].retired

    run(work)


def test_a_server_that_died_is_followed_at_once(fake: type[FakeServer]) -> None:
    """The next run does not pay for it."""

    async def work() -> None:
        ours = servers(fake, "flows.triage")
        await ours.start()
        fake.made[0].started_at_s -= 60
        fake.made[0].die()

        assert await ours.usable("flows.triage.triage") is fake.made[1]

    run(work)


def test_a_server_that_dies_again_and_again_is_given_pauses_and_runs_get_processes_of_their_own(
    fake: type[FakeServer],
) -> None:
    """Imports without end would take the cores from the service that is watched."""

    async def work() -> None:
        ours = servers(fake, "flows.triage")
        await ours.start()
        for _ in range(20):
            fake.made[-1].die()
            assert await ours.usable("flows.triage.triage") is None

        assert len(fake.made) == 1

    run(work)


def test_a_flow_that_starts_threads_when_imported_is_left_out_and_the_others_stay_warm(fake: type[FakeServer]) -> None:
    """It is imported by its own runs, where its threads are its own."""
    fake.threads_in = "flows.threaded"

    async def work() -> None:
        ours = servers(fake, "flows.triage", "flows.threaded")
        await ours.start()

        used = await ours.usable("flows.triage.triage")
        assert used is not None
        assert used.modules == ("flows.triage",)

    run(work)


def test_a_flow_that_was_not_known_is_run_now_and_imported_for_the_next_time(fake: type[FakeServer]) -> None:
    """Any deployment of the pool becomes warm by being used."""

    async def work() -> None:
        ours = servers(fake, "flows.triage")
        await ours.start()

        assert await ours.usable("desk.report.report") is fake.made[0]
        used = await ours.usable("desk.report.report")
        assert used is not None
        assert used.modules == ("flows.triage", "desk.report")

    run(work)


def test_an_import_without_end_is_ended_and_what_was_learned_is_left_out(fake: type[FakeServer]) -> None:
    """A flow that waits for the network when it is imported must not hold up the triage of every minute."""

    async def work() -> None:
        ours = servers(fake, "flows.triage")
        await ours.start()
        await ours.usable("desk.hanging.hanging")
        fake.hangs = True
        assert await ours.usable("flows.triage.triage") is None
        fake.hangs = False
        fake.made[-1].started_at_s -= fork_servers.PATIENCE_S + 1

        used = await ours.usable("flows.triage.triage")
        assert used is not None
        assert used.modules == ("flows.triage",)
        assert fake.made[-2].closed

    run(work)


def test_without_fork_every_run_gets_a_process_of_its_own(
    fake: type[FakeServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On Windows the worker is the stock one, and says nothing else."""
    monkeypatch.setattr(fork_servers, "CAN_FORK", False)

    async def work() -> None:
        ours = servers(fake, "flows.triage")
        await ours.start()
        await ours.reload("SIGHUP")
        assert await ours.usable("flows.triage.triage") is None
        await ours.close()

    run(work)
    assert fake.made == []


def test_a_changed_a_replaced_and_a_removed_file_are_all_noticed(tmp_path: Path) -> None:
    """Editors write in place, package managers replace, a rollback removes."""
    files = [tmp_path / name for name in ("written.py", "replaced.py", "removed.py", "same.py")]
    for file in files:
        file.write_text("x = 1\n", "utf-8")
    known = {str(file): fingerprint(str(file)) for file in files}
    assert changed(known) is None

    files[0].write_text("x = 22\n", "utf-8")
    fresh = tmp_path / "fresh"
    fresh.write_text("x = 1\n", "utf-8")
    fresh.replace(files[1])
    files[2].unlink()

    for file in files[:3]:
        assert changed({str(file): known[str(file)]}) == str(file)
    assert changed({str(files[3]): known[str(files[3])]}) is None


def test_a_file_that_changed_while_it_was_imported_counts_as_changed(tmp_path: Path) -> None:
    """Which of its two contents was imported nobody knows."""
    file = tmp_path / "flow.py"
    file.write_text("x = 1\n", "utf-8")
    written_ns = file.stat().st_mtime_ns

    during = imported_sources([], [str(file)], (written_ns - 1, written_ns + 1))
    after = imported_sources([], [str(file)], (written_ns + 1, written_ns + 2))

    assert during[str(file)] == CHANGED_WHILE_IMPORTED
    assert changed({str(file): during[str(file)]}) == str(file)
    assert changed({str(file): after[str(file)]}) is None
