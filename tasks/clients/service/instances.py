"""The instances of a service, each as a service of its own: with its address, its process, its commands."""

import re
from collections.abc import Mapping
from pathlib import Path

from tasks.model.service.instance_settings import InstanceSettings, filled
from tasks.settings import ServiceSettings

OWN = ("pid_file", "process_pattern", "systemd_unit", "start_log", "working_directory")
COMMANDS = ("start_command", "stop_command", "restart_command", "status_command")


def instances_of(service: ServiceSettings) -> dict[str, InstanceSettings]:
    """Name the instances; those of `base_urls` are called by their host and port."""
    listed = (InstanceSettings(base_url=url) for url in service.base_urls)
    named = {f"{one.base_url.host}:{one.base_url.port}".replace("[", "").replace("]", ""): one for one in listed}
    return {**named, **service.instances}


def instance_of(service: ServiceSettings, name: str) -> ServiceSettings:
    """Give one instance as a service of its own: found, probed, stopped and started as any other.

    Errors: `KeyError` for a name that the settings do not know.
    """
    own = instances_of(service)[name]
    url = str(own.base_url).rstrip("/")
    port = str(own.base_url.port or (443 if own.base_url.scheme == "https" else 80))
    values = {"instance": name, "base_url": url, "host": own.base_url.host or "", "port": port}
    given = {key: value for key in OWN if (value := getattr(own, key)) is not None}
    texts: dict[str, object] = {key: _with(getattr(service, key), values) for key in (*OWN, *COMMANDS)}
    environment = {key: filled(value, values) for key, value in service.start_environment.items()}
    changes = {**texts, **given, "base_url": own.base_url, "start_environment": environment}
    return service.model_copy(update={**changes, "base_urls": (), "instances": {}, "synthetic_orders": {}})


def _with(value: object, values: Mapping[str, str]) -> object:
    match value:
        case str():
            return filled(value, values)
        case tuple():
            return tuple(filled(word, values) for word in value)
        case re.Pattern():
            return re.compile(filled(value.pattern, {name: re.escape(text) for name, text in values.items()}))
        case Path():
            return Path(filled(str(value), values))
        case _:
            return value
