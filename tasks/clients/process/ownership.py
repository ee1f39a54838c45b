"""Gather what tells whose a process is, and which processes are a service's own; the rule decides (safety rule 16)."""

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from tasks.clients.process.listeners import listeners_on, ports_of, serves_on
from tasks.clients.process.marks import SERVICE_MARK, carries
from tasks.clients.process.processes import identify, may_signal, own_line, process_name
from tasks.clients.process.sessions import kin_of, relatives
from tasks.model.probes.processes import ProcessFacts, ProcessIdentity
from tasks.model.remediation.supervision import SupervisorName
from tasks.rules.process.ownership import Wanted, Whose, own_members, whose
from tasks.settings import ServiceSettings


def whose_is(service: ServiceSettings, process: psutil.Process, holders: Sequence[int] | None = None) -> Whose:
    """Say whose a process is, by what the operating system shows of it at this moment; `holders` of the port if known.

    Runbook: §1.2 Process status (safety rule 16).
    """
    return whose(facts_of(service, process, holders), wanted_of(service))


def listens(service: ServiceSettings, facts: ProcessFacts, members: Sequence[ProcessIdentity]) -> bool:
    """Say whether the service listens: its first process, or else another one of its own."""
    if service.port in (facts.ports or ()):
        return True
    return any(service.port in (ports_of(one.pid) or ()) for one in members if one.pid != facts.pid)


def wanted_of(service: ServiceSettings) -> Wanted:
    by_signal = service.supervisor is SupervisorName.PSUTIL
    return Wanted(port=service.port, has_pattern=service.process_pattern is not None, by_signal=by_signal)


def facts_of(service: ServiceSettings, process: psutil.Process, holders: Sequence[int] | None = None) -> ProcessFacts:
    """Gather what the operating system shows of one process.

    What it would not show is None, and proves nothing.
    """
    ports = ports_of(process.pid)
    has_mark = service.process_pattern is None and carries(process, SERVICE_MARK, service.url)
    by_socket = service.process_pattern is None and not has_mark and service.port in (ports or ())
    shares = by_socket and _shares(service, process.pid, holders)
    return ProcessFacts(
        pid=process.pid,
        name=process_name(process),
        pattern_matches=_pattern_matches(service, process),
        has_mark=has_mark,
        ports=ports,
        shares=shares,
        serves=shares and serves_on(process.pid, service.port),
        may_signal=may_signal(process.pid),
        in_container=_namespace(process.pid) not in {None, _namespace(os.getpid())},
        is_protected=process.pid in own_line(),
    )


class Family:
    """The processes of a service: its own session or group, also after the first of them is gone."""

    def __init__(self, service: ServiceSettings | None, process: psutil.Process) -> None:
        self._root = kin_of(process.pid)
        self._leads = service is not None and self._root is not None and _leader_is_ours(service, self._root.session)

    def __call__(self, _: psutil.Process | None = None) -> tuple[ProcessIdentity, ...]:
        if self._root is None:
            return ()
        pids = own_members(self._root, relatives(self._root), own_line(), leads=self._leads)
        return tuple(found for pid in sorted(pids) if (found := identify(pid)))


def others_on_port(service: ServiceSettings, process: psutil.Process) -> Iterator[int]:
    """Name who else holds the service's port, and would still hold it once the service's own processes are gone."""
    own = {one.pid for one in Family(service, process)()}
    yield from (pid for pid in listeners_on(service.port).pids if pid not in own)


def _leader_is_ours(service: ServiceSettings, leader_pid: int) -> bool:
    """Say whether a session was begun by what we started, or by what the pattern names: a wrapper of the service."""
    with suppress(psutil.Error):
        leader = psutil.Process(leader_pid)
        return carries(leader, SERVICE_MARK, service.url) or bool(_pattern_matches(service, leader))
    return False


def _shares(service: ServiceSettings, pid: int, holders: Sequence[int] | None) -> bool:
    known = listeners_on(service.port).pids if holders is None else holders
    return any(other != pid for other in known)


def _pattern_matches(service: ServiceSettings, process: psutil.Process) -> bool | None:
    if service.process_pattern is None:
        return None
    try:
        return bool(service.process_pattern.search(" ".join(process.cmdline())))
    except psutil.Error:
        return None


def _namespace(pid: int) -> str | None:
    try:
        return str(Path(f"/proc/{pid}/ns/pid").readlink())
    except OSError:
        return None
