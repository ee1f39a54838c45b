"""What a forked child does: put on the run's environment, run Prefect's engine, end as a process of its own would.

The fork itself (session, descriptors, signals) is the fork server's part; here nothing of the worker is left.
"""

import asyncio
import atexit
import os
import random
import runpy
import sys
import threading
import time
import traceback
from typing import Any, NoReturn

from deployments.warm.protocol import ForkOrder, HookCall

ENGINE = "prefect.engine"
ENTRYPOINT = "PREFECT__FLOW_ENTRYPOINT"


def become_run(order: ForkOrder) -> NoReturn:
    """Run the flow and end; never returns into the fork server's code."""
    exit_code = 1
    try:
        put_on(order)
        exit_code = run_hooks(order.hook, order.entrypoint) if order.hook else run_engine()
    except BaseException:  # noqa: BLE001 - the outermost door of this process: it reports, and ends with 1
        traceback.print_exc()
    finally:
        end(exit_code)


def put_on(order: ForkOrder) -> None:
    """Take the run's environment, folder and output.

    Steps:
        1. the run's variables, and only those; Prefect's settings anew where they differ from the fork server's
        2. the run's working folder, first on the path as `python -m` has it
        3. no output where none is wanted; seeds that no other run has
    """
    before = _settings(os.environ)
    os.environ.clear()
    os.environ.update(order.environment)
    os.environ[ENTRYPOINT] = order.entrypoint
    time.tzset()
    if _settings(order.environment) != before:
        _read_settings_again()
    os.chdir(order.directory)
    sys.path.insert(0, order.directory)
    if order.quiet:
        _be_quiet()
    random.seed()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()


def run_engine() -> int:
    """Run `python -m prefect.engine` in this process, and give its exit code."""
    sys.argv = [ENGINE]
    # A second copy as `__main__` beside the imported one is what `python -m` would make, without a warning.
    sys.modules.pop(ENGINE, None)
    try:
        runpy.run_module(ENGINE, run_name="__main__")
    except SystemExit as stop:
        return _exit_code(stop.code)
    except KeyboardInterrupt:
        return 130
    except BaseException:  # noqa: BLE001 - as the interpreter does with what nobody caught
        traceback.print_exc()
        return 1
    return 0


def run_hooks(call: HookCall, entrypoint: str) -> int:
    """Run the flow's hooks for a run that was canceled or has crashed; the worker itself never imports a flow."""
    from prefect.client.schemas.objects import FlowRun, State  # noqa: PLC0415 - the fork server imports it when told
    from prefect.flows import load_flow_from_entrypoint  # noqa: PLC0415
    from prefect.runner._hook_runner import HookRunner  # noqa: PLC0415

    async def find(_: FlowRun) -> Any:
        return load_flow_from_entrypoint(entrypoint, use_placeholder_flow=False)

    flow_run, state = FlowRun.model_validate_json(call.flow_run), State[Any].model_validate_json(call.state)
    runner = HookRunner(resolve_flow=find)
    match call.when:
        case "cancellation":
            asyncio.run(runner.run_cancellation_hooks(flow_run, state))
        case "crashed":
            asyncio.run(runner.run_crashed_hooks(flow_run, state))
    return 0


def end(exit_code: int) -> NoReturn:
    """End as the interpreter does: threads, exit functions, output; but leave the memory to the operating system."""
    try:
        threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001 - what Py_Finalize calls first
        atexit._run_exitfuncs()  # noqa: SLF001 - Prefect sends its last logs and events here
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(exit_code)


def _settings(variables: "os._Environ[str] | dict[str, str]") -> dict[str, str]:
    return {
        name: value
        for name, value in variables.items()
        if name.startswith("PREFECT_") and not name.startswith("PREFECT__")
    }


def _read_settings_again() -> None:
    from prefect.context import refresh_global_settings_context  # noqa: PLC0415 - the fork server imports it when told
    from prefect.logging.configuration import setup_logging  # noqa: PLC0415

    refresh_global_settings_context()
    setup_logging(incremental=False)


def _be_quiet() -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.close(nowhere)


def _exit_code(code: "str | int | None") -> int:
    match code:
        case None:
            return 0
        case int():
            return code & 0xFF
        case str():
            sys.stderr.write(f"{code}\n")
            return 1
