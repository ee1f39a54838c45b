"""What one look at the service's process shows."""

from datetime import datetime
from enum import StrEnum

from pydantic import AwareDatetime

from tasks.model.values import Value


class ProcessState(StrEnum):
    """The process as the operating system says it, and the ways in which there is none of ours."""

    RUNNING = "running"
    STOPPED = "stopped"
    DEAD = "dead"
    NOT_OURS = "not_ours"
    BLIND = "blind"


class ProcessIdentity(Value):
    """One process for good: a pid alone is reused, a pid with its start time is not."""

    pid: int
    created_at_s: float


class ProcessLook(Value):
    """One look at the process. Units: bytes, seconds; `cpu_time_s` is user and system time since it started."""

    state: ProcessState
    detail: str
    looked_at: AwareDatetime
    pid: int | None = None
    started_at: datetime | None = None
    memory_bytes: int | None = None
    cpu_time_s: float | None = None
    cpu_ratio: float | None = None
    open_files_count: int | None = None
    open_files_limit: int | None = None
    threads_count: int | None = None
    listens: bool | None = None
    port_owner_pid: int | None = None
    port_owner_name: str | None = None
