"""The supervisors that a watched service can have, and which settings each of them needs."""

from collections.abc import Collection
from enum import StrEnum


class SupervisorName(StrEnum):
    """Who starts and stops a service: we ourselves, systemd, or commands of its own."""

    PSUTIL = "psutil"
    SYSTEMD = "systemd"
    COMMAND = "command"


NEEDED = {
    SupervisorName.PSUTIL: (),
    SupervisorName.SYSTEMD: ("systemd_unit",),
    SupervisorName.COMMAND: ("start_command", "stop_command"),
}
READ_BY = {
    "systemd_unit": SupervisorName.SYSTEMD,
    "systemd_user": SupervisorName.SYSTEMD,
    "stop_command": SupervisorName.COMMAND,
    "status_command": SupervisorName.COMMAND,
}


def supervision_fault(supervisor: SupervisorName, given: Collection[str]) -> str | None:
    """Say which setting is missing for a supervisor, or is given and never read; None where all is well."""
    missing = next((key for key in NEEDED[supervisor] if key not in given), None)
    if missing is not None:
        return f"supervisor={supervisor} needs {missing}, and none is set"
    unread = next((key for key, reader in READ_BY.items() if key in given and reader is not supervisor), None)
    return f"{unread} is read by supervisor={READ_BY[unread]}, and here it is {supervisor}" if unread else None
