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
    NOT_AVAILABLE = "not_available"


# Nobody saw it, which says nothing of it.
UNSEEN = frozenset({ProcessState.BLIND, ProcessState.NOT_AVAILABLE})


class ProcessIdentity(Value):
    """One process for good: a pid alone is reused, a pid with its start time is not.

    Units: `created_at_s` are seconds since the boot that `boot` names, which no step of the machine's clock changes;
    where none is named, since the epoch.
    """

    pid: int
    created_at_s: float
    boot: str = ""


class ProcessFacts(Value):
    """What the operating system shows of one process, as far as it tells whose it is.

    `ports`: where it listens, and `pattern_matches`: whether its command line is the service's; None where that could
    not be read. `is_protected`: we ourselves, or a process that we descend from. `shares`: another process holds
    the very same listening socket; `serves`: it is seen to take the connections itself. `may_signal`: it is no other
    user's.
    """

    pid: int
    name: str = ""
    pattern_matches: bool | None = None
    has_mark: bool = False
    ports: frozenset[int] | None = None
    shares: bool = False
    serves: bool = False
    may_signal: bool = True
    in_container: bool = False
    is_protected: bool = False


class Kin(Value):
    """One process in its place: who started it, its process group, its session."""

    pid: int
    parent_pid: int
    group: int
    session: int


class ProcessNumbers(Value):
    """What a service's metrics say of its process; None of what they do not say. Units: bytes, seconds."""

    memory_bytes: int | None = None
    cpu_time_s: float | None = None
    open_files_count: int | None = None
    open_files_limit: int | None = None
    threads_count: int | None = None
    started_at: AwareDatetime | None = None


class Disk(Value):
    """Room where something of ours or of the service is written; `what` says what. Units: bytes and counts."""

    what: str
    path: str
    free_bytes: int
    total_bytes: int
    free_inodes_count: int | None = None
    total_inodes_count: int | None = None


class BusyProcess(Value):
    """Somebody else's process that took CPU during the check. Units: `cpu_ratio` in cores."""

    pid: int
    name: str
    cpu_ratio: float


class MachineCheck(Value):
    """The machine beneath the process. Units: `busy_ratio` of all cores, 0 to 1; bytes."""

    busy_ratio: float | None = None
    cores_count: int | None = None
    memory_available_bytes: int | None = None
    disks: tuple[Disk, ...] = ()
    busiest: tuple[BusyProcess, ...] = ()


class ProcessCheck(Value):
    """One look at the process.

    `memory_bytes`, `cpu_time_s` and `threads_count` are of all `processes_count` processes of the service's own session
    or group; descriptors are those of the one that is nearest to its limit. `pid_file_fault` says what is wrong with
    the pid file of a service that was found all the same.

    Units: bytes, seconds; `cpu_time_s` is user and system time since it started, `run_wait_s` the time since then in
    which it could have run and got no core. `memory_limit_bytes` is where the kernel ends it. `steady_s`, where it is
    known, are seconds of a clock that nobody sets, for spans between checks.
    """

    state: ProcessState
    detail: str
    looked_at: AwareDatetime
    steady_s: float | None = None
    pid: int | None = None
    started_at: datetime | None = None
    memory_bytes: int | None = None
    cpu_time_s: float | None = None
    cpu_ratio: float | None = None
    open_files_count: int | None = None
    open_files_limit: int | None = None
    threads_count: int | None = None
    processes_count: int | None = None
    pid_file_fault: str = ""
    listens: bool | None = None
    port_owner_pid: int | None = None
    port_owner_name: str | None = None

    known_as: ProcessIdentity | None = None
    run_wait_s: float | None = None
    memory_limit_bytes: int | None = None
    machine: MachineCheck | None = None

    @property
    def identity(self) -> ProcessIdentity | None:
        """The process that was looked at, for good; None where there was none of ours."""
        if self.pid is None:
            return None
        if self.known_as is not None or self.started_at is None:
            return self.known_as
        return ProcessIdentity(pid=self.pid, created_at_s=self.started_at.timestamp())
