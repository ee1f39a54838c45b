"""A remediation that dies at a chosen step, as a killed worker's run does: `python -m tests.fakes.incident.dying_run`.

Reads one JSON line for each run, forks the run from what it has imported, and answers with its exit code.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

import flows.remediation
import tasks.work.remediation.execute
import tasks.work.remediation.restart
from tasks.model.remediation.remediation import RemediationCase
from tasks.work.remediation.execute import ActionOutcome

KILLED = 9


def die(*_: object, **__: object) -> NoReturn:
    """End at once: nothing is tidied up, nothing is reported."""
    os._exit(KILLED)


def instead_of(module: ModuleType, name: str) -> Callable[[], None]:
    """Put the death in the place of one function, which must be there."""
    assert callable(getattr(module, name)), name
    return lambda: setattr(module, name, die)


def die_at_the_second_record() -> None:
    """Let the start be recorded, and not the end."""
    record, calls = tasks.work.remediation.execute._record, []

    def counted(*arguments: Any) -> str:
        calls.append(1)
        if len(calls) == 2:
            die()
        return record(*arguments)

    tasks.work.remediation.execute._record = counted


def lose_prefect_during_the_deed() -> None:
    """Kill the Prefect server once the action is begun; the run itself goes on."""
    replaced = tasks.work.remediation.restart.replaced

    def without_prefect(*arguments: Any) -> ActionOutcome:
        os.kill(int(os.environ["SERVER_TO_KILL"]), signal.SIGKILL)
        return replaced(*arguments)

    tasks.work.remediation.restart.replaced = without_prefect


# A death is named by the step that was the last to end.
BREAKS: dict[str, Callable[[], None]] = {
    "lease": instead_of(flows.remediation, "write_plan"),
    "plan": instead_of(flows.remediation, "take_snapshot"),
    "snapshot": instead_of(tasks.work.remediation.execute, "guard_inputs_now"),
    "started": instead_of(tasks.work.remediation.restart, "replaced"),
    "deed": die_at_the_second_record,
    "finished": instead_of(flows.remediation, "confirm_recovery"),
    "proof": instead_of(flows.remediation, "release_service"),
    "away": lose_prefect_during_the_deed,
}


def run(order: dict[str, Any]) -> None:
    """Carry one case out, up to the death."""
    os.environ.update(order["environment"])
    BREAKS[order["step"]]()
    case = RemediationCase.model_validate_json(Path(order["case"]).read_text("utf-8"))
    asyncio.run(flows.remediation.remediation(case))


def main() -> None:
    """Fork a run for each line."""
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                run(json.loads(line))
            except BaseException as error:  # noqa: BLE001 - a fork must not go on as its parent
                sys.stderr.write(f"{type(error).__name__}: {error}\n")
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
