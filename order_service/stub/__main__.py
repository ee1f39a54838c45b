"""Run the stub: `python -m order_service.stub --scenario S --port P`, `--list` shows the scenarios."""

import asyncio
import sys

from order_service.runtime.listening import stop_signal
from order_service.stub.server import StubArguments, listen, parse_arguments, port_of


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


async def _serve(given: StubArguments) -> None:
    server = await listen(given)
    stop = stop_signal()
    sys.stdout.write(f"{given.scenario} at http://{given.host}:{port_of(server)}\n")
    sys.stdout.flush()
    await stop.wait()


if __name__ == "__main__":
    sys.exit(main())
