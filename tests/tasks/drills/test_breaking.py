"""Breaking and healing real processes: what is ours is signalled, whoever else sits there is not."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tasks.clients.drills.fixing import fixed
from tasks.clients.drills.injecting import injected
from tasks.clients.incidents.ledger import read_ledger
from tasks.model.drills.drills import DrillContext, DrillName
from tasks.model.errors import CannotAct, Code, RunbookError
from tasks.rules.drills.spoiled_tables import CORRUPTED
from tasks.rules.incidents.action_history import is_rearm
from tests.fakes.polling import eventually
from tests.fakes.stack.broken_stack import SERVICE, TABLE, DrillStack, drill_stack
from tests.tasks.drills.trace import at, context

pytestmark = [pytest.mark.live, pytest.mark.skipif(sys.platform == "win32", reason="the drills are POSIX signals")]


@pytest.fixture
def ours(tmp_path: Path) -> Iterator[DrillStack]:
    """A stack whose parts run."""
    with drill_stack(tmp_path) as one:
        yield one


def drill(name: DrillName) -> DrillContext:
    """A drill that has just begun."""
    return context(name).model_copy(update={"injected_at": None, "table": TABLE})


def is_stopped(process: "subprocess.Popen[bytes]") -> bool:
    """Say whether a process stands still."""
    return psutil.Process(process.pid).status() == psutil.STATUS_STOPPED


async def test_the_service_is_stopped_and_its_gateway_is_not(ours: DrillStack) -> None:
    """One fault at a time."""
    done = await injected(ours.settings(), drill(DrillName.SERVICE_STOPPED))

    eventually(lambda: is_stopped(ours.processes[SERVICE]))
    assert not is_stopped(ours.processes["admin"])
    assert done.injected_at is not None
    assert done.injected_at > at(-1_000_000)


async def test_a_gateway_is_killed_and_the_service_lives(ours: DrillStack) -> None:
    """By its admin port, which stays open under any fault."""
    await injected(ours.settings(), drill(DrillName.GATEWAY_KILLED))

    assert ours.processes["admin"].wait(10) != 0
    assert ours.processes[SERVICE].poll() is None


async def test_a_stranger_on_the_port_is_never_signalled(ours: DrillStack) -> None:
    """Somebody else took the port between the check and the drill."""
    ours.processes[SERVICE].kill()
    ours.processes[SERVICE].wait()
    stranger = ours.listen(SERVICE, mark="fedcba9876543210")

    with pytest.raises(RunbookError) as refused:
        await injected(ours.settings(), drill(DrillName.SERVICE_KILLED))

    assert refused.value.code is Code.NOT_OUR_STACK
    assert stranger.poll() is None


async def test_nothing_to_break_is_no_drill(ours: DrillStack) -> None:
    """A service that is gone already cannot be killed; the score would be somebody else's."""
    ours.processes[SERVICE].kill()
    ours.processes[SERVICE].wait()

    with pytest.raises(CannotAct) as refused:
        await injected(ours.settings(), drill(DrillName.SERVICE_KILLED))

    assert refused.value.code is Code.NOT_WELL


async def test_a_table_is_corrupted_on_disk(ours: DrillStack) -> None:
    """The service is not told: it still runs on the old one."""
    await injected(ours.settings(), drill(DrillName.CORRUPTED_TABLE))

    assert ours.table.read_text("utf-8") == CORRUPTED


async def test_healing_goes_as_far_as_it_can_and_names_what_is_left(ours: DrillStack) -> None:
    """The parts here answer nothing, so their switches stay; the process goes on and the table is put back."""
    settings = ours.settings()
    await injected(settings, drill(DrillName.SERVICE_STOPPED))
    await injected(settings, drill(DrillName.CORRUPTED_TABLE))
    eventually(lambda: is_stopped(ours.processes[SERVICE]))

    with pytest.raises(CannotAct) as left:
        await fixed(settings, drill(DrillName.SERVICE_STOPPED))

    assert (left.value.code, left.value.retryable) == (Code.NOT_WELL, True)
    assert "fault switch" in left.value.detail
    assert "change to be in force" in left.value.detail
    eventually(lambda: not is_stopped(ours.processes[SERVICE]))
    assert ours.table.read_text("utf-8") == TABLE
    assert any(is_rearm(one) for one in read_ledger(settings.ledger_path(SERVICE)).records)


async def test_a_part_that_does_not_come_up_is_named(ours: DrillStack) -> None:
    """The fix command is run, and its failure told."""
    ours.processes["admin"].kill()
    ours.processes["admin"].wait()

    with pytest.raises(CannotAct) as left:
        await fixed(ours.settings(), drill(DrillName.GATEWAY_KILLED))

    assert "exit_code=3" in left.value.detail
