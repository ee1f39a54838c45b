"""The main function of a drill release: the service as it is, with one fault put into it."""

import asyncio
import signal
import sys

from order_service.drill_faults.faults import INSTALLERS, Switch


def main(name: str, *, on_signal: bool) -> int:
    """Run the service with a fault; the exit code is the service's own.

    Steps: the fault goes in before the service is imported, since one of them changes what the routing table knows.
    """
    sys.stderr.write(f"DRILL_RELEASE: this release is broken on purpose, fault={name}; never for real orders\n")
    switch = Switch()
    install, after_s = INSTALLERS[name]
    install(switch)
    _arm(switch, None if on_signal else after_s)

    from order_service.runtime.codes import CannotStart  # noqa: PLC0415 - after the fault is in
    from order_service.runtime.process import run  # noqa: PLC0415 - after the fault is in
    from order_service.runtime.settings import load_settings  # noqa: PLC0415 - after the fault is in

    try:
        return run(load_settings())
    except CannotStart as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code


def _arm(switch: Switch, after_s: float | None) -> None:
    """Let the fault come some time after the service has started; without a time, at SIGUSR2, which also ends it."""
    from order_service.runtime.service import OrderService  # noqa: PLC0415 - after the fault is in

    start = OrderService.start

    async def started(service: OrderService) -> None:
        await start(service)
        loop = asyncio.get_running_loop()
        if after_s is None:
            loop.add_signal_handler(signal.SIGUSR2, switch.toggle)
        else:
            loop.call_later(after_s, switch.turn_on)

    setattr(OrderService, start.__name__, started)
