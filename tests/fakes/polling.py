"""Wait for something to become true; a test never sleeps and hopes."""

import time
from collections.abc import Callable


def eventually(holds: Callable[[], object], within_s: float = 60.0, every_s: float = 0.02) -> None:
    """Poll until it holds; fail with what it last said when it does not in time."""
    deadline, last = time.monotonic() + within_s, None
    while time.monotonic() < deadline:
        last = holds()
        if last:
            return
        time.sleep(every_s)
    raise AssertionError(f"did not hold within {within_s} s; last was {last!r}")
