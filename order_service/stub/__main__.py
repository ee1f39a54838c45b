"""Run the stub: `python -m order_service.stub --scenario S --port P`, `--list` shows the scenarios."""

import asyncio
import contextlib
import signal
import sys
import time

from order_service.stub.arguments import Arguments, parse_arguments
from order_service.stub.control import Control
from order_service.stub.patient import Patient
from order_service.stub.scenarios import SCENARIOS, Pace
from order_service.stub.wire import Reply, Request, Wire


def main() -> int:
    """Serve until SIGTERM; 1 and one line when the port is taken."""
    given = parse_arguments(sys.argv[1:])
    try:
        asyncio.run(_serve(given))
    except OSError as error:
        sys.stderr.write(f"PORT_TAKEN: expected port {given.port} free, was {error.strerror}; choose another\n")
        return 1
    except KeyboardInterrupt:
        pass
    return 0


async def _serve(given: Arguments) -> None:
    scenario = SCENARIOS[given.scenario]
    control = Control(given.control_token, is_absent=not scenario.has_control)
    patient = Patient(control, scenario.trade, scenario.down)
    started = time.monotonic()

    def answer(request: Request) -> Reply:
        pace = Pace(time.monotonic() - started, given.slow_s, given.period_s)
        return scenario.bend(request, patient.answer(request), pace)

    server = await asyncio.start_server(Wire(answer, given.drip_interval_s).serve, given.host, given.port)
    port = server.sockets[0].getsockname()[1]
    stop = _stop_signal()
    sys.stdout.write(f"{given.scenario} at http://{given.host}:{port}\n")
    sys.stdout.flush()
    await stop.wait()


def _stop_signal() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # Windows: SIGINT arrives as KeyboardInterrupt
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


if __name__ == "__main__":
    sys.exit(main())
