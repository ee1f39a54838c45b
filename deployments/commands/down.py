"""`runbook down`: stop what `runbook up` started."""

from pathlib import Path

from deployments.interrupts import deaf_to_interrupts
from deployments.stack_file import read_stack
from deployments.stack_lock import stack_lock
from deployments.state_dir import find_state_dir
from deployments.stopping import stop_left, stop_stack, stop_starter
from deployments.views.words import say


def down() -> None:
    """Stop the stack: everything that `up` started, and nothing else."""
    state = find_state_dir()
    found = read_stack(state.stack_file)
    stop_starter(found)
    with stack_lock(state), deaf_to_interrupts():
        left = read_stack(state.stack_file)
        if left is not None:
            stop_stack(state, left)
        count = stop_left(state)
    say(_told(state.root, count, is_known=found is not None))


def _told(root: Path, count: int, *, is_known: bool) -> str:
    if is_known:
        return f"Stopped the stack under {root}."
    if count:
        return f"Stopped {count} processes of the stack under {root}, found by their mark: its stack.json was gone."
    return f"No stack runs under {root}."
