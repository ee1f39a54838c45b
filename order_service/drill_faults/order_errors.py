"""30 % of the orders end in a 500 before they are sent."""

import zlib
from collections.abc import Callable

from order_service.drill_faults.switch import Switch, wrap
from order_service.gatekeeper import Gatekeeper
from order_service.order import NewOrder

FAILING_RATIO = 0.3


def install(switch: Switch) -> None:
    """Break the gatekeeper for the same orders each time they come."""

    def around(admit: Callable[[Gatekeeper, NewOrder], str]) -> Callable[[Gatekeeper, NewOrder], str]:
        def admits(gatekeeper: Gatekeeper, order: NewOrder) -> str:
            if switch.on and zlib.crc32(order.client_order_id.encode()) % 100 < FAILING_RATIO * 100:
                raise KeyError("venue_code")
            return admit(gatekeeper, order)

        return admits

    wrap(Gatekeeper, "admit", around)
