"""Stop what `up` started, and nothing else: whole process trees, each known by pid and start time."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from deployments.stack.parts import WORKER
from deployments.stack.ports import SERVER
from deployments.stack.stack_file import StackRecord, remove_stack
from deployments.stack.state_dir import StateDir
from tasks.clients.process.marks import STACK_MARK, left_under, marked
from tasks.clients.process.processes import is_running, own_pid, terminate
from tasks.model.errors import CannotAct, Code
from tasks.model.probes.processes import ProcessIdentity

# Long enough for the order service to finish its orders in flight, and for Prefect to close its database.
GRACE_S = 8.0
STARTER_GRACE_S = 45.0
LEFT_ROUNDS_COUNT = 4


def stop_stack(state: StateDir, stack: StackRecord) -> None:
    """Stop every part; the worker first, so that no flow restarts what is being stopped.

    Errors: `STILL_ALIVE` names what outlived even SIGKILL; the stack file then stays.
    """
    parts = {name: part.identity for name, part in stack.parts.items()}
    server = parts.pop(SERVER, None)
    _end([parts.pop(WORKER)] if WORKER in parts else [])
    _end([one for one in _of_this_stack(stack, parts.values()) if one != server])
    _end([server] if server else [])
    _refuse_survivors(stack)
    remove_stack(state.stack_file)
    state.pid_file.unlink(missing_ok=True)


def stop_left(state: StateDir) -> int:
    """Stop what a stack of this state directory left running without a stack file; say how many processes it was.

    Errors: `STILL_ALIVE` names what outlived even SIGKILL.
    Steps: nobody knows which part each process is, so a flow may start the service once more while they end; what
    appears is ended, too.
    """
    ended: set[ProcessIdentity] = set()
    for _ in range(LEFT_ROUNDS_COUNT):
        found = left_under(state.root)
        if not found:
            return len(ended)
        _end(found)
        ended.update(found)
    _refuse_living(left_under(state.root))
    return len(ended)


def stop_parts(stack: StackRecord, names: frozenset[str]) -> None:
    """Stop the named parts alone, when fixing a stack did not work out."""
    _end([part.identity for name, part in stack.parts.items() if name in names])


def stop_starter(stack: StackRecord | None) -> None:
    """Stop an `up` that is still at work or in the foreground: it stops its own parts, and we what it leaves."""
    if stack is not None and stack.starter is not None and stack.starter.pid != own_pid():
        terminate(stack.starter, grace_s=STARTER_GRACE_S)


def _of_this_stack(stack: StackRecord, parts: Iterable[ProcessIdentity]) -> set[ProcessIdentity]:
    """Add what carries the mark: what a flow restarted, and what was spawned in the instant before a kill -9."""
    return {*parts, *marked(STACK_MARK, stack.mark)}


def _end(identities: Iterable[ProcessIdentity]) -> None:
    all_of_them = list(identities)
    if all_of_them:
        with ThreadPoolExecutor(len(all_of_them)) as pool:
            list(pool.map(lambda identity: terminate(identity, grace_s=GRACE_S), all_of_them))


def _refuse_survivors(stack: StackRecord) -> None:
    _refuse_living(marked(STACK_MARK, stack.mark))


def _refuse_living(identities: Iterable[ProcessIdentity]) -> None:
    survivors = [identity for identity in identities if is_running(identity)]
    if survivors:
        pids = ", ".join(str(one.pid) for one in survivors)
        raise CannotAct(Code.STILL_ALIVE, f"expected every part to end was alive pid={pids}; end them by hand")
