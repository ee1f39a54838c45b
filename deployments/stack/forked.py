"""Work that a process does once at its start, in a copy of it: what the work imports and holds ends with the copy."""

import ctypes
import gc
import multiprocessing
import signal
import sys
from collections.abc import Callable

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
    copy = multiprocessing.get_context("fork").Process(target=_as_copy, args=(work,))
    copy.start()
    try:
        copy.join()
    finally:
        copy.kill()
    if code := copy.exitcode:
        sys.exit(code if code > 0 else 128 - code)


def _as_copy(work: Callable[[], object]) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    work()
