"""The lock that all hosts share: taken beside this host's own, named in a refusal, and never a reason to wait."""

import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitUpdate, VariableUpdate
from prefect.settings import PREFECT_API_URL, temporary_settings

from tasks.clients.locks import host_and_server_lock, host_lock
from tasks.clients.locks.host_and_server_lock import SharedNote, leased, name_of, released
from tests.fakes.ports import free_port

pytestmark = [
    pytest.mark.prefect,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture
def service(prefect: str) -> str:
    """A service that no other test locks."""
    assert prefect
    return f"svc-{uuid4().hex[:8]}"


@pytest.fixture
def hosts(tmp_path: Path) -> tuple[Path, Path]:
    """Two state directories: what one host locks, the other does not see."""
    return tmp_path / "here", tmp_path / "there"


@pytest.fixture(autouse=True)
def patient_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests make a new client for each call, which takes a busy machine longer than a flow's own."""
    monkeypatch.setattr(host_and_server_lock, "TIMEOUT_S", 20.0)


async def set_note(service: str, until: datetime, *, doubted: bool = False) -> None:
    """Write what the last holder would have left on the server."""
    note = SharedNote(owner="flow_run=gone", until=until, doubted=doubted).model_dump(mode="json")
    async with get_client() as client:
        await client.update_variable(VariableUpdate(name=name_of(service), value=note))


async def test_two_hosts_cannot_act_at_once(service: str, hosts: tuple[Path, Path]) -> None:
    """Rule 3: each host's own lock is free, and the second still skips, and says who acts until when."""
    here, there = hosts

    first = await leased(here, service, "flow_run=a host=one pid=1")
    second = await leased(there, service, "flow_run=b host=two pid=2")
    await released(here, first)
    third = await leased(there, service, "flow_run=b host=two pid=2")
    await released(there, third)

    assert (first.taken, second.taken, third.taken) == (True, False, True)
    assert first.alone == third.alone == ""
    assert second.holder.startswith("flow_run=a host=one pid=1, its lease until ")


async def test_a_refused_lock_leaves_this_hosts_own_lock_free(service: str, hosts: tuple[Path, Path]) -> None:
    """Neither or both: else a run that skipped would keep the next one of its own host from acting."""
    here, there = hosts
    first = await leased(here, service, "a")

    await leased(there, service, "b")

    assert host_lock.holder_of(there, service) is None
    await released(here, first)


async def test_the_hosts_own_holder_is_named_with_both_of_its_ends(service: str, hosts: tuple[Path, Path]) -> None:
    """A person reads whether to wait, and for how long."""
    here, _ = hosts
    first = await leased(here, service, "flow_run=a")

    second = await leased(here, service, "flow_run=b")
    await released(here, first)

    assert not second.taken
    assert "flow_run=a since" in second.holder
    assert "ends with its process, its lease on the Prefect server until" in second.holder


async def test_without_the_server_this_hosts_lock_counts_alone_and_nobody_waits(
    service: str, hosts: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service that hangs is healed also while Prefect is away; that other hosts were not asked is reported."""
    here, _ = hosts
    monkeypatch.setattr(host_and_server_lock, "TIMEOUT_S", 1.0)
    began = time.monotonic()
    with temporary_settings({PREFECT_API_URL: f"http://127.0.0.1:{free_port()}/api"}):
        lease = await leased(here, service, "a")
        again = await leased(here, service, "b")
        await released(here, lease)

    assert lease.taken
    assert lease.alone
    assert not again.taken
    assert time.monotonic() - began < 5


async def test_a_server_that_goes_away_meanwhile_does_not_keep_the_lock_of_this_host(
    service: str, hosts: tuple[Path, Path]
) -> None:
    """The release says what is left, and fails nothing."""
    here, _ = hosts
    lease = await leased(here, service, "a")
    with temporary_settings({PREFECT_API_URL: f"http://127.0.0.1:{free_port()}/api"}):
        fault = await released(here, lease)

    assert "free again within" in fault
    assert host_lock.holder_of(here, service) is None


def take_and_die(state_dir: Path, service: str, api: str) -> None:
    """Take both locks in a process of its own, which is gone then without giving anything back."""
    program = (
        "import asyncio, os, sys\nfrom pathlib import Path\n"
        "from tasks.clients.locks.host_and_server_lock import leased\n"
        "lease = asyncio.run(leased(Path(sys.argv[1]), sys.argv[2], 'flow_run=killed'))\n"
        "os._exit(0 if lease.taken and not lease.alone else 1)\n"
    )
    environment = {**os.environ, "PREFECT_API_URL": api}
    subprocess.run([sys.executable, "-c", program, str(state_dir), service], env=environment, check=True)


async def test_a_killed_holder_blocks_the_next_one_of_its_host_not_at_all(
    service: str, hosts: tuple[Path, Path], prefect: str
) -> None:
    """The operating system frees the lock, and what was taken on the server is given back in its name."""
    here, there = hosts
    take_and_die(here, service, prefect)

    elsewhere = await leased(there, service, "b")
    next_one = await leased(here, service, "c")
    await released(here, next_one)

    assert not elsewhere.taken
    assert "flow_run=killed" in elsewhere.holder
    assert next_one.taken
    assert next_one.alone == ""


async def test_a_lease_that_the_server_forgot_is_doubted_first_and_then_freed_for_the_next_run(
    service: str, hosts: tuple[Path, Path]
) -> None:
    """A restarted server must not keep a service from being healed for ever; nor may a slow holder lose its lock."""
    here, _ = hosts
    now = datetime.now(UTC)
    await released(here, await leased(here, service, "a"))
    async with get_client() as client:
        await client.update_global_concurrency_limit(name_of(service), GlobalConcurrencyLimitUpdate(active_slots=1))

    held = await leased(here, service, "b")
    await set_note(service, now - timedelta(minutes=5))
    doubted = await leased(here, service, "b")
    waiting = await leased(here, service, "b")
    await set_note(service, now - timedelta(minutes=5), doubted=True)
    freed = await leased(here, service, "b")
    free = await leased(here, service, "b")
    await released(here, free)

    assert [one.taken for one in (held, doubted, waiting, freed, free)] == [False, False, False, False, True]
    assert "if nobody renews it" in doubted.holder
    assert "freed for the next run" in freed.holder


async def test_a_holder_that_works_on_is_renewed_and_its_note_with_it(
    service: str, hosts: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An action with its proof takes longer than a lease."""
    monkeypatch.setattr(host_and_server_lock, "RENEW_EVERY_S", 0.2)
    here, _ = hosts
    lease = await leased(here, service, "a")
    await set_note(service, datetime.now(UTC) - timedelta(minutes=5))

    deadline = time.monotonic() + 10
    while (note := await shared_note(service)).until < datetime.now(UTC) and time.monotonic() < deadline:
        pass
    await released(here, lease)

    assert note.owner == "a"
    assert note.until > datetime.now(UTC)


async def shared_note(service: str) -> SharedNote:
    """What the server says of the holder."""
    async with get_client() as client:
        variable = await client.read_variable_by_name(name_of(service))
    assert variable
    return SharedNote.model_validate(variable.value)


@pytest.mark.parametrize("pair", [("a.b", "a-b"), ("Orders", "orders"), ("a_b", "a-b")])
def test_no_two_services_share_a_lock(pair: tuple[str, str]) -> None:
    """Prefect allows fewer letters in a name than a service may have."""
    assert name_of(pair[0]) != name_of(pair[1])


async def test_what_is_granted_after_nobody_waits_any_more_is_given_back(
    service: str, hosts: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow server must not leave a lock behind that blocks the next run for a minute."""
    here, there = hosts
    monkeypatch.setattr(host_and_server_lock, "TIMEOUT_S", 0.001)
    hasty = await leased(here, service, "hasty")
    monkeypatch.setattr(host_and_server_lock, "TIMEOUT_S", 20.0)

    # Once it is granted, and given back, another host has it; a lease that was kept would be held for a minute.
    deadline = time.monotonic() + 20
    other = await leased(there, service, "b")
    while not other.taken and time.monotonic() < deadline:
        other = await leased(there, service, "b")
    await released(there, other)
    await released(here, hasty)

    assert "no answer" in hasty.alone
    assert other.taken
