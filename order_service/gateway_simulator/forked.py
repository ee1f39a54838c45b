"""Run several gateways, each a process of its own, that share the memory of all that they import.

`python -m order_service.gateway_simulator.forked` writes `ready` once it has imported all, reads its orders as one JSON
document from standard input, forks a gateway for each, writes their pids, and ends; the gateways stay.
"""

import gc
import importlib.util
import json
import os
import sys
import traceback
from typing import NoReturn, TypedDict

from order_service.gateway_simulator.__main__ import main as run_gateway


class GatewayOrder(TypedDict):
    """One gateway: its command line, where it works, and the descriptor that its output goes to."""

    arguments: list[str]
    directory: str
    output: int


def main() -> None:
    if importlib.util.find_spec("uvloop") is not None:
        importlib.import_module("uvloop")
    # What no collection touches stays one copy for all of them.
    gc.collect()
    gc.freeze()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    orders: list[GatewayOrder] = json.loads(sys.stdin.read())
    outputs = [order["output"] for order in orders]
    sys.stdout.write(json.dumps([os.fork() or _become(order, outputs) for order in orders]) + "\n")


def _become(order: GatewayOrder, outputs: list[int]) -> NoReturn:
    """Be one gateway, in a session of its own, to the end."""
    code = 1
    try:
        os.setsid()
        os.chdir(order["directory"])
        with open(os.devnull, "rb") as nothing:  # noqa: PTH123 - its descriptor alone is wanted
            os.dup2(nothing.fileno(), 0)
        for target in (1, 2):
            os.dup2(order["output"], target)
        for output in outputs:
            os.close(output)
        code = run_gateway(order["arguments"])
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 1
    except BaseException:  # noqa: BLE001 - the outermost door of this process: it reports, and ends with 1
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
