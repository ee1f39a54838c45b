"""The stack's worker: `python -m deployments.worker`. It registers what it works on, then works.

The slow part is importing Prefect (3 s); doing it while the server starts takes that time off the start.
"""

import asyncio
import contextlib
import os
import sys
import time

from prefect.cli import app as prefect_cli
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.exceptions import ObjectAlreadyExists
from prefect.settings import (
    PREFECT_WORKER_PREFETCH_SECONDS,
    PREFECT_WORKER_QUERY_SECONDS,
    temporary_settings,
)
from prefect.utilities.processutils import setup_signal_handlers_worker
from prefect.workers.process import ProcessWorker

from deployments.leftovers import end_leftovers
from deployments.state_dir import REPOSITORY
from deployments.warm_worker import WarmWorker
from tasks.settings import load_settings

POOL = "runbook"
SERVER_TIMEOUT_S = 60.0
# Our worker is woken by events: it polls for what is due by the clock, each time for as long as until the next poll.
HEARS_OF_RUNS = {PREFECT_WORKER_QUERY_SECONDS: 5, PREFECT_WORKER_PREFETCH_SECONDS: 8}


async def register() -> None:
    """Make the work pool, and end what an earlier worker left behind.

    Errors: what `prefect deploy` reports, with its exit code.
    """
    async with get_client() as client:
        await _wait_for_server(client)
        with contextlib.suppress(ObjectAlreadyExists):
            await client.create_work_pool(WorkPoolCreate(name=POOL, type=worker_class().type))
        await end_leftovers(client)


async def _wait_for_server(client: PrefectClient) -> None:
    deadline = time.monotonic() + SERVER_TIMEOUT_S
    while (error := await client.api_healthcheck()) is not None:
        if time.monotonic() > deadline:
            sys.exit(
                f"PREFECT_UNREACHABLE: expected {client.api_url} to answer in {SERVER_TIMEOUT_S:.0f} s was {error}"
            )
        await asyncio.sleep(0.1)


def deploy_all() -> None:
    """Run `prefect deploy --all` in this process, which has Prefect imported already."""
    try:
        sys.argv = ["prefect", "--no-prompt", "deploy", "--all"]
        prefect_cli()
    except SystemExit as stop:
        if stop.code:
            raise


async def work(name: str | None) -> None:
    """Work until stopped."""
    setup_signal_handlers_worker(os.getpid(), "the runbook worker", print)
    chosen = worker_class()
    with temporary_settings(HEARS_OF_RUNS if chosen is WarmWorker else {}):
        await chosen(work_pool_name=POOL, name=name).start()


def worker_class() -> type[WarmWorker] | type[ProcessWorker]:
    """Choose the worker: ours, or Prefect's stock one where `RUNBOOK_WORKER_TYPE` says so."""
    match load_settings().worker_type:
        case "warm-process":
            return WarmWorker
        case "process":
            return ProcessWorker


def main() -> None:
    """Register, then work."""
    name = sys.argv[1] if len(sys.argv) > 1 else None
    os.chdir(REPOSITORY)
    asyncio.run(register())
    deploy_all()
    asyncio.run(work(name))


if __name__ == "__main__":
    main()
