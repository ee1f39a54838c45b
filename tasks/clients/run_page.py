"""What the Prefect UI shows of a run: its name and its tags, said anew once more is known."""

import asyncio

from prefect import runtime
from prefect.client.orchestration import get_client
from prefect.exceptions import PrefectException

from tasks.clients.prefect_api import API_ERRORS

PATIENCE_S = 1.0
NOT_NAMED: tuple[type[Exception], ...] = (TimeoutError, *API_ERRORS, PrefectException)


async def renamed(name: str, tags: tuple[str, ...] = ()) -> bool:
    """Give this run another name and further tags, in one call; say whether the server has them.

    Errors: none. A server that is away or slow costs a second, and the name: telling never blocks healing (safety
    rule 13).
    """
    run_id = runtime.flow_run.id
    if run_id is None:
        return False
    wanted = list(dict.fromkeys((*runtime.flow_run.tags, *tags)))
    try:
        async with asyncio.timeout(PATIENCE_S), get_client() as client:
            await client.update_flow_run(run_id, name=name, tags=wanted)
    except NOT_NAMED:
        return False
    return True
