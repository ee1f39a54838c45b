"""Nothing reaches a terminal but through the one door that makes it safe."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOOR = {"deployments/views/words.py"}
# Live views and tables; what they draw is made safe by `line` and `safe`, as deployments/stack/test_terminal.py holds.
SCREENS = {f"deployments/views/{name}.py" for name in ("terminal", "progress", "status", "bars")}
# A run's last word, into the worker's log.
LOGS = {"deployments/warm/fork_server.py"}


def test_no_command_writes_to_the_terminal_by_itself() -> None:
    """A second door is forgotten when the first is made safe, and a ledger line then says that all is healthy."""
    found = [
        f"{path}:{line} {what}"
        for path, line, what in _writing()
        if path not in DOOR | LOGS and not (what == "Console" and path in SCREENS)
    ]

    assert found == []


def _writing() -> Iterator[tuple[str, int, str]]:
    for path in sorted((ROOT / "deployments").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and (what := ast.unparse(node.func)) in {
                "print",
                "Console",
                "sys.stdout.write",
                "sys.stderr.write",
                "rich.print",
            }:
                yield path.relative_to(ROOT).as_posix(), node.lineno, what
