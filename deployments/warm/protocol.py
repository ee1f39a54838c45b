"""What the worker and its fork server say to each other: one JSON document a line."""

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from tasks.model.values import Value


class HookCall(Value):
    """Run a flow's hooks in place of the flow: the run and the state it has come to, as Prefect's own JSON."""

    when: Literal["cancellation", "crashed"]
    flow_run: str
    state: str


class Known(Value):
    """What the worker has read of one thing around a run: as Prefect's events name it, and its tags."""

    key: str
    labels: dict[str, str]
    tags: tuple[str, ...] = ()


class ForkOrder(Value):
    """The worker asks for one process. `environment` is the whole of it; nothing is inherited beside it.

    `flow_run` is the run as the worker has just read it, as Prefect's own JSON; the process need not ask again.
    """

    key: str
    entrypoint: str
    directory: str
    environment: dict[str, str] = Field(repr=False)
    quiet: bool = False
    flow_run: str = ""
    around: tuple[Known, ...] = ()
    hook: HookCall | None = None


class Ready(Value):
    """The fork server has imported what it could.

    `sources` are the files that the code came from, each with its fingerprint. A flow that cannot be imported is in
    `failures`, with the last lines of why: its run will say the same, and the other flows lose nothing.
    """

    kind: Literal["ready"] = "ready"
    modules: tuple[str, ...]
    failures: dict[str, str]
    sources: dict[str, str]


class Unready(Value):
    """The fork server must not fork, and ends: importing `module` has started a thread, or it is Prefect itself."""

    kind: Literal["unready"] = "unready"
    module: str
    reason: str


class Forked(Value):
    kind: Literal["forked"] = "forked"
    key: str
    pid: int


class Refused(Value):
    """The operating system did not give the run a process."""

    kind: Literal["refused"] = "refused"
    key: str
    reason: str


class Ended(Value):
    """The process of a run is gone. Units: `exit_code` is negative for a signal."""

    kind: Literal["ended"] = "ended"
    pid: int
    exit_code: int


Told = Annotated[Ready | Unready | Forked | Refused | Ended, Field(discriminator="kind")]
_TOLD: TypeAdapter[Ready | Unready | Forked | Refused | Ended] = TypeAdapter(Told)


def line(message: Value) -> bytes:
    return message.model_dump_json().encode() + b"\n"


def read_order(text: bytes) -> ForkOrder:
    return ForkOrder.model_validate_json(text)


def read_told(text: bytes) -> Ready | Unready | Forked | Refused | Ended:
    return _TOLD.validate_json(text)
