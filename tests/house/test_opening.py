"""Files are opened where nothing can hold the opener up."""

import ast
from pathlib import Path

from tests.house.source import REPOSITORY, name, python_files, tree

PLAIN = {"read_text", "read_bytes", "write_text", "write_bytes", "open"}
# Each with the reason why nothing can stand in the file's place, or why it may wait.
MAY_OPEN = {
    "deployments/ci/prefect_process.py": "a log in a folder that the session made",
    "deployments/ci/session.py": "what the session itself writes",
    "deployments/commands/answer.py": "the null device",
    "deployments/commands/contract.py": "makes a file where nothing stands",
    "deployments/stack/local_http.py": "an address",
    "deployments/monitoring/following.py": "looks at what it is first",
    "deployments/monitoring/hang_watch.py": "an address",
    "deployments/stack/private_files.py": "makes a file again, and opens none",
    "deployments/stack/stack_settings.py": "`up` alone, before anything runs",
    "deployments/warm/early.py": "the null device",
    "deployments/warm/fork_server.py": "the null device",
    "deployments/warm/killable.py": "/proc",
    "deployments/worker.py": "a file of the repository",
    "tasks/clients/process/commands.py": "never waits: an opener of its own",
    "tasks/clients/drills/fixing.py": "a table that the drill wrote",
    "tasks/clients/evidence/store.py": "unpacks what is open already",
    "tasks/clients/files/file_lock.py": "/proc",
    "tasks/clients/incidents/ledger.py": "writes, and never waits",
    "tasks/clients/files/jsonl.py": "writes, never waits, and looks at what it is",
    "tasks/clients/incidents/archiving.py": "a folder, and what it has just removed",
    "tasks/clients/process/listeners.py": "/proc",
    "tasks/clients/process/logins.py": "/proc",
    "tasks/clients/process/machine.py": "/proc and the control groups",
    "tasks/clients/messages/outbox.py": "a folder",
    "tasks/clients/process/processes.py": "/proc",
    "tasks/clients/files/regular_file.py": "the one that looks",
    "tasks/clients/files/runbook_page.py": "the page, a file of the package",
    "tasks/clients/files/atomic.py": "never waits: an opener of its own",
    "tasks/drills/open_drill.py": "a table that the drill wrote",
}


def opens_plainly(path: Path) -> bool:
    """Say whether a file opens another one as Python does, which waits at a pipe for ever."""
    calls = [node for node in ast.walk(tree(path)) if isinstance(node, ast.Call)]
    return any(
        (isinstance(call.func, ast.Attribute) and call.func.attr in PLAIN)
        or (isinstance(call.func, ast.Name) and call.func.id == "open")
        for call in calls
    )


def test_files_are_opened_where_they_are_files_alone() -> None:
    """A pipe in place of one of our files once held every run up for ever; a new door must not bring that back."""
    found = {name(path) for path in python_files("tasks", "deployments", "flows") if opens_plainly(path)}

    assert found - set(MAY_OPEN) == set(), "use tasks/clients/files/regular_file.py or state_files.py"
    assert set(MAY_OPEN) - found == set(), "no reason is needed any more"
    assert all((REPOSITORY / one).is_file() for one in MAY_OPEN)
