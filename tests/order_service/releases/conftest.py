"""Two releases built once; each test gets its own copy of them."""

import shutil
from pathlib import Path

import pytest

from order_service.releases.build import build
from tests.order_service.releases.release_tree import Tree


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """Build 1.0.0 and 1.1.0 from sources that differ."""
    tree = Tree(tmp_path_factory.mktemp("releases"))
    build(tree.store, "1.0.0", tree.source("old"), None)
    build(tree.store, "1.1.0", tree.source("new"), None)
    return tree


@pytest.fixture
def tree(built: Tree, tmp_path: Path) -> Tree:
    """Give both releases, none deployed."""
    shutil.copytree(built.base, tmp_path / "tree")
    return Tree(tmp_path / "tree")


@pytest.fixture
def trusting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Skip asking the release about itself, which takes a process, where the order of moves is the subject."""
    monkeypatch.setattr("order_service.releases.deploy.ask_release", lambda _: None)
    monkeypatch.setattr("order_service.releases.deploy.ask_release_of_table", lambda *_: None)
