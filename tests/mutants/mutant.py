"""One mutant: a module with one place changed."""

import ast
import difflib
import random
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.mutants.sites import Edit, Sites

REPOSITORY = Path(__file__).resolve().parents[2]
RULES = REPOSITORY / "tasks" / "rules"
EQUIVALENT = Path(__file__).with_name("equivalent.toml")
# The rules that decide what is wrong, what is done, whether it may be, and whom it is reported. Words decide nothing.
FOLDERS = ("diagnosis/causes", "remediation/guards", "remediation/planning")
WORDS = frozenset({"__init__", "markdown"})
ALSO = (
    "diagnosis/confirming",
    "diagnosis/deploy_regression",
    "diagnosis/name_causes",
    "escalation/timers",
    "fleet/neighbors",
    "in_force/class_standing",
    "in_force/restrictions",
    "incidents/escalation_state",
    "incidents/hysteresis",
    "incidents/maintenance_windows",
    "incidents/tiers",
    "process/ownership",
    "remediation/branches",
    "remediation/kept_configuration",
    "remediation/recovery",
    "remediation/release_record",
)


@dataclass(frozen=True, slots=True)
class Mutant:
    """Hold where it is (`path` from the root of the repository), and the whole source with the change in it."""

    path: str
    line: int
    last_line: int
    is_at_top: bool
    before: str
    after: str
    source: str

    @property
    def module(self) -> str:
        """Name the module."""
        return self.path.removesuffix(".py").replace("/", ".")

    def diff(self) -> str:
        """Show what is changed."""
        original = (REPOSITORY / self.path).read_text("utf-8").splitlines()
        lines = difflib.unified_diff(original, self.source.splitlines(), lineterm="", n=0)
        return "\n".join(line for line in lines if line[:3] not in {"---", "+++"} and line[:2] != "@@")


def deciding_files(rules: Path = RULES) -> list[Path]:
    """Find the modules whose mutants are made."""
    found = [path for folder in FOLDERS for path in (rules / folder).glob("*.py") if path.stem not in WORDS]
    return sorted([*found, *(rules / f"{name}.py" for name in ALSO)])


def drawn(files: Iterable[Path], seed: int, known: Path = EQUIVALENT) -> Iterator[Mutant]:
    """Give every mutant of these modules in an order drawn by a seed, but for those that are known to change nothing.

    The same seed draws the same ones from the same source.
    """
    excused = {(one["path"], one["before"], one["after"]) for one in equivalents(known)}
    places = [(path, edit) for path in files for edit in Sites(path.read_text("utf-8")).edits()]
    random.Random(seed).shuffle(places)
    for path, edit in places:
        mutant = mutant_at(path, edit)
        if mutant is not None and (mutant.path, mutant.before, mutant.after) not in excused:
            yield mutant


def mutant_at(path: Path, edit: Edit) -> Mutant | None:
    """Make one mutant; none where the change is no program, or the same one."""
    raw = path.read_bytes()
    changed = raw[: edit.start] + edit.text.encode() + raw[edit.end :]
    tree, written_out = _parsed(raw)
    try:
        if ast.dump(ast.parse(changed)) == written_out:
            return None
    except SyntaxError:
        return None
    line = raw[: edit.start].count(b"\n") + 1
    start = raw.rfind(b"\n", 0, edit.start) + 1
    behind = raw.find(b"\n", edit.end)
    end = len(raw) if behind < 0 else behind
    return Mutant(
        path=path.relative_to(REPOSITORY).as_posix() if path.is_relative_to(REPOSITORY) else path.name,
        line=line,
        last_line=raw[: edit.end].count(b"\n") + 1,
        is_at_top=not any(first <= line <= last for first, last in _functions(tree)),
        before=_squeezed(raw[start:end]),
        after=_squeezed(raw[start : edit.start] + edit.text.encode() + raw[edit.end : end]),
        source=changed.decode(),
    )


@cache
def _parsed(raw: bytes) -> tuple[ast.Module, str]:
    tree = ast.parse(raw)
    return tree, ast.dump(tree)


def _functions(tree: ast.Module) -> Iterator[tuple[int, int]]:
    """Give the lines of the bodies that run when they are called, and not when the module is imported."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.body[0].lineno, node.end_lineno or node.lineno


def equivalents(known: Path = EQUIVALENT) -> list[dict[str, str]]:
    """Read the mutants that change nothing: `path`, `before` and `after` as the tool prints them, and the `reason`."""
    found: list[dict[str, str]] = tomllib.loads(known.read_text("utf-8")).get("equivalent", [])
    return found


def _squeezed(text: bytes) -> str:
    return " ".join(text.decode().split())
