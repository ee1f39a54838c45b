"""Hold a call to a deadline that its library does not keep: one that drips, or waits for a dead server, for ever."""

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import TypeVar

CALL_THREAD = "call-with-deadline"
Result = TypeVar("Result")


def within(deadline_s: float, call: Callable[[], Result]) -> Result:
    """Make a call in a thread of its own and wait for it no longer than the deadline.

    Errors: `TimeoutError`; the call goes on unseen, so what it does may still happen. Else what the call raises.
    """
    ended: SimpleQueue[tuple[Result | None, BaseException | None]] = SimpleQueue()

    def run() -> None:
        try:
            ended.put((call(), None))
        except BaseException as error:  # noqa: BLE001  (raised again in the thread that waits)
            ended.put((None, error))

    threading.Thread(target=run, name=CALL_THREAD, daemon=True).start()
    try:
        result, error = ended.get(timeout=deadline_s)
    except Empty:
        raise TimeoutError(f"no end in {deadline_s:g} s") from None
    if error is not None:
        raise error
    return result  # type: ignore[return-value]
