"""Every order takes five times as long, and 50 ms longer at least; the gateways are as fast as ever."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from order_service.drill_faults.switch import Switch, wrap
from order_service.journal.rows import JournaledOrder
from order_service.order import NewOrder
from order_service.order_flow import OrderFlow

SLOWER_RATIO = 5.0
LEAST_DELAY_S = 0.05
Work = Callable[[OrderFlow, NewOrder, JournaledOrder], Awaitable[JournaledOrder]]


def install(switch: Switch) -> None:
    """Slow down the work on an order, within the time that the service itself measures."""

    def around(work: Work) -> Work:
        async def works(flow: OrderFlow, order: NewOrder, row: JournaledOrder) -> JournaledOrder:
            started = time.perf_counter()
            settled = await work(flow, order, row)
            if switch.on:
                taken_s = time.perf_counter() - started
                await asyncio.sleep(max(LEAST_DELAY_S, taken_s * (SLOWER_RATIO - 1)))
            return settled

        return works

    wrap(OrderFlow, "_work", around)
