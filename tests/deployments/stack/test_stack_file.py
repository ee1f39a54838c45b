"""`stack.json`: what was started, told apart from a stranger with the same pid."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deployments.stack.stack_file import PartRecord, StackRecord, read_stack, write_stack
from tasks.clients.process.processes import identify
from tasks.model.errors import CannotAct, Code
from tasks.model.probes.processes import ProcessIdentity


def record(identity: ProcessIdentity) -> StackRecord:
    """Make a stack of one part."""
    stack = StackRecord(mark="m", started_at=datetime.now(UTC), starter=None, ports={"worker": 1})
    return stack.with_part(PartRecord(name="worker", identity=identity, log=Path("worker.log")))


def own_identity() -> ProcessIdentity:
    """Identify this very process."""
    found = identify(os.getpid())
    assert found is not None
    return found


def test_a_stack_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    """`down` stops exactly what `up` wrote down."""
    stack = record(own_identity())
    write_stack(tmp_path / "deep" / "stack.json", stack)

    assert read_stack(tmp_path / "deep" / "stack.json") == stack
    assert stack.parts["worker"].alive


def test_a_reused_pid_is_not_our_part() -> None:
    """After a reboot the same pid is somebody's editor; it must not be stopped."""
    own = own_identity()
    stranger = own.model_copy(update={"created_at_s": own.created_at_s - 3600})

    assert not record(stranger).parts["worker"].alive


@pytest.mark.parametrize("text", ["", "{", "[]", '{"mark": 1}', "\x00" * 10])
def test_a_broken_stack_file_does_not_pass_for_no_stack(tmp_path: Path, text: str) -> None:
    """What it named may still run: `down` must not say that there is nothing to stop."""
    (tmp_path / "stack.json").write_text(text, "utf-8")

    with pytest.raises(CannotAct) as caught:
        read_stack(tmp_path / "stack.json")

    assert caught.value.code is Code.FILE_UNREADABLE


def test_a_missing_stack_file_is_no_stack(tmp_path: Path) -> None:
    """Nothing was ever started here."""
    assert read_stack(tmp_path / "stack.json") is None
