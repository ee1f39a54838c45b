"""A bench that is told to stop: what was begun is stopped in order, and one line says so."""

import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

from deployments.stack.interrupts import STOP_SIGNALS

# What a shell gives a command that Ctrl-C has ended.
INTERRUPTED = 130


def to_its_end(what: str, work: Callable[[], int]) -> int:
    """Do some work and give its exit code; where a signal ends it, say so in one line, once it has cleaned up."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        # A second signal would interrupt the cleaning up.
        for one in STOP_SIGNALS:
            signal.signal(one, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {one: signal.signal(one, stop) for one in STOP_SIGNALS}
    try:
        return work()
    except KeyboardInterrupt:
        sys.stderr.write(
            f"INTERRUPTED: expected the end of {what} was a signal to stop; what it had started is stopped, its "
            "result is not written; run it again\n"
        )
        return INTERRUPTED
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def run_child(command: Sequence[str], folder: Path) -> int:
    """Run a command to its end; told to stop, tell it, and wait until it has cleaned up."""
    with subprocess.Popen(command, cwd=folder) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            process.terminate()
            process.wait()
            raise
