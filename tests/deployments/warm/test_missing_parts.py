"""What `runbook up` has to start again."""

import os
from datetime import UTC, datetime
from pathlib import Path

from deployments.commands.up import missing_parts
from deployments.stack.local_stack import PART_NAMES
from deployments.stack.ports import DEFAULTS, MONITORING
from deployments.stack.stack_file import PartRecord, StackRecord
from deployments.stack.state_dir import StateDir
from tasks.clients.process.processes import identify


def stack(*without: str) -> StackRecord:
    """A stack all of whose parts run (they are this very process), without some ports."""
    identity = identify(os.getpid())
    assert identity is not None
    parts = {name: PartRecord(name=name, identity=identity, log=Path("x.log")) for name in PART_NAMES}
    ports = {name: port for name, port in DEFAULTS.items() if name not in without}
    return StackRecord(mark="m", started_at=datetime.now(UTC), starter=None, ports=ports, parts=parts)


def test_a_stack_that_runs_lacks_nothing(tmp_path: Path) -> None:
    """Typing the command twice must not make a second stack."""
    assert missing_parts(StateDir(tmp_path), stack()) == frozenset()


def test_a_stack_of_an_older_version_is_started_anew(tmp_path: Path) -> None:
    """It knows no port for a part of today; a traceback would leave the person with half a stack."""
    assert missing_parts(StateDir(tmp_path), stack(MONITORING)) == frozenset(PART_NAMES)
