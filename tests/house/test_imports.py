"""Who may import whom: the contracts of pyproject.toml, each named as a sentence."""

import ast
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

from tests.house.source import PACKAGES, REPOSITORY, name, python_files, tree


def test_the_import_contracts_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    """A patient that imports its doctors breaks their rollback together with itself."""
    monkeypatch.chdir(REPOSITORY)

    assert lint_imports(str(REPOSITORY / "pyproject.toml"), no_cache=True, no_logo=True) == 0


@pytest.mark.parametrize("path", python_files(*PACKAGES, "tests"), ids=name)
def test_no_file_imports_by_its_own_place(path: Path) -> None:
    """A file can be moved, and an import line says the whole name of what it takes."""
    imports = [node for node in ast.walk(tree(path)) if isinstance(node, ast.ImportFrom)]

    assert [node.lineno for node in imports if node.level] == []
