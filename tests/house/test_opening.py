"""Files are opened where nothing can hold the opener up."""

import ast
from pathlib import Path

from tests.house.source import REPOSITORY, name, python_files, tree

PLAIN = {"read_text", "read_bytes", "write_text", "write_bytes", "open"}
# Each with the reason why nothing can stand in the file's place, or why it may wait.
MAY_OPEN = {
    "deployments/commands/looking.py": "the null device",
    "deployments/local_http.py": "an address",
    "deployments/monitoring/following.py": "looks at what it is first",
    "deployments/monitoring/hang_watch.py": "an address",
    "deployments/private_files.py": "makes a file anew, and opens none",
    "deployments/stack_settings.py": "`up` alone, before anything runs",
    "deployments/warm/forked_run.py": "the null device",
    "deployments/warm/killable.py": "/proc",
    "deployments/worker.py": "a file of the repository",
    "tasks/clients/commands.py": "never waits: an opener of its own",
    "tasks/clients/drills/healing.py": "a table that the drill wrote",
    "tasks/clients/evidence_store.py": "unpacks what is open already",
    "tasks/clients/file_lock.py": "/proc",
    "tasks/clients/incident_ledger.py": "writes, and never waits",
    "tasks/clients/jsonl.py": "writes, never waits, and looks at what it is",
    "tasks/clients/ledger_archiving.py": "a folder, and what it has just removed",
    "tasks/clients/listening.py": "/proc",
    "tasks/clients/liveness.py": "an address",
    "tasks/clients/machine_look.py": "/proc and the control groups",
    "tasks/clients/outbox.py": "a folder",
    "tasks/clients/processes.py": "/proc",
    "tasks/clients/regular_file.py": "the one that looks",
    "tasks/clients/state_files.py": "never waits: an opener of its own",
    "tasks/open_drill.py": "a table that the drill wrote",
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

    assert found - set(MAY_OPEN) == set(), "use tasks/clients/regular_file.py or state_files.py"
    assert set(MAY_OPEN) - found == set(), "no reason is needed any more"
    assert all((REPOSITORY / one).is_file() for one in MAY_OPEN)
