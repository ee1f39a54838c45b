"""Run the stub: `python -m order_service.stub --scenario S --port P`, `--list` shows the scenarios."""

import asyncio
import contextlib
import signal
import sys

from order_service.stub.arguments import Arguments, parse_arguments
from order_service.stub.server import listen, port_of


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
    server = await listen(given)
    stop = _stop_signal()
    sys.stdout.write(f"{given.scenario} at http://{given.host}:{port_of(server)}\n")
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
