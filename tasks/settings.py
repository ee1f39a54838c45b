"""Settings of the runbook's side: `RUNBOOK_*` variables and an optional `runbook.toml`.

The only reader of the environment on this side. A bad value, an unknown key or an unknown variable is one clear
`BAD_SETTING` line. Secrets are `SecretStr` and never reach a log, an artifact, a message or `repr`.
"""

import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from tasks.clients.files.settings_file import read_table, stamp_of
from tasks.model.diagnosis.limits import (
    run_limit_fault,
)
from tasks.model.drills.drills import DrillSettings
from tasks.model.errors import Code, RunbookError
from tasks.model.incidents.ledger_file import LedgerPlace
from tasks.model.incidents.modes import Mode
from tasks.model.market.own_calendar import OwnCalendar, hand_calendars_on
from tasks.model.messages.channels import FallbackSettings, SlackSettings
from tasks.model.people.person import FourEyes, Person, PersonKey, people_fault
from tasks.model.people.rota import OnCallSettings, rota_fault
from tasks.model.postmortem.follow_up import FollowUpSettings
from tasks.model.server_urls import Credentials, DatabaseUrl, RedisUrl
from tasks.model.service.gateway_settings import Gateway
from tasks.model.service.service_settings import ServiceSettings
from tasks.model.setting_types import SecretUrl, TimeZone

__all__ = ["Gateway", "RunbookSettings", "ServiceSettings", "config_path", "load_settings"]
PREFIX = "RUNBOOK_"
# What stands behind these keys is not shown.
SECRET_KEYS = ("token", "secret", "environment", "url", "slack", "fallback", "http", "control", "call")
CONFIG_VARIABLE = "RUNBOOK_CONFIG"
DEFAULT_STATE_DIR = Path("var")
# Part of the names of deployments and of a tag.
QueueName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]
ServiceName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]


class RunbookSettings(BaseSettings):
    """Everything that can be set, from the environment first and `runbook.toml` second."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        nested_model_default_partial_update=True,
    )

    config: Path | None = None
    state_dir: Path = DEFAULT_STATE_DIR
    mode: Mode = Mode.OBSERVE
    late_after_s: float = Field(default=30.0, gt=0, le=30)
    approval_timeout_s: float = Field(default=300.0, gt=0, le=3600)
    run_limit_s: float = Field(default=900.0, gt=0, le=86_400)
    ledger_keep_days: int = Field(default=30, ge=2, le=3650)
    desk_time_zone: TimeZone = "UTC"
    ping_url: SecretUrl | None = None
    monitoring_host: str = "127.0.0.1"
    monitoring_port: int = Field(default=8650, ge=1, le=65_535)
    monitoring_names: tuple[str, ...] = ()
    alert_token: SecretStr | None = Field(default=None, min_length=16)
    worker_type: Literal["warm-process", "process"] = "warm-process"
    triages_at_once: int = Field(default=8, ge=1, le=1000)
    worker_drain_s: float = Field(default=5.0, ge=0, le=3600)
    queue: QueueName | None = None
    database_url: DatabaseUrl | None = None
    redis_url: RedisUrl | None = None
    server_auth: Credentials | None = None
    calendars: dict[str, OwnCalendar] = Field(default_factory=dict)
    on_call: OnCallSettings = OnCallSettings()
    services: dict[ServiceName, ServiceSettings] = Field(default_factory=dict)
    slack: SlackSettings = SlackSettings()
    fallback: FallbackSettings = FallbackSettings()
    follow_ups: FollowUpSettings = FollowUpSettings()
    people: dict[PersonKey, Person] = Field(default_factory=dict)
    four_eyes: FourEyes = ()
    drill: DrillSettings = DrillSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read the environment before the values of `runbook.toml`, which come as init values."""
        return env_settings, init_settings

    _hand_on = model_validator(mode="before")(hand_calendars_on)

    @model_validator(mode="after")
    def _a_run_lives_until_its_proof(self) -> Self:
        acting_s = max((one.restart.longest_s for one in self.services.values()), default=0.0)
        if fault := run_limit_fault(self.approval_timeout_s, acting_s, self.run_limit_s):
            raise ValueError(fault)
        return self

    @model_validator(mode="after")
    def _people_are_one_each_and_known(self) -> Self:
        if fault := people_fault(self.people, self.four_eyes) or rota_fault(self.on_call, self.people):
            raise ValueError(fault)
        return self

    def service(self, name: str) -> ServiceSettings:
        """Find one watched service.

        Errors: `UNKNOWN_SERVICE` names the ones there are.
        """
        if name in self.services:
            return self.services[name]
        known = ", ".join(sorted(self.services)) or "none"
        raise RunbookError(
            Code.UNKNOWN_SERVICE,
            f"expected one of {known} was {name}; add [services.{name}] to {self.config or 'runbook.toml'}",
        )

    def only_service(self) -> str:
        """Name the one watched service, where a person leaves it out.

        Errors: `UNKNOWN_SERVICE` when there is none, or more than one.
        """
        if len(self.services) == 1:
            return next(iter(self.services))
        known = ", ".join(sorted(self.services)) or "none"
        raise RunbookError(Code.UNKNOWN_SERVICE, f"expected one watched service was {known}; name it (`--service`)")

    def named(self, service: str | None) -> str:
        """Name the service that is asked about; it may be left out where there is one.

        Errors: `UNKNOWN_SERVICE` names the ones there are.
        """
        if not service:
            return self.only_service()
        self.service(service)
        return service

    def asked(self, service: str | None) -> tuple[str, ...]:
        """Name the services to look at: the one that is asked about, else every one.

        Errors: `UNKNOWN_SERVICE`, `NOT_CONFIGURED`.
        """
        return (self.named(service),) if service else tuple(self.watching().services)

    def watching(self) -> "RunbookSettings":
        """Give the settings where they watch something; else a command would speak of nothing, and seem to work.

        Errors: `NOT_CONFIGURED`.
        """
        if self.services:
            return self
        raise RunbookError(
            Code.NOT_CONFIGURED,
            f"expected a watched service was none config={self.config} state_dir={self.state_dir.absolute()}; "
            "go to the stack's folder, or set RUNBOOK_STATE_DIR or RUNBOOK_CONFIG",
        )

    @property
    def answers_in_slack(self) -> bool:
        """Say whether a plan may be answered in Slack: presses are heard, and prove somebody of `[people]`."""
        return self.slack.app_token is not None and any(one.slack for one in self.people.values())

    @property
    def notifications_path(self) -> Path:
        """Say where every message is kept."""
        return self.state_dir / "notifications.jsonl"

    def ledger_path(self, service: str) -> Path:
        """Say where a service's incident ledger is: its own setting, else under the state directory."""
        return self.service(service).incidents_file or self.state_dir / "incidents.jsonl"

    def ledger(self, service: str) -> LedgerPlace:
        """Say where a service's incident ledger is, and where is remembered what it was."""
        return LedgerPlace(path=self.ledger_path(service), state_dir=self.state_dir)


def load_settings(environment: Mapping[str, str] | None = None) -> RunbookSettings:
    """Load the settings.

    Errors: `BAD_SETTING` names the first key or variable that is wrong, what was expected and what was found.
    """
    variables = os.environ if environment is None else environment
    _refuse_unknown_variables(variables)
    path = config_path(variables)
    return _loaded(path, stamp_of(path), _own_variables())


def settings_without_file() -> RunbookSettings:
    """Load what the environment alone says, for a service that no file describes yet.

    Errors: `BAD_SETTING`.
    """
    return _loaded(None, (), _own_variables())


def _own_variables() -> frozenset[tuple[str, str]]:
    return frozenset(one for one in os.environ.items() if one[0].upper().startswith(PREFIX))


@lru_cache(maxsize=8)
def _loaded(path: Path | None, stamp: tuple[object, ...], own: frozenset[tuple[str, str]]) -> RunbookSettings:  # noqa: ARG001
    """Read and check what every step of a run asks for; a hundred services take a fifth of a second."""
    table = read_table(path, CONFIG_VARIABLE) if path else {}
    try:
        return RunbookSettings(**{**table, "config": path})
    except ValidationError as error:
        raise RunbookError(Code.BAD_SETTING, _first_fault(error, path)) from None
    except SettingsError as error:
        raise RunbookError(Code.BAD_SETTING, f"expected JSON was {error}; correct the variable") from None


def config_path(variables: Mapping[str, str]) -> Path | None:
    """Find the settings file: `RUNBOOK_CONFIG`, else `./runbook.toml`, else the one that `runbook up` wrote."""
    named = variables.get(CONFIG_VARIABLE)
    if named:
        return Path(named)
    state_dir = Path(variables.get(f"{PREFIX}STATE_DIR") or DEFAULT_STATE_DIR)
    candidates = (Path("runbook.toml"), state_dir / "runbook.toml")
    return next((path for path in candidates if path.is_file()), None)


def new_config_path() -> Path:
    """Say where a first settings file goes: `RUNBOOK_CONFIG`, else `./runbook.toml`.

    Errors: `BAD_SETTING` where there is one already.
    """
    path = Path(os.environ.get(CONFIG_VARIABLE) or "runbook.toml")
    if path.exists():
        raise RunbookError(Code.BAD_SETTING, f"expected no settings file yet was {path}; it is never overwritten")
    return path


def _refuse_unknown_variables(variables: Mapping[str, str]) -> None:
    known = {f"{PREFIX}{name.upper()}" for name in RunbookSettings.model_fields}
    for name in sorted(variables):
        if name.upper().startswith(PREFIX) and name.upper().split("__")[0] not in known:
            expected = ", ".join(sorted(known))
            raise RunbookError(Code.BAD_SETTING, f"expected one of {expected} was variable={name}; unset or correct it")


def _first_fault(error: ValidationError, path: Path | None) -> str:
    fault = error.errors(include_url=False, include_context=False)[0]
    if not fault["loc"]:
        return str(fault["msg"]).removeprefix("Value error, ")
    key = ".".join(str(part) for part in fault["loc"])
    secret = any(word in key for word in SECRET_KEYS)
    found = "" if secret or isinstance(fault["input"], dict) else f" was {str(fault['input'])[:80]!r}"
    variable = f"{PREFIX}{key.split('.')[0].upper()}"
    return f"key={key} {fault['msg']}{found}; correct {variable} or {path or 'runbook.toml'}"
