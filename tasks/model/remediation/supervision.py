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
STOP_AND_START = ("stop_command", "start_command")
READ_BY = {
    "systemd_unit": SupervisorName.SYSTEMD,
    "systemd_user": SupervisorName.SYSTEMD,
    "stop_command": SupervisorName.COMMAND,
    "restart_command": SupervisorName.COMMAND,
    "status_command": SupervisorName.COMMAND,
    "running_when": SupervisorName.COMMAND,
    "stopped_when": SupervisorName.COMMAND,
}


def supervision_fault(supervisor: SupervisorName, given: Collection[str]) -> str | None:
    """Say which setting is missing for a supervisor, or is given and never read; None where nothing is wrong."""
    needed = ("restart_command",) if "restart_command" in given else NEEDED[supervisor]
    if "restart_command" in given and (other := next((key for key in STOP_AND_START if key in given), None)):
        return f"restart_command or stop_command and start_command is expected was {other} beside it; keep one way"
    needed = (*needed, *(("status_command",) if {"running_when", "stopped_when"} & {*given} else ()))
    missing = next((key for key in needed if key not in given), None)
    if missing is not None:
        return f"supervisor={supervisor} needs {missing}, and none is set"
    unread = next((key for key, reader in READ_BY.items() if key in given and reader is not supervisor), None)
    return f"{unread} is read by supervisor={READ_BY[unread]}, and here it is {supervisor}" if unread else None
