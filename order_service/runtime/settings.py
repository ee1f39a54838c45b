"""What the environment says, read once at start. The only reader of the environment here."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, HttpUrl, SecretStr, StringConstraints, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from order_service.runtime.codes import CannotStart
from order_service.runtime.validation import first_problem

PREFIX = "ORDER_SERVICE_"
HostName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9:][A-Za-z0-9.:\-]{0,252}$")]


def _listed(value: Any) -> Any:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


class Settings(BaseSettings):
    """Where this service listens, what it reads and where it keeps its state.

    Errors: pydantic's ValidationError; `load_settings` turns it into the one line an operator reads.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", env_ignore_empty=True)

    name: str = Field(default="order-service", pattern=r"^[A-Za-z0-9][A-Za-z0-9._\-]{0,63}$")
    host: str = "127.0.0.1"
    allowed_hosts: Annotated[tuple[HostName, ...], NoDecode, BeforeValidator(_listed)] = ()
    port: int = Field(default=8600, ge=0, le=65535)
    release: str = Field(default="dev", pattern=r"^[A-Za-z0-9][A-Za-z0-9._+\-]{0,63}$")
    state_dir: Path = Path("var/order-service")
    routing_file: Path | None = None
    gateways_file: Path | None = None
    control_token: SecretStr | None = None
    control_token_file: Path | None = None
    incidents_file: Path | None = None
    log_file: Path | None = None
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_max_bytes: int = Field(default=16 * 1024 * 1024, ge=4096)
    log_backup_count: int = Field(default=5, ge=1, le=100)
    pid_file: Path | None = None
    events_url: HttpUrl | None = None
    events_credentials: SecretStr | None = None
    events_credentials_file: Path | None = None
    heartbeat_s: float = Field(default=3.0, ge=0.1, le=3600)
    gateway_probe_s: float = Field(default=1.0, ge=0.05, le=60)
    resolve_every_s: float = Field(default=1.0, ge=0.05, le=60)
    drain_deadline_s: float = Field(default=10.0, ge=0.1, le=600)
    journal_sync: Literal["full", "normal"] = "full"
    journal_timeout_s: float = Field(default=3.0, ge=0.1, le=60)

    @model_validator(mode="after")
    def _token_is_usable(self) -> Self:
        if self.control_token is not None and self.control_token_file is not None:
            raise ValueError("expected CONTROL_TOKEN or CONTROL_TOKEN_FILE, was both")
        if self.events_credentials is not None and self.events_credentials_file is not None:
            raise ValueError("expected EVENTS_CREDENTIALS or EVENTS_CREDENTIALS_FILE, was both")
        return self

    @property
    def routing_path(self) -> Path:
        return self.routing_file or self.state_dir / "routing.toml"

    @property
    def gateways_path(self) -> Path:
        return self.gateways_file or self.state_dir / "gateways.json"

    @property
    def incidents_path(self) -> Path:
        return self.incidents_file or self.state_dir / "incidents.jsonl"

    @property
    def log_path(self) -> Path:
        return self.log_file or self.state_dir / "logs" / "order-service.jsonl"

    @property
    def pid_path(self) -> Path:
        return self.pid_file or self.state_dir / "order-service.pid"

    def token(self) -> SecretStr | None:
        """Give the control token; none means that the control plane is closed.

        Errors: CannotStart when a token file is named and cannot be read, or the token is empty.
        """
        return self.control_token or _secret_of(self.control_token_file, "CONTROL_TOKEN_FILE")

    def events_login(self) -> SecretStr | None:
        """Give the `user:password` of the event endpoint; none means that it asks for none.

        Errors: CannotStart when a file is named and cannot be read, or is empty.
        """
        return self.events_credentials or _secret_of(self.events_credentials_file, "EVENTS_CREDENTIALS_FILE")


def _secret_of(file: Path | None, name: str) -> SecretStr | None:
    if file is None:
        return None
    try:
        text = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise CannotStart(f"SETTING_INVALID: {PREFIX}{name} cannot be read; {error}", 2) from error
    if not text:
        raise CannotStart(f"SETTING_INVALID: {PREFIX}{name} expected a secret, was empty", 2)
    return SecretStr(text)


def load_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings, or say in one line which variable is wrong.

    Errors: CannotStart, exit 2; values never appear in it, since one of them is a secret.
    """
    names = os.environ if environment is None else environment
    known = {PREFIX + field.upper() for field in Settings.model_fields}
    unknown = sorted(name for name in names if name.upper().startswith(PREFIX) and name.upper() not in known)
    if unknown:
        raise CannotStart(f"SETTING_UNKNOWN: {unknown[0]} is not a setting of this service; remove or correct it", 2)
    try:
        return Settings()
    except ValidationError as error:
        raise CannotStart(_one_line(error), 2) from error


def _one_line(error: ValidationError) -> str:
    field, problem = first_problem(error)
    problem = problem.removeprefix("Value error, ")
    name = PREFIX + (field.upper() or "*")
    return f"SETTING_INVALID: {name} {problem[0].lower()}{problem[1:]}; correct it and start again"
