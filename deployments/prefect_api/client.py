"""The Prefect server over plain HTTP, with what it asks for: importing Prefect would cost a command three seconds."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from deployments.prefect_server.server_settings import kept
from deployments.stack.environment import api_url
from deployments.stack.local_http import ask, basic
from deployments.stack.ports import SERVER
from deployments.stack.stack_file import StackRecord, read_stack
from deployments.stack.state_dir import StateDir, find_state_dir
from tasks.clients.process.port_holders import stranger_in
from tasks.model.errors import Code, RunbookError
from tasks.model.fleet.queues import deployment_name
from tasks.settings import load_settings


@dataclass(frozen=True)
class PrefectDoor:
    """One server's API, this host's queue there, and the headers that let us in; those are never shown."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    queue: str | None = None

    def deployment(self, name: str) -> str:
        """Name a deployment as this host's own is called."""
        return deployment_name(name, self.queue)

    def ask(self, path: str, body: object = None, timeout_s: float = 1.0) -> Any | None:
        """Send GET, or POST where there is a body, and give the JSON answer; None where there is no usable one."""
        return ask(f"{self.url}{path}", body, timeout_s, self.headers)


def stack_door(state: StateDir, ports: dict[str, int]) -> PrefectDoor:
    """Give the door of the stack that runs here.

    Errors: `FILE_UNREADABLE`.
    """
    return PrefectDoor(api_url(ports), authorization(kept(state).client_variables))


def door_of(variables: Mapping[str, str], queue: str | None = None) -> PrefectDoor | None:
    """Give the door that `PREFECT_API_URL` names, with the key that Prefect's own client would use."""
    url = variables.get("PREFECT_API_URL", "").rstrip("/")
    return PrefectDoor(url, authorization(variables), queue) if url else None


def any_door() -> PrefectDoor | None:
    """Give the door of the stack that runs here, else the one that the environment names.

    Errors: `FILE_UNREADABLE`, `BAD_SETTING`, `PREFECT_UNREACHABLE` where a stranger has the port of the stack's server.
    """
    state = find_state_dir()
    stack: StackRecord | None = read_stack(state.stack_file)
    # The local stack has the default queue, and no other.
    return _own_door(state, stack) if stack else door_of(os.environ, load_settings().queue)


def _own_door(state: StateDir, stack: StackRecord) -> PrefectDoor:
    """Give the stack's own server the password, and nobody else on its port."""
    stranger = stranger_in(stack.ports[SERVER], stack.mark)
    if stranger is None:
        return stack_door(state, stack.ports)
    raise RunbookError(
        Code.PREFECT_UNREACHABLE,
        f"expected the stack's Prefect server was held by {stranger} port={stack.ports[SERVER]}; "
        "stop it, then `runbook up`",
    )


def open_door() -> PrefectDoor:
    """Give the door of a server that answers and lets us in.

    Errors: `PREFECT_UNREACHABLE`, `FILE_UNREADABLE`, `BAD_SETTING` for an address that is none.
    """
    door = any_door()
    if door is not None and not door.url.startswith(("http://", "https://")):
        raise RunbookError(
            Code.BAD_SETTING, f"expected PREFECT_API_URL as http://HOST:PORT/api was {door.url!r}; correct it"
        )
    if door is None or door.ask("/health") is None:
        raise RunbookError(
            Code.PREFECT_UNREACHABLE,
            f"expected a Prefect server that answers was none api={door and door.url}; set PREFECT_API_URL to its own, "
            "or start a local stack with `runbook up`",
        )
    if is_refused(door.ask("/admin/version")):
        raise RunbookError(
            Code.PREFECT_UNREACHABLE,
            f"expected to be let in was refused api={door.url}; set PREFECT_API_AUTH_STRING to its USER:PASSWORD",
        )
    return door


def is_refused(answer: object) -> bool:
    """Say whether a server asks for a password that it did not get."""
    return isinstance(answer, dict) and answer.get("exception_message") == "Unauthorized"


def authorization(variables: Mapping[str, str]) -> dict[str, str]:
    """Write the header that Prefect's own client would send, from the same variables."""
    if key := variables.get("PREFECT_API_KEY"):
        return {"Authorization": f"Bearer {key}"}
    if words := variables.get("PREFECT_API_AUTH_STRING"):
        return basic(words)
    return {}
