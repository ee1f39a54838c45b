"""Who may import whom: the contracts of pyproject.toml, each named as a sentence."""

import pytest
from importlinter.cli import lint_imports

from tests.house.source import REPOSITORY


def test_the_import_contracts_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that imports its doctors breaks their rollback together with itself."""
    monkeypatch.chdir(REPOSITORY)

    assert lint_imports(str(REPOSITORY / "pyproject.toml"), no_cache=True, no_logo=True) == 0
