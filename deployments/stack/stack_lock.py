"""One `up` or `down` at a time in one state directory."""

from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from deployments.stack.private_files import make_private_folder
from deployments.stack.state_dir import StateDir
from tasks.model.errors import CannotAct, Code


@contextmanager
def stack_lock(state: StateDir) -> Iterator[None]:
    """Hold the stack while it is started or stopped; the operating system lets go when we die.

    Errors: `LOCK_HELD` when another `up` or `down` is at work.
    """
    make_private_folder(state.root)
    lock = FileLock(state.lock_file, timeout=0, mode=0o600, thread_local=False)
    try:
        lock.acquire()
    except Timeout:
        raise CannotAct(
            Code.LOCK_HELD, f"expected the stack to be still was being started or stopped lock={state.lock_file}; wait"
        ) from None
    try:
        yield
    finally:
        lock.release()
