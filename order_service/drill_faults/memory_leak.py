"""The release takes 8 MiB more each second, until it holds 1 GiB: a drill must not take the machine with it."""

import threading
import time

from order_service.drill_faults.switch import Switch

STEP_BYTES = 8 * 1024 * 1024
LIMIT_BYTES = 1024 * 1024 * 1024
STEP_EVERY_S = 1.0


def install(switch: Switch) -> None:
    """Leak from a thread of its own, so that orders go on as before."""
    switch.when_on(lambda: threading.Thread(target=_leak, args=(switch,), daemon=True).start())


def _leak(switch: Switch) -> None:
    held: list[bytes] = []
    while switch.on and len(held) * STEP_BYTES < LIMIT_BYTES:
        held.append(b"\xa5" * STEP_BYTES)  # written to, or the kernel would not count it
        time.sleep(STEP_EVERY_S)
    while switch.on:
        time.sleep(STEP_EVERY_S)
