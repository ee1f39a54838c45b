"""The foreground of `runbook up`: show how the stack does, bury its dead children, stop it all at Ctrl-C."""

import contextlib
import os
import time

from deployments.stack.interrupts import deaf_to_interrupts
from deployments.stack.live_status import gather_status
from deployments.stack.stack_file import read_stack
from deployments.stack.stack_lock import stack_lock
from deployments.stack.state_dir import StateDir
from deployments.stack.stopping import stop_left, stop_stack
from deployments.views.status import status_view
from deployments.views.words import say
from tasks.clients.process.marks import STACK_MARK, marked

TICK_S = 0.5
LOOK_EVERY_TICKS = 4


def watch(state: StateDir, mark: str) -> None:
    """Watch until a person interrupts, then stop everything; or until somebody else stopped it.

    Errors: OSError of a view that broke by itself, once everything is stopped: a pipe that nobody reads any more.
    """
    try:
        _show(state, mark)
        if read_stack(state.stack_file) is None and marked(STACK_MARK, mark):
            stop_left(state)
            say(f"The files under {state.root} are gone, so the stack was stopped.")
        else:
            say("The stack was stopped from elsewhere.")
    except KeyboardInterrupt:
        _end(state, mark)
    except OSError as error:
        _end(state, mark)
        # A terminal that is gone takes no more of the view that the interrupt ends.
        if not isinstance(error.__context__, KeyboardInterrupt):
            raise


def _end(state: StateDir, mark: str) -> None:
    with deaf_to_interrupts():
        _say("Stopping …")
        _stop(state, mark)
        _say("Stopped; nothing is left running.")


def _say(text: str) -> None:
    with contextlib.suppress(OSError):
        say(text)


def _show(state: StateDir, mark: str) -> None:
    ticks = 0
    with status_view() as show:
        while (stack := read_stack(state.stack_file)) is not None and stack.mark == mark:
            bury_children()
            if ticks % LOOK_EVERY_TICKS == 0:
                show(gather_status(state))
            ticks += 1
            time.sleep(TICK_S)


def _stop(state: StateDir, mark: str) -> None:
    with stack_lock(state):
        stack = read_stack(state.stack_file)
        if stack is not None and stack.mark == mark:
            stop_stack(state, stack)


def bury_children() -> None:
    """Collect children that ended: a killed order service must not stay a zombie, or its restart waits for it."""
    if not hasattr(os, "WNOHANG"):
        return
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return
