"""`runbook down`: stop what `runbook up` started."""

from deployments.stack.interrupts import deaf_to_interrupts
from deployments.stack.stack_file import read_stack
from deployments.stack.stack_lock import stack_lock
from deployments.stack.state_dir import find_state_dir
from deployments.stack.stopping import stop_left, stop_stack, stop_starter
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
    if found is not None:
        say(f"Stopped the stack under {state.root}.")
    elif count:
        say(f"Stopped {count} processes of the stack under {state.root}, found by their mark: its stack.json was gone.")
    else:
        say(f"No stack is running under {state.root}.")
