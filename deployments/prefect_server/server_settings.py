"""What the stack's Prefect server stands on, as a person asked for it: on the command line, else in the environment.

It holds passwords. So it is kept for its owner alone, under the state directory, for an `up` that fixes the stack.
"""

import json
import os
import secrets
from typing import Self

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

from deployments.stack.private_files import make_private_folder, write_private
from deployments.stack.state_dir import StateDir
from tasks.clients.files.atomic import READ_LIMIT_BYTES
from tasks.clients.files.regular_file import read_regular
from tasks.model.errors import CannotAct, Code, RunbookError
from tasks.model.server_urls import Credentials, DatabaseUrl, RedisUrl
from tasks.settings import PREFIX

SQLITE = "sqlite"
LOGIN_USER = "runbook"
# Not PREFECT_SERVER_DOCKET_URL as well: Prefect shows that one in its settings page, password and all, and the
# background work of one server process may stay in its memory.
REDIS_ADDRESS = "PREFECT_REDIS_MESSAGING_URL"
REDIS_MODULES = {
    "PREFECT_SERVER_EVENTS_MESSAGING_BROKER": "prefect_redis.messaging",
    "PREFECT_SERVER_EVENTS_MESSAGING_CACHE": "prefect_redis.messaging",
    "PREFECT_SERVER_EVENTS_CAUSAL_ORDERING": "prefect_redis.ordering",
    "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect_redis.lease_storage",
    "PREFECT_SERVER_WORKER_CHANNEL_CLEANUP_QUEUE_STORAGE": "prefect_redis.cleanup_queue",
}


class ServerSettings(BaseModel):
    """What one stack's server stands on; without a database it has an SQLite file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    database_url: DatabaseUrl | None = None
    redis_url: RedisUrl | None = None
    server_auth: Credentials | None = None

    @classmethod
    def asked(cls, **options: str | None) -> Self:
        """Read what was asked for; the command line wins over the environment.

        Errors: `BAD_SETTING` names option and variable, and never shows the value.
        """
        given = {name: os.environ.get(variable_of(name)) or None for name in cls.model_fields}
        given.update({name: value for name, value in options.items() if value is not None})
        try:
            return cls.model_validate({name: value for name, value in given.items() if value is not None})
        except ValidationError as error:
            fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
            name, said = str(fault["loc"][0]), fault["msg"].removeprefix("Value error, ")
            where = f"--{name.replace('_', '-')} or {variable_of(name)}" if name in options else variable_of(name)
            raise RunbookError(Code.BAD_SETTING, f"key={name} {said}; correct {where}") from None

    @property
    def database(self) -> str:
        """Name the kind of database, which is no secret."""
        return _text(self.database_url).partition("+")[0] or SQLITE

    @property
    def client_variables(self) -> dict[str, str]:
        """Give what Prefect's clients need to be let in."""
        return {"PREFECT_API_AUTH_STRING": _text(self.server_auth)} if self.server_auth else {}

    @property
    def server_variables(self) -> dict[str, str]:
        """Give what Prefect's server needs, which asks itself at times."""
        asked = {
            "PREFECT_SERVER_DATABASE_CONNECTION_URL": _text(self.database_url),
            "PREFECT_SERVER_API_AUTH_STRING": _text(self.server_auth),
        }
        redis = {REDIS_ADDRESS: _text(self.redis_url), **REDIS_MODULES} if self.redis_url else {}
        return {**self.client_variables, **redis, **{name: value for name, value in asked.items() if value}}

    def differing(self, running: "ServerSettings") -> list[str]:
        """Name what was asked for and is other than what runs; what nobody asked for may be as it is."""
        return [name for name in sorted(self.model_fields_set) if getattr(self, name) != getattr(running, name)]


def variable_of(name: str) -> str:
    """Name the environment variable of one of these settings."""
    return f"{PREFIX}{name.upper()}"


def forget_variables() -> None:
    """Take these settings, and a host's queue, out of our own environment, which every part of the stack inherits."""
    for name in (*ServerSettings.model_fields, "queue"):
        os.environ.pop(variable_of(name), None)


def guarded(state: StateDir, settings: ServerSettings) -> ServerSettings:
    """Give a stack for which nobody chose a login one of its own, the same at every start."""
    return settings if settings.server_auth else settings.model_copy(update={"server_auth": generated_login(state)})


def generated_login(state: StateDir) -> SecretStr:
    """Read the login that an earlier start made, or make it; an unusable one is made again."""
    try:
        login = read_regular(state.login_file, READ_LIMIT_BYTES).decode("utf-8").strip()
        found = ServerSettings.model_validate({"server_auth": login}).server_auth
    except (OSError, ValueError):
        found = None
    if found is None:
        found = SecretStr(f"{LOGIN_USER}:{secrets.token_urlsafe(24)}")
        make_private_folder(state.root)
        write_private(state.login_file, f"{found.get_secret_value()}\n")
    return found


def own_login(state: StateDir) -> SecretStr | None:
    """Give the login of the stack that runs where we made it; one that a person chose is theirs to know."""
    running = kept(state).server_auth
    return running if running and state.login_file.exists() and running == generated_login(state) else None


def keep(state: StateDir, settings: ServerSettings) -> None:
    """Write down what a new stack's server stands on, for its owner alone."""
    values = {name: _text(getattr(settings, name)) for name in sorted(settings.model_fields_set)}
    make_private_folder(state.root)
    write_private(state.server_file, json.dumps(values) + "\n")


def kept(state: StateDir) -> ServerSettings:
    """Read what the stack's server stands on; one that an older version started has its own SQLite file.

    Errors: `FILE_UNREADABLE`: a server on another database would know nothing of what went before.
    """
    try:
        return ServerSettings.model_validate_json(read_regular(state.server_file, READ_LIMIT_BYTES))
    except FileNotFoundError:
        return ServerSettings()
    except (OSError, ValidationError) as error:
        found = error.strerror if isinstance(error, OSError) else "garbled"
        raise CannotAct(
            Code.FILE_UNREADABLE,
            f"expected the server's settings were {found} path={state.server_file}; `runbook down`, then up again",
        ) from None


def _text(secret: SecretStr | None) -> str:
    return "" if secret is None else secret.get_secret_value()
