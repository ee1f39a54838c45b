"""Building releases."""

import json
import random
import stat
import subprocess
import time
from pathlib import Path

import pytest

from order_service.releases.build import build
from order_service.releases.manifest import verify
from order_service.releases.store import ReleaseCode, ReleaseError
from tests.order_service.releases.release_tree import PACKAGE, Tree

pytestmark = pytest.mark.live


def test_a_release_holds_code_and_configuration_with_their_digests(tree: Tree) -> None:
    """What runs must be provable file by file."""
    release = tree.store.path("1.0.0")

    files = json.loads((release / "manifest.json").read_text())["files"]

    assert "code/order_service/__main__.py" in files
    assert (release / "config" / "routing.toml").read_text().startswith("# old")
    assert verify(release).version == "1.0.0"


def test_the_files_of_a_release_are_read_only(tree: Tree) -> None:
    """A release that can be edited in place is no release."""
    files = [path for path in tree.store.path("1.0.0").rglob("*") if path.is_file()]

    assert files
    assert not any(path.stat().st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH) for path in files)


def test_the_same_content_is_built_once(tree: Tree) -> None:
    """A repeated command is not an error."""
    before = tree.store.path("1.0.0").stat().st_ino

    build(tree.store, "1.0.0", tree.base / "source-old", None)

    assert tree.store.path("1.0.0").stat().st_ino == before


def test_other_content_under_the_same_version_is_refused(tree: Tree) -> None:
    """Two codes under one version would make every report ambiguous."""
    with pytest.raises(ReleaseError) as refused:
        build(tree.store, "1.0.0", tree.base / "source-new", None)

    assert refused.value.code is ReleaseCode.RELEASE_EXISTS
    verify(tree.store.path("1.0.0"))


def test_a_directory_without_the_package_is_no_source(tree: Tree) -> None:
    """A wrong path is said, not copied."""
    with pytest.raises(ReleaseError) as refused:
        build(tree.store, "2.0.0", tree.base, None)

    assert refused.value.code is ReleaseCode.SOURCE_INVALID
    assert tree.store.versions() == ["1.0.0", "1.1.0"]


def test_a_killed_build_leaves_nothing_half_done(tmp_path: Path) -> None:
    """At whatever moment the kill comes: the release is whole or not there."""
    tree = Tree(tmp_path)
    for attempt in range(4):
        process = subprocess.Popen(tree.command("build", f"1.0.{attempt}", "--source", str(PACKAGE)))
        time.sleep(random.uniform(0.05, 0.35))  # the moment of the kill is what the test varies
        process.kill()
        process.wait(timeout=5)

        for version in tree.store.versions():
            verify(tree.store.path(version))
    build(tree.store, "2.0.0", PACKAGE, None)
    assert not list(tree.store.root.glob(".build-*"))
