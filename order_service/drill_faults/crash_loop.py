"""The release listens, and ends five seconds later, each time it is started."""

import os
import sys

from order_service.drill_faults.switch import Switch

AFTER_S = 5.0


def install(switch: Switch) -> None:
    """End the process without any good order."""
    switch.when_on(_crash)


def _crash() -> None:
    sys.stderr.write("Fatal error: invalid state in the routing engine\n")
    sys.stderr.flush()
    os._exit(70)
