"""What the worker asks its server twice in a moment."""

from uuid import UUID, uuid4

import pytest
from pydantic import BaseModel

from deployments.warm.reads import kept


class Deployment(BaseModel):
    name: str
    job_variables: dict[str, str]


class Server:
    """One that counts what it is asked."""

    def __init__(self) -> None:
        self.asked_count = 0
        self.known: dict[UUID, Deployment] = {}

    async def read(self, one: UUID) -> BaseModel:
        self.asked_count += 1
        return self.known[one]


async def test_a_moment_later_the_server_is_not_asked_again_and_after_that_it_is() -> None:
    """What a person changes in a deployment counts from the next run on."""
    server, one, clock_s = Server(), uuid4(), [0.0]
    server.known[one] = Deployment(name="old", job_variables={})
    read = kept(server.read, for_s=1.0, now_s=lambda: clock_s[0])

    assert await read(one) == await read(one)
    assert server.asked_count == 1
    server.known[one] = Deployment(name="new", job_variables={})
    clock_s[0] = 1.0
    assert (await read(one)).model_dump()["name"] == "new"


async def test_what_one_reader_changes_no_other_reads() -> None:
    """Prefect puts a run's own variables into those of its deployment."""
    server, one = Server(), uuid4()
    server.known[one] = Deployment(name="one", job_variables={})
    read = kept(server.read, for_s=1.0)

    first = await read(one)
    assert isinstance(first, Deployment)
    first.job_variables["of"] = "one run"

    assert await read(one) == Deployment(name="one", job_variables={})


async def test_what_was_not_found_is_asked_for_again() -> None:
    """A deployment that comes back is no reason to wait."""
    server, one = Server(), uuid4()
    read = kept(server.read, for_s=1.0)

    with pytest.raises(KeyError):
        await read(one)
    server.known[one] = Deployment(name="back", job_variables={})

    assert await read(one) == server.known[one]
