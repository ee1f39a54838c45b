"""The main function of a drill release: the service as it is, with one fault put into it."""

import asyncio
import importlib
import signal
import sys
from collections.abc import Awaitable, Callable

from order_service.drill_faults.switch import Switch, wrap


def main(name: str, *, on_signal: bool) -> int:
    """Run the service with a fault; the exit code is the service's own.

    Steps: the fault goes in before the service is imported, since one of them changes what the routing table knows.
    """
    sys.stderr.write(f"DRILL_RELEASE: this release is ill on purpose, fault={name}; never for real orders\n")
    switch = Switch()
    fault = importlib.import_module(f"order_service.drill_faults.{name}")
    fault.install(switch)
    _arm(switch, None if on_signal else float(getattr(fault, "AFTER_S", 0.0)))

    from order_service.codes import CannotStart  # noqa: PLC0415 - after the fault is in
    from order_service.process import run  # noqa: PLC0415 - after the fault is in
    from order_service.settings import load_settings  # noqa: PLC0415 - after the fault is in

    try:
        return run(load_settings())
    except CannotStart as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code


def _arm(switch: Switch, after_s: float | None) -> None:
    """Let the fault come some time after the service has started; without a time, at SIGUSR2, which also ends it."""
    from order_service.service import OrderService  # noqa: PLC0415 - after the fault is in

    def around(start: Callable[[OrderService], Awaitable[None]]) -> Callable[[OrderService], Awaitable[None]]:
        async def started(service: OrderService) -> None:
            await start(service)
            loop = asyncio.get_running_loop()
            if after_s is None:
                loop.add_signal_handler(signal.SIGUSR2, switch.toggle)
            else:
                loop.call_later(after_s, switch.turn_on)

        return started

    wrap(OrderService, "start", around)
