"""Work that a process does once at its start, in a copy of it: what the work imports and holds ends with the copy."""

import ctypes
import gc
import multiprocessing
import signal
import sys
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")
CAN_FORK = "fork" in multiprocessing.get_all_start_methods()
# prctl(2): end with whoever started us, also where that one was killed.
PR_SET_PDEATHSIG = 1


def in_copy(work: Callable[[], object]) -> None:
    """Run some work to its end in a forked copy of this process, which must have one thread; here, where none forks.

    What was imported so far is left out of garbage collections from here on, so that both go on sharing its pages.

    Errors: SystemExit with the copy's exit code where that is not 0; it has said why.
    """
    if not CAN_FORK:
        work()
        return
    gc.collect()
    gc.freeze()
    copy = _started(work)
    try:
        copy.join()
    finally:
        copy.kill()
    if copy.exitcode != 0:
        sys.exit(_ended_badly(copy.exitcode))


def from_copy(work: Callable[[], Result]) -> Result:
    """Give what some work finds in a copy, as `in_copy` runs it."""
    if not CAN_FORK:
        return work()
    ours, its = multiprocessing.Pipe(duplex=False)
    copy = _started(lambda: its.send(work()))
    its.close()
    try:
        found: Result = ours.recv()
    except EOFError:
        copy.join()
        sys.exit(_ended_badly(copy.exitcode))
    finally:
        copy.kill()
        copy.join()
        ours.close()
    return found


def _started(work: Callable[[], object]) -> "multiprocessing.process.BaseProcess":
    copy = multiprocessing.get_context("fork").Process(target=_as_copy, args=(work,))
    copy.start()
    return copy


def _ended_badly(code: int | None) -> int:
    return 128 - code if code is not None and code < 0 else code or 1


def _as_copy(work: Callable[[], object]) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    work()
