"""The event loop stands still for five seconds, once."""

import time

from order_service.drill_faults.switch import Switch

AFTER_S = 5.0
BLOCKED_FOR_S = 5.0


def install(switch: Switch) -> None:
    """Block the loop, and go on as if nothing had been."""
    switch.when_on(lambda: time.sleep(BLOCKED_FOR_S))
