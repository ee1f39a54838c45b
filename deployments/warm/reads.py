"""Let a client that asks for the same thing twice in a moment ask its server once."""

import time
from collections.abc import Awaitable, Callable
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from pydantic import BaseModel

# A worker asks for the deployment of a run twice in a moment; the name of a flow is for good.
READS_FOR_S = {"read_deployment": 1.0, "read_flow": 600.0}
Read = Callable[[UUID], Awaitable[BaseModel]]


def read_once(client: PrefectClient) -> None:
    """Let this one client keep what it has read, each kind for its time."""
    for name, for_s in READS_FOR_S.items():
        setattr(client, name, kept(getattr(client, name), for_s))


def kept(read: Read, for_s: float, now_s: Callable[[], float] = time.monotonic) -> Read:
    """Give a read that remembers; what was not found is asked for again."""
    known: dict[UUID, tuple[float, BaseModel]] = {}

    async def read_or_kept(one: UUID) -> BaseModel:
        for old in [key for key, (until_s, _) in known.items() if until_s <= now_s()]:
            del known[old]
        found = known[one][1] if one in known else await read(one)
        known.setdefault(one, (now_s() + for_s, found))
        # Prefect changes what it has read.
        return found.model_copy(deep=True)

    return read_or_kept
