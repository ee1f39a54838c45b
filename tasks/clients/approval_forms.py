"""The form of a paused run, as Prefect's server keeps it."""

import asyncio
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.exceptions import PrefectException
from prefect.input.run_input import keyset_from_base_key
from prefect.states import Running

from tasks.clients.prefect_api import API_ERRORS

TIMEOUT_S = 10.0
NOT_ASKED: tuple[type[Exception], ...] = (TimeoutError, *API_ERRORS, PrefectException)


async def withdrawn(flow_run_id: UUID, key: str) -> str | None:
    """Let a paused run go on, so that nobody can answer any more; give the answer that came before that, if one did.

    Errors: none; without the server nobody can answer either.
    Steps: first the state, then the answer: the server keeps both in one step, so that none is lost in between.
    """
    try:
        async with asyncio.timeout(TIMEOUT_S), get_client() as client:
            await client.set_flow_run_state(flow_run_id, Running(message="Nobody answered in time."))
            return await client.read_flow_run_input(flow_run_id, keyset_from_base_key(f"paused-{key}")["response"])
    except NOT_ASKED:
        return None
