"""One of several instances of a service behind its common address: where it answers, and how its process is found."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated

from pydantic import Field

from tasks.model.setting_types import Table, Url

# What a command, a file or a unit of the service may name; every other dollar sign is its own.
NAMED = re.compile(r"\$\{(instance|base_url|host|port)\}")
UNIT_NAME = r"^[A-Za-z0-9](?:[A-Za-z0-9:_.@\\-]|\$\{(?:instance|port)\}){0,254}$"
InstanceName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,62}$")]


class InstanceSettings(Table):
    """Where one instance differs from the service's own table; what is not set here is the service's own."""

    base_url: Url = Field(description="Where this instance answers by itself, past the common address.")
    pid_file: Path | None = Field(default=None, description="The file that holds its pid.")
    process_pattern: re.Pattern[str] | None = Field(
        default=None, description="A regular expression that its command line must match, and no other's."
    )
    systemd_unit: str | None = Field(
        default=None, pattern=r"^[A-Za-z0-9][A-Za-z0-9:_.@\\-]{0,254}$", description="The unit that runs it."
    )
    start_log: Path | None = Field(default=None, description="The file that takes its stdout and stderr.")
    working_directory: Path | None = Field(default=None, description="Where it is started.")


def filled(template: str, values: Mapping[str, str]) -> str:
    """Put an instance's own values into a setting of the service."""
    return NAMED.sub(lambda named: values[named[1]], template)


# Where these are the same for all, one instance would be stopped or started for another.
MUST_DIFFER = ("pid_file", "systemd_unit", "start_command", "stop_command", "restart_command", "status_command")


def instances_fault(
    common: Mapping[str, object], urls: Iterable[Url], instances: Mapping[str, InstanceSettings]
) -> str:
    """Say why instances cannot be told apart; empty where they can, or where there are none."""
    addresses = [str(url) for url in (*urls, *(one.base_url for one in instances.values()))]
    twice = next((one for one in addresses if addresses.count(one) > 1), None)
    if twice is not None:
        return f"an address for each instance is expected was {twice} twice; give each its own"
    if not addresses:
        return ""
    for key in ("health", "metrics"):
        if not (getattr(common.get(key), "path", "") or "/").startswith("/"):
            return f"{key}.path below each instance's own address is expected was an address for all of them"
    for key in MUST_DIFFER:
        value = common.get(key)
        words = value if isinstance(value, tuple) else (value,) if value else ()
        has_own = len(instances) == len(addresses) and all(getattr(one, key, None) for one in instances.values())
        if words and not has_own and not any(NAMED.search(str(word)) for word in words):
            return f"{key} with ${{instance}}, ${{port}} or ${{base_url}} is expected: each instance has its own"
    return ""
