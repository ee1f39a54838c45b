"""What the house tests read: every file of the repository that people write."""

import ast
from functools import cache
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGES = ("deployments", "flows", "order_service", "tasks")
NOT_WRITTEN = {".git", ".venv", "var", "node_modules", "__pycache__", ".ruff_cache", ".mypy_cache", ".pytest_cache"}
NOT_WRITTEN |= {".hypothesis", ".import_linter_cache", "htmlcov", "site"}
TEXT = {".py", ".md", ".toml", ".yaml", ".yml", ".sh", ".json", ".svg", ".txt", ".cfg", ""}


@cache
def python_files(*folders: str) -> tuple[Path, ...]:
    """Find the Python files under folders of the repository."""
    return tuple(sorted(path for folder in folders for path in (REPOSITORY / folder).rglob("*.py")))


def text_files() -> list[Path]:
    """Find every text file that people write."""
    found = []
    for path in REPOSITORY.rglob("*"):
        parts = path.relative_to(REPOSITORY).parts
        if path.is_file() and path.suffix in TEXT and not NOT_WRITTEN.intersection(parts):
            found.append(path)
    return found


@cache
def tree(path: Path) -> ast.Module:
    """Parse one file."""
    return ast.parse(path.read_text("utf-8"), str(path))


def name(path: Path) -> str:
    """Name a file as a person would, from the root of the repository."""
    return path.relative_to(REPOSITORY).as_posix()


def docstrings(path: Path) -> list[str]:
    """Read every docstring of a file."""
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return [text for node in ast.walk(tree(path)) if isinstance(node, kinds) and (text := ast.get_docstring(node))]
