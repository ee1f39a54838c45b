"""`POST /orders` is never answered, while everything else is well."""

import asyncio
from collections.abc import Awaitable, Callable

from order_service.answers import Answer
from order_service.drill_faults.switch import Switch, wrap
from order_service.order import NewOrder
from order_service.order_flow import OrderFlow

Take = Callable[[OrderFlow, NewOrder], Awaitable[Answer]]


def install(switch: Switch) -> None:
    """Leave new orders waiting before anything of them is written down or sent."""

    def around(take: Take) -> Take:
        async def takes(flow: OrderFlow, order: NewOrder) -> Answer:
            if switch.on:
                await asyncio.Event().wait()
            return await take(flow, order)

        return takes

    wrap(OrderFlow, "take", around)
