"""The page and its steps: every section has a step, every step a section, one step a file."""

import ast
import re
from pathlib import Path

from tests.house.source import REPOSITORY, docstrings, name, python_files, tree

PAGE = REPOSITORY / "flows" / "runbook.md"
SHELVES = ("observe", "act", "notify", "record", "operator", "drills")
STEPS = tuple(path for path in python_files(*(f"tasks/{shelf}" for shelf in SHELVES)) if path.stem != "__init__")
# Of the page, what no step does yet. A section that gets its step leaves this list, or the test below fails.
BY_HAND_STILL: set[str] = set()
_SECTION = re.compile(r"§(\d(?:\.\d)?)")


def page_sections() -> set[str]:
    """Read the numbered sections of the page."""
    return set(re.findall(r"(?:^## |\*\*)§(\d(?:\.\d)?)", PAGE.read_text("utf-8"), re.MULTILINE))


def cited(paths: tuple[Path, ...]) -> dict[str, set[str]]:
    """Find the sections that the `Runbook:` lines of each file name."""
    found: dict[str, set[str]] = {}
    for path in paths:
        lines = [line for text in docstrings(path) for line in text.splitlines() if line.strip().startswith("Runbook:")]
        found[name(path)] = {section for line in lines for section in _SECTION.findall(line)}
    return found


def test_the_page_has_the_five_sections() -> None:
    """The numbers are the desk's own; code, reports and messages name them."""
    assert {section for section in page_sections() if "." not in section} == {"1", "2", "3", "4", "5"}


def test_every_section_of_the_page_has_a_step() -> None:
    """A section that nobody carries out is one that the person paged believes is done."""
    carried_out = set().union(*cited((*STEPS, *python_files("flows"))).values())
    numbered = {section for section in page_sections() if "." in section}

    assert numbered - carried_out == BY_HAND_STILL


def test_every_runbook_line_names_a_section_that_exists() -> None:
    """Who follows the number from a docstring to the page finds it there."""
    missing = {file: sections - page_sections() for file, sections in cited(python_files("tasks", "flows")).items()}

    assert {file: sections for file, sections in missing.items() if sections} == {}


def test_a_step_file_holds_one_public_task_of_its_name() -> None:
    """The shelves are the table of contents: a file's name is its step's name, in code and in the Prefect UI."""
    held = {path.stem: _public_tasks(tree(path)) for path in STEPS}

    assert held == {path.stem: [(path.stem, path.stem)] for path in STEPS}


def _public_tasks(module: ast.Module) -> list[tuple[str, str]]:
    return [(node.name, _task_name(node)) for node in module.body if _is_task(node)]  # type: ignore[union-attr,arg-type]


def _is_task(node: ast.stmt) -> bool:
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or node.name.startswith("_"):
        return False
    return any(ast.unparse(decorator).split("(")[0] == "task" for decorator in node.decorator_list)


def _task_name(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    for decorator in node.decorator_list:
        for keyword in decorator.keywords if isinstance(decorator, ast.Call) else ():
            if keyword.arg == "name" and isinstance(keyword.value, ast.Constant):
                return str(keyword.value.value)
    return node.name
