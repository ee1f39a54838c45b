"""`runbook down`: stop what `runbook up` started."""

from deployments.interrupts import deaf_to_interrupts
from deployments.stack_file import read_stack
from deployments.stack_lock import stack_lock
from deployments.state_dir import find_state_dir
from deployments.stopping import stop_stack, stop_starter
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
    say(f"Stopped the stack under {state.root}." if found else f"No stack runs under {state.root}.")
