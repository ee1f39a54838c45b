"""Who may import whom: the contracts of pyproject.toml, each named as a sentence."""

import ast

import pytest
from importlinter.cli import lint_imports

from tests.house.source import PACKAGES, REPOSITORY, name, python_files, tree


def test_the_import_contracts_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that imports its doctors breaks their rollback together with itself."""
    monkeypatch.chdir(REPOSITORY)

    assert lint_imports(str(REPOSITORY / "pyproject.toml"), no_cache=True, no_logo=True) == 0


def test_no_file_imports_by_its_own_place() -> None:
    """A file can be moved, and an import line says the whole name of what it takes."""
    places = {name(path): _relative_imports(tree(path)) for path in python_files(*PACKAGES, "bench", "tests")}

    assert {file: lines for file, lines in places.items() if lines} == {}


def _relative_imports(module: ast.Module) -> list[int]:
    return [node.lineno for node in ast.walk(module) if isinstance(node, ast.ImportFrom) and node.level]
