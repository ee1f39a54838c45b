"""`runbook deploy` and `runbook worker`: a trading host's part of a Prefect server that several hosts share."""

import os
import sys

from tasks.model.errors import Code, RunbookError
from tasks.settings import PREFIX, load_settings

QUEUE = f"{PREFIX}QUEUE"


def deploy(*, queue: str | None = None) -> None:
    """Register the deployments on the server that PREFECT_API_URL names.

    Parameters
    ----------
    queue
        The work queue of this host, which its deployments carry in their names; default RUNBOOK_QUEUE, else none.
    """
    chosen = _choose(queue)
    # Prefect takes three seconds to import.
    from deployments.worker import register  # noqa: PLC0415

    register(chosen)


def worker(name: str | None = None, /, *, queue: str | None = None) -> None:
    """Register the deployments, then work on the runs of this host's queue until stopped.

    Parameters
    ----------
    name
        What the worker is called in the Prefect UI; default the queue's name.
    queue
        The work queue of this host; default RUNBOOK_QUEUE, else the default queue.
    """
    chosen = _choose(queue)
    if name is not None and not set(name).isdisjoint("/%"):
        raise RunbookError(Code.BAD_ARGUMENT, f"expected a name without / and % was {name!r}; choose another")
    from deployments.worker import main  # noqa: PLC0415

    sys.argv = ["runbook worker", *([shown] if (shown := name or chosen) else [])]
    main()


def _choose(queue: str | None) -> str | None:
    if queue is not None:
        os.environ[QUEUE] = queue
    if not os.environ.get("PREFECT_API_URL"):
        raise RunbookError(Code.NOT_CONFIGURED, "expected a Prefect server was none; set PREFECT_API_URL")
    return load_settings().watching().queue
