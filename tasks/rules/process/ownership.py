"""Say whose a process is, before anything is said of the service by it, and before it is signalled (safety rule 16)."""

from collections.abc import Collection, Iterable
from enum import StrEnum

from tasks.model.probes.processes import Kin, ProcessFacts
from tasks.model.values import Value

# These take a service's connections and hand them on, or only hold its socket; the service is another process.
FORWARDERS = frozenset(
    {"systemd", "launchd", "inetd", "xinetd", "docker-proxy", "dockerd", "containerd", "rootlessport", "rootlesskit"}
    | {"slirp4netns", "pasta", "pasta.avx2", "conmon", "kube-proxy", "kubelet", "kubectl", "ssh", "sshd", "socat"}
)
INIT_PID = 1


class Whose(StrEnum):
    """Whose a process is, as far as it can be proven."""

    OURS = "ours"
    CONTAINED = "contained"
    STRANGER = "stranger"
    ELSEWHERE = "elsewhere"
    HOLDER = "holder"
    PROTECTED = "protected"
    UNSEEN = "unseen"


class Wanted(Value):
    """What tells the watched service: its port, whether a pattern of its command line is set, who ends it.

    `by_signal`: we end it ourselves, so that another user's process is out of our reach.
    """

    port: int
    has_pattern: bool
    by_signal: bool = True


def whose(facts: ProcessFacts, wanted: Wanted) -> Whose:
    """Say whether a process is surely the watched service.

    Runbook: §1.2 Process status, §2.1 before a restart.
    What is not proven is not ours.
    Steps:
        1. never the first process, never ourselves or what we descend from, never a known forwarder
        2. its command line matches `process_pattern`, or it carries our mark, or it listens on the port itself
        3. where several hold the very same socket, it is whoever takes the connections; the others only hold it
        4. one that we may not signal is another user's: nobody can say how it is; one in a container is seen alone
    """
    if facts.pid <= INIT_PID or facts.is_protected:
        return Whose.PROTECTED
    if facts.name in FORWARDERS:
        return Whose.HOLDER
    found = _by_pattern(facts, wanted) if wanted.has_pattern else _by_socket(facts, wanted)
    if found is not Whose.OURS:
        return found
    if wanted.by_signal and not facts.may_signal:
        return Whose.UNSEEN
    return Whose.CONTAINED if facts.in_container else Whose.OURS


def own_members(root: Kin, everybody: Iterable[Kin], us: Collection[int], *, leads: bool = False) -> frozenset[int]:
    """Name the processes of a service: its own session, or its own process group, or what it started within its group.

    `leads` says that the leader of its session is proven to be the service's, too.

    The first process and we ourselves are never among them; where we are in its session or group, that is
    not the service's own.
    """
    known = {one.pid: one for one in everybody} | {root.pid: root}
    session = frozenset(pid for pid, one in known.items() if one.session == root.session)
    group = frozenset(pid for pid, one in known.items() if one.group == root.group)
    for is_own, members in ((leads or root.session == root.pid, session), (root.group == root.pid, group)):
        if is_own and not members & {INIT_PID, *us}:
            return members
    return frozenset(pid for pid in _started_by(root, known) if pid > INIT_PID and pid not in us)


def top_of(lines: dict[int, tuple[int, ...]]) -> int | None:
    """Find the one of several processes that started all the others; None where they have no such one.

    `lines` names for each process those that it descends from.
    """
    return next((pid for pid in lines if all(one == pid or pid in above for one, above in lines.items())), None)


def _by_pattern(facts: ProcessFacts, wanted: Wanted) -> Whose:
    if facts.pattern_matches is None:
        return Whose.UNSEEN
    if not facts.pattern_matches:
        return Whose.STRANGER
    return Whose.ELSEWHERE if facts.ports and wanted.port not in facts.ports else Whose.OURS


def _by_socket(facts: ProcessFacts, wanted: Wanted) -> Whose:
    if facts.has_mark:
        return Whose.ELSEWHERE if facts.ports and wanted.port not in facts.ports else Whose.OURS
    if facts.ports is None:
        return Whose.UNSEEN
    if wanted.port not in facts.ports:
        return Whose.STRANGER
    return Whose.HOLDER if facts.shares and not facts.serves else Whose.OURS


def _started_by(root: Kin, known: dict[int, Kin]) -> frozenset[int]:
    found, more = {root.pid}, True
    while more:
        below = {pid for pid, one in known.items() if one.parent_pid in found and one.group == root.group}
        more = not below <= found
        found |= below
    return frozenset(found)
