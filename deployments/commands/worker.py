"""`runbook deploy` and `runbook worker`: a trading host's part of a Prefect server that several hosts share."""

import os
import sys
from typing import Annotated

from cyclopts import Parameter

from tasks.model.errors import Code, RunbookError
from tasks.settings import CONFIG_VARIABLE, PREFIX, RunbookSettings, load_settings

QUEUE = f"{PREFIX}QUEUE"
Queue = Annotated[str | None, Parameter(help=f"The work queue of this host; default: {QUEUE}, else none.")]


def deploy(*, queue: Queue = None) -> None:
    """Register the deployments of this host's queue on the server that PREFECT_API_URL names."""
    chosen = _choose(queue)
    # Prefect takes three seconds to import.
    from deployments.worker import register  # noqa: PLC0415

    register(chosen)


def worker(
    name: Annotated[str | None, Parameter(help="Its name in the Prefect UI; default: the queue's.")] = None,
    /,
    *,
    queue: Queue = None,
) -> None:
    """Register the deployments, then work on the runs of this host's queue until stopped."""
    chosen = _choose(queue)
    if name is not None and not set(name).isdisjoint("/%"):
        raise RunbookError(Code.BAD_ARGUMENT, f"expected a name without / and %, found {name!r}; choose another")
    from deployments.worker import main  # noqa: PLC0415

    sys.argv = ["runbook worker", *([shown] if (shown := name or chosen) else [])]
    main()


def _choose(queue: str | None) -> str | None:
    if queue is not None:
        os.environ[QUEUE] = queue
    if not os.environ.get("PREFECT_API_URL"):
        raise RunbookError(Code.NOT_CONFIGURED, "expected a Prefect server, found none; set PREFECT_API_URL")
    settings = load_settings().watching()
    _same_place_for_runs(settings)
    return settings.queue


def _same_place_for_runs(settings: RunbookSettings) -> None:
    """Let every run read the settings and the state of this folder: runs begin in a folder of their own."""
    if settings.config is not None:
        os.environ[CONFIG_VARIABLE] = str(settings.config.absolute())
    os.environ[f"{PREFIX}STATE_DIR"] = str(settings.state_dir.absolute())
