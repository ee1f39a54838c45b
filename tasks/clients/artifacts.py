"""Show something in the Prefect UI, without waiting for it: what is shown must not hold up what is done."""

import asyncio

from prefect.artifacts import acreate_markdown_artifact
from prefect.exceptions import PrefectException

from tasks.clients.prefect_api import API_ERRORS

PATIENCE_S = 3.0
NOT_SHOWN: tuple[type[Exception], ...] = (TimeoutError, *API_ERRORS, PrefectException)


async def published(markdown: str, key: str, description: str) -> bool:
    """Publish one artifact of the run; say whether the server has it.

    Errors: none. A server that is away or slow costs a few seconds, and the artifact: telling never blocks healing
    (safety rule 13).
    """
    try:
        async with asyncio.timeout(PATIENCE_S):
            await acreate_markdown_artifact(markdown, key=key, description=description)
    except NOT_SHOWN:
        return False
    return True
