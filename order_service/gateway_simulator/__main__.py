"""Run one gateway: `python -m order_service.gateway_simulator --name XNAS --port 8701 --journal FILE`."""

import asyncio
import importlib.util
import sys
from collections.abc import Coroutine
from typing import Any

from order_service.gateway_simulator.serve import parse_arguments, serve
from order_service.runtime.codes import CannotStart


def main(arguments: list[str]) -> int:
    """Run a gateway until it is stopped; 1 when it does not come up."""
    given = parse_arguments(arguments)
    try:
        _run(serve(given))
    except CannotStart as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        pass
    return 0


def _run(serving: Coroutine[Any, Any, None]) -> None:
    if importlib.util.find_spec("uvloop") is None:
        asyncio.run(serving)
        return
    import uvloop  # noqa: PLC0415 - not there on Windows

    uvloop.run(serving)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
