"""Whose a process is: what is proven to be the service, and what must never be signalled (safety rule 16)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.model.probes.processes import Kin, ProcessFacts
from tasks.rules.process.ownership import Wanted, Whose, own_members, top_of, whose

PORT = 8600
BY_PATTERN = Wanted(port=PORT, has_pattern=True)
BY_SOCKET = Wanted(port=PORT, has_pattern=False)
HERE, NOWHERE, THERE = frozenset({PORT}), frozenset[int](), frozenset({9000})


def facts(**changes: object) -> ProcessFacts:
    """A process that is the service by its command line and by its socket."""
    base: dict[str, object] = {"pid": 4321, "name": "python3", "pattern_matches": True, "ports": HERE}
    return ProcessFacts.model_validate({**base, **changes})


@pytest.mark.parametrize("wanted", [BY_PATTERN, BY_SOCKET])
def test_a_process_that_matches_and_listens_is_the_service(wanted: Wanted) -> None:
    """The plain case: it may be looked at, and ended."""
    assert whose(facts(), wanted) is Whose.OURS


@pytest.mark.parametrize("wanted", [BY_PATTERN, BY_SOCKET])
@pytest.mark.parametrize("changes", [{"pid": 1}, {"pid": 0}, {"is_protected": True}, {"pid": 1, "has_mark": True}])
def test_the_first_process_and_what_we_descend_from_are_never_the_service(
    wanted: Wanted, changes: dict[str, object]
) -> None:
    """A pid file that was written in a container holds 1: ending it ended the machine's session, and us with it."""
    assert whose(facts(**changes), wanted) is Whose.PROTECTED


HOLDERS = [
    "systemd",
    "launchd",
    "inetd",
    "xinetd",
    "docker-proxy",
    "dockerd",
    "containerd",
    "rootlessport",
    "rootlesskit",
    "slirp4netns",
    "pasta",
    "pasta.avx2",
    "conmon",
    "kube-proxy",
    "kubelet",
    "kubectl",
    "ssh",
    "sshd",
    "socat",
]


@pytest.mark.parametrize("name", HOLDERS)
def test_a_forwarder_is_never_the_service(name: str) -> None:
    """Its command line names the port, so that a loose pattern matches it; the service stands behind it."""
    for wanted in (BY_PATTERN, BY_SOCKET):
        assert whose(facts(name=name), wanted) is Whose.HOLDER


def test_of_several_holders_of_a_socket_whoever_takes_its_connections_is_the_service() -> None:
    """A parent may hold it for its child, and a child may have inherited it by accident: only one of them hangs."""
    assert whose(facts(shares=True), BY_SOCKET) is Whose.HOLDER
    assert whose(facts(shares=True, serves=True), BY_SOCKET) is Whose.OURS
    assert whose(facts(shares=True), BY_PATTERN) is Whose.OURS
    assert whose(facts(shares=True, has_mark=True), BY_SOCKET) is Whose.OURS


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"pattern_matches": False}, Whose.STRANGER),
        ({"pattern_matches": False, "has_mark": True}, Whose.STRANGER),
        ({"pattern_matches": None}, Whose.UNSEEN),
        ({"ports": THERE}, Whose.ELSEWHERE),
        ({"ports": NOWHERE}, Whose.OURS),
        ({"ports": None}, Whose.OURS),
        ({"ports": THERE | HERE}, Whose.OURS),
    ],
)
def test_where_a_pattern_is_set_the_command_line_decides(changes: dict[str, object], found: Whose) -> None:
    """A service that has not opened its port yet is ours; the like service of another stack is not."""
    assert whose(facts(**changes), BY_PATTERN) is found


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"ports": NOWHERE}, Whose.STRANGER),
        ({"ports": THERE}, Whose.STRANGER),
        ({"ports": None}, Whose.UNSEEN),
        ({"ports": None, "has_mark": True}, Whose.OURS),
        ({"ports": NOWHERE, "has_mark": True}, Whose.OURS),
        ({"ports": THERE, "has_mark": True}, Whose.ELSEWHERE),
    ],
)
def test_without_a_pattern_its_own_socket_or_our_mark_decides(changes: dict[str, object], found: Whose) -> None:
    """A pid that was reused belongs to somebody else, whatever its children listen on."""
    assert whose(facts(pattern_matches=None, **changes), BY_SOCKET) is found


@pytest.mark.parametrize("wanted", [BY_PATTERN, BY_SOCKET])
def test_a_service_of_another_user_is_not_to_be_seen(wanted: Wanted) -> None:
    """We could neither read it nor end it; a supervisor that can is asked to."""
    assert whose(facts(may_signal=False), wanted) is Whose.UNSEEN
    assert whose(facts(may_signal=False), wanted.model_copy(update={"by_signal": False})) is Whose.OURS
    assert whose(facts(may_signal=False, in_container=True), wanted) is Whose.UNSEEN


def test_a_stranger_of_another_user_is_a_stranger() -> None:
    """A pid that was reused by a daemon must not make a dead service invisible for good."""
    assert whose(facts(pattern_matches=False, may_signal=False), BY_PATTERN) is Whose.STRANGER


def test_a_service_in_a_container_is_looked_at_and_not_signalled() -> None:
    """Its container's own supervisor would start it again behind our back."""
    assert whose(facts(in_container=True), BY_PATTERN) is Whose.CONTAINED
    assert whose(facts(in_container=True), BY_SOCKET) is Whose.CONTAINED


PORTS = st.none() | st.frozensets(st.sampled_from([PORT, 9000]), max_size=2)
ANY_FACTS = st.builds(
    ProcessFacts,
    pid=st.integers(0, 5),
    name=st.sampled_from(["python3", "docker-proxy"]),
    pattern_matches=st.none() | st.booleans(),
    has_mark=st.booleans(),
    ports=PORTS,
    shares=st.booleans(),
    serves=st.booleans(),
    may_signal=st.booleans(),
    in_container=st.booleans(),
    is_protected=st.booleans(),
)


@given(ANY_FACTS, st.booleans())
def test_nothing_is_ours_without_a_proof(seen: ProcessFacts, has_pattern: bool) -> None:
    """Whatever is put together: no proof, no signal."""
    if whose(seen, Wanted(port=PORT, has_pattern=has_pattern)) is not Whose.OURS:
        return
    assert seen.pid > 1
    assert not seen.is_protected
    assert seen.may_signal
    assert not seen.in_container
    itself = bool(seen.ports and PORT in seen.ports) and (seen.serves or not seen.shares)
    assert seen.pattern_matches if has_pattern else seen.has_mark or itself


def kin(pid: int, parent_pid: int = 1, group: int = 1, session: int = 1) -> Kin:
    """One process in its place."""
    return Kin(pid=pid, parent_pid=parent_pid, group=group, session=session)


SERVICE = kin(10, group=10, session=10)
WORKERS = (kin(11, 10, 10, 10), kin(12, 10, 12, 10), kin(13, 1, 10, 10))
DAEMON = kin(14, 10, 14, 14)
BYSTANDERS = (kin(2, 1, 1, 1), kin(20, 1, 20, 20), kin(21, 20, 20, 20))


def test_a_service_that_leads_a_session_is_that_session() -> None:
    """Workers in groups of their own and those whose parent is gone are its own; what began a session is not."""
    assert own_members(SERVICE, (*WORKERS, DAEMON, *BYSTANDERS), {99}) == {10, 11, 12, 13}


def test_a_service_that_leads_a_group_is_that_group() -> None:
    """A shell started it as a job: the rest of the shell's session is somebody else's work."""
    job = kin(10, 5, 10, 5)
    shell, other = kin(5, 1, 5, 5), kin(30, 5, 30, 5)

    assert own_members(job, (shell, other, kin(11, 10, 10, 5)), {99}) == {10, 11}


def test_a_service_that_leads_nothing_is_itself_and_what_it_started_there() -> None:
    """Its brothers in the group were started by somebody else, and its daemons left it."""
    child = kin(10, 5, 5, 5)
    others = (kin(5, 1, 5, 5), kin(11, 10, 5, 5), kin(12, 11, 5, 5), kin(13, 5, 5, 5), kin(14, 10, 14, 5))

    assert own_members(child, others, {99}) == {10, 11, 12}


def test_the_session_of_a_wrapper_is_the_services_where_the_wrapper_is_proven() -> None:
    """A start command of ours runs the service as its child; both end together."""
    wrapped = kin(11, 10, 10, 10)

    assert own_members(wrapped, (SERVICE, *WORKERS), {99}, leads=True) == {10, 11, 12, 13}
    assert own_members(wrapped, (SERVICE, *WORKERS), {99}) == {11}


@pytest.mark.parametrize("us", [11, 13])
def test_a_session_that_we_are_in_is_not_the_services_own(us: int) -> None:
    """Ending it would end the automation in the middle of its action."""
    assert us not in own_members(SERVICE, WORKERS, {us})
    assert 10 in own_members(SERVICE, WORKERS, {us})


KINS = st.lists(st.builds(kin, st.integers(1, 9), st.integers(0, 9), st.integers(1, 9), st.integers(1, 9)), max_size=12)


@given(KINS, st.builds(kin, st.integers(2, 9), st.integers(0, 9), st.integers(1, 9), st.integers(1, 9)), st.booleans())
def test_nobody_of_ours_is_ever_among_the_services_processes(everybody: list[Kin], root: Kin, leads: bool) -> None:
    """Whatever the family looks like: never the first process, never us, never what is in no session of the service."""
    us = {9, 8} - {root.pid}
    found = own_members(root, everybody, us, leads=leads)

    assert root.pid in found
    assert not found & {1, *us}
    known = {one.pid: one for one in everybody} | {root.pid: root}
    assert all(known[pid].session == root.session or known[pid].group == root.group for pid in found)


def test_the_process_that_started_the_others_stands_for_them() -> None:
    """A server and its workers listen on one socket; two that know nothing of each other cannot be told apart."""
    assert top_of({10: (1,), 11: (10, 1), 12: (11, 10, 1)}) == 10
    assert top_of({11: (10, 1), 10: (1,)}) == 10
    assert top_of({10: (1,), 20: (1,)}) is None
    assert top_of({10: (1,)}) == 10
    assert top_of({}) is None
