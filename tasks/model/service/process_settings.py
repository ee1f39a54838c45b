"""By what the process of a service is seen: on this machine, by its own metrics, or not at all."""

from collections.abc import Collection
from enum import StrEnum
from typing import Any

from pydantic import Field

from tasks.model.setting_types import Table

# Keys that may stand in either table: they are older than this one.
ONE_TABLE_UP = (
    "pid_file", "process_pattern", "supervisor", "systemd_unit", "systemd_user", "start_command", "stop_command",
    "restart_command", "status_command", "running_when", "stopped_when", "start_environment", "start_log",
    "working_directory",
)  # fmt: skip


class SeenBy(StrEnum):
    """Only a process on this machine is ever signalled by us."""

    LOCAL = "local"
    METRICS = "metrics"
    SUPERVISOR = "supervisor"
    NONE = "none"


class ProcessSettings(Table):
    """By what the process is seen; what is not seen is not available, and neither down nor blind."""

    seen_by: SeenBy = Field(
        default=SeenBy.LOCAL,
        description="On this machine; by the `process_*` of its metrics (memory, descriptors, CPU, start); by its "
        "supervisor's `status_command`; or not at all. Only a process on this machine is ever signalled.",
    )

    def fault_of(self, given: Collection[str]) -> str:
        """Say what is missing beside it; empty where nothing is."""
        if self.seen_by is SeenBy.SUPERVISOR and "stopped_when" not in given:
            # That a command fails does not say that the service is down.
            return f"process.seen_by={self.seen_by} needs status_command with stopped_when, and none is set"
        return ""


def lifted(table: Any) -> Any:
    """Take the keys of a process that stand in its own table up to where they always stood.

    Errors: a key that stands in both is refused.
    """
    own = table.get("process") if isinstance(table, dict) else None
    if not isinstance(own, dict) or frozenset(ONE_TABLE_UP).isdisjoint(own):
        return table
    found = {key: own[key] for key in ONE_TABLE_UP if key in own}
    if twice := next((key for key in found if key in table), None):
        raise ValueError(f"{twice} stands in [services.NAME] and in its process table; keep one of them")
    return {**table, **found, "process": {key: value for key, value in own.items() if key not in found}}
