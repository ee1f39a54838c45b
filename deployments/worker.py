"""The stack's worker: `python -m deployments.worker`. It registers what it works on, then works.

The slow part is importing Prefect (3 s); doing it while the server starts takes that time off the start.
"""

import asyncio
import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import yaml  # type: ignore[import-untyped]
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.exceptions import ObjectAlreadyExists, PrefectHTTPStatusError
from prefect.settings import (
    PREFECT_WORKER_PREFETCH_SECONDS,
    PREFECT_WORKER_QUERY_SECONDS,
    temporary_settings,
)
from prefect.utilities.processutils import setup_signal_handlers_worker
from prefect.workers.process import ProcessWorker

from deployments.prefect_api.queues import DEFAULT_QUEUE, in_queue
from deployments.stack.forked import in_copy
from deployments.stack.interrupts import hear_interrupts
from deployments.stack.leftovers import end_leftovers
from deployments.stack.ports import SERVER
from deployments.stack.state_dir import REPOSITORY
from deployments.views.words import complain
from deployments.warm.early import EarlyFork
from deployments.warm.fork_servers import CAN_FORK
from deployments.warm.worker_type import WarmWorker, flow_modules, fork_environment
from tasks.clients.process.marks import STACK_MARK
from tasks.clients.process.port_holders import stranger_in
from tasks.model.errors import CannotAct, Code, RunbookError
from tasks.settings import load_settings

POOL = "runbook"
SERVER_TIMEOUT_S = 60.0
# Our worker is woken by events: it polls for what is due by the clock, each time for as long as until the next poll.
HEARS_OF_RUNS = {PREFECT_WORKER_QUERY_SECONDS: 10, PREFECT_WORKER_PREFETCH_SECONDS: 13}


async def make_pool() -> None:
    """Wait for the server, and make the work pool where there is none.

    Errors: `NOT_CONFIGURED` where the server wants another login than ours, `PORT_TAKEN` where it is not our stack's.
    """
    async with get_client() as client:
        await _wait_for_server(client)
        with contextlib.suppress(ObjectAlreadyExists):
            try:
                await client.create_work_pool(new_pool())
            except PrefectHTTPStatusError as error:
                raise _not_let_in(client, error) from None


def new_pool() -> WorkPoolCreate:
    """Describe the pool: whichever worker serves it, its form has no place for a command of a run."""
    form = WarmWorker.get_default_base_job_template()
    return WorkPoolCreate(name=POOL, type=worker_class().type, base_job_template=form)


async def bury(queue: str) -> None:
    """End what an earlier worker of this queue left behind."""
    async with get_client() as client:
        await end_leftovers(client, queue)


def _not_let_in(client: PrefectClient, error: PrefectHTTPStatusError) -> Exception:
    # A proxy may say 403 for a while; that a login is missing, or wrong, waits for a person.
    if error.response.status_code != 401:
        return error
    detail = (
        f"expected to be let in was refused api={client.api_url}; set PREFECT_API_AUTH_STRING to its USER:PASSWORD, "
        "then start the worker again"
    )
    return RunbookError(Code.NOT_CONFIGURED, detail)


async def _wait_for_server(client: PrefectClient) -> None:
    deadline = time.monotonic() + SERVER_TIMEOUT_S
    refuse_stranger(str(client.api_url), os.environ.get(STACK_MARK))
    while (error := await client.api_healthcheck()) is not None:
        if time.monotonic() > deadline:
            sys.exit(
                f"PREFECT_UNREACHABLE: expected {client.api_url} to answer in {SERVER_TIMEOUT_S:.0f} s was {error}"
            )
        await asyncio.sleep(0.1)
        refuse_stranger(str(client.api_url), os.environ.get(STACK_MARK))


def refuse_stranger(api_url: str, mark: str | None) -> None:
    """Let a stack's worker work for the stack's own server alone, and tell its password to nobody else.

    Errors: `PORT_TAKEN`. Where no stack's mark is set, the server is elsewhere, and its login says enough.
    """
    port = urlsplit(api_url).port
    stranger = stranger_in(port, mark) if mark and port else None
    if stranger is not None:
        raise CannotAct(
            Code.PORT_TAKEN, f"expected port={port} for {SERVER} was held by {stranger}; stop it, then up again"
        )


def deploy_all(queue: str | None) -> None:
    """Run `prefect deploy --all` in this process, which has Prefect imported already.

    Errors: what it reports, with its exit code; `NOT_CONFIGURED` for a queue of a host that watches nothing.
    """
    # For the copy that registers, alone: it stays out of the worker.
    from prefect.cli import app as prefect_cli  # noqa: PLC0415

    with prefect_file(queue) as file:
        try:
            sys.argv = ["prefect", "--no-prompt", "deploy", "--all", "--prefect-file", str(file)]
            prefect_cli()
        except SystemExit as stop:
            if stop.code:
                raise


@contextlib.contextmanager
def prefect_file(queue: str | None) -> Iterator[Path]:
    """Give prefect.yaml, as it is or as a host's own queue needs it."""
    plain = REPOSITORY / "prefect.yaml"
    if queue is None:
        yield plain
        return
    document = in_queue(yaml.safe_load(plain.read_text("utf-8")), queue, load_settings().watching().services)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "prefect.yaml"
        file.write_text(yaml.safe_dump(document, sort_keys=False), "utf-8")
        yield file


async def work(name: str | None, queue: str, options: dict[str, Any]) -> None:
    """Work on one queue until stopped; without naming one, Prefect would give a worker the runs of every host."""
    setup_signal_handlers_worker(os.getpid(), "the runbook worker", print)
    chosen = worker_class()
    with temporary_settings(HEARS_OF_RUNS if chosen is WarmWorker else {}):
        await chosen(work_pool_name=POOL, name=name, work_queues=[queue], **options).start()


def fork_early() -> dict[str, Any]:
    """Fork the first fork server, where this worker has one: as what a run is to find, and before any thread starts."""
    if worker_class() is not WarmWorker or not CAN_FORK:
        return {}
    with temporary_settings(HEARS_OF_RUNS):
        return {"make_server": EarlyFork(flow_modules(), fork_environment()).client}


def worker_class() -> type[WarmWorker] | type[ProcessWorker]:
    """Choose the worker: ours, or Prefect's stock one where `RUNBOOK_WORKER_TYPE` says so."""
    match load_settings().worker_type:
        case "warm-process":
            return WarmWorker
        case "process":
            return ProcessWorker


def register(queue: str | None) -> None:
    """Register the deployments of a queue; the plain ones where none is named.

    Errors: exit 2 and one line for a server that does not let us in.
    """
    os.chdir(REPOSITORY)
    try:
        asyncio.run(make_pool())
        deploy_all(queue)
    except RunbookError as error:
        _refuse(error)


def _refuse(error: RunbookError) -> NoReturn:
    complain(str(error))
    sys.exit(2)


def main() -> None:
    """Register, then work: on the queue of `RUNBOOK_QUEUE`, else on the default one.

    Errors: exit 2 and one line for a wrong setting.
    """
    hear_interrupts()
    name = sys.argv[1] if len(sys.argv) > 1 else None
    try:
        queue = load_settings().queue
        os.chdir(REPOSITORY)
        options = fork_early()
        # It imports every flow: that ends with the copy.
        in_copy(partial(register, queue))
    except RunbookError as error:
        _refuse(error)
    asyncio.run(bury(queue or DEFAULT_QUEUE))
    asyncio.run(work(name, queue or DEFAULT_QUEUE, options))


if __name__ == "__main__":
    main()
