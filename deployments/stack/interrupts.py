"""Being told to stop: Ctrl-C, SIGTERM and a closed terminal are one and the same here."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

# SIGHUP is there on POSIX alone, SIGBREAK on Windows alone.
STOP_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name)]


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@contextmanager
def stop_signals() -> Iterator[None]:
    """Turn every signal that means stop into KeyboardInterrupt."""
    before = {one: signal.signal(one, _interrupt) for one in STOP_SIGNALS}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def hear_interrupts() -> None:
    """Take Ctrl-C up again in a process that was started deaf to it, as a script starts what it puts in the background.

    Prefect turns SIGTERM into SIGINT, and such a worker would never stop.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def deaf_to_interrupts() -> Iterator[None]:
    """Finish stopping, however often a person presses Ctrl-C; stopping has deadlines of its own."""
    before = {one: signal.signal(one, signal.SIG_IGN) for one in STOP_SIGNALS}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
