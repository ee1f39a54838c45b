"""What lies under the state directory is for its owner alone: orders, logs, evidence, passwords."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deployments.stack.private_files import keep_to_ourselves
from deployments.stack.stack_lock import stack_lock
from deployments.stack.state_dir import StateDir

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX")


@pytest.fixture(autouse=True)
def own_mask() -> Iterator[None]:
    """Begin with the mask of an ordinary login, and leave none behind."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def open_to_others(root: Path) -> list[Path]:
    """Find what others have any right on."""
    return [one for one in (root, *root.rglob("*")) if not one.is_symlink() and one.lstat().st_mode & 0o077]


def test_nothing_under_a_state_directory_is_open_to_others(tmp_path: Path) -> None:
    """Every local user could read the orders, and what a gateway answered to them."""
    root = tmp_path / "state"
    (root / "order-service").mkdir(parents=True)
    (root / "order-service" / "journal.db").write_bytes(b"orders of an earlier version")
    (root / "tool").write_bytes(b"")
    (root / "tool").chmod(0o755)
    outside = tmp_path / "outside"
    outside.write_bytes(b"")
    (root / "link").symlink_to(outside)

    keep_to_ourselves(root)
    subprocess.run([sys.executable, "-c", "open('made-by-a-part', 'w')"], cwd=root, check=True)

    assert open_to_others(root) == []
    assert (root / "tool").stat().st_mode & 0o777 == 0o700
    assert outside.stat().st_mode & 0o777 == 0o644


def test_a_folder_that_is_not_ours_alone_keeps_its_rights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`RUNBOOK_STATE_DIR=/tmp`, or the project itself, must not lock everybody else out of it."""
    shared, project = tmp_path / "tmp", tmp_path / "project"
    for one in (shared, project):
        one.mkdir()
        (one / "theirs").write_bytes(b"")
    shared.chmod(0o1777)
    monkeypatch.chdir(project)

    keep_to_ourselves(shared)
    keep_to_ourselves(project)

    assert shared.stat().st_mode & 0o7777 == 0o1777
    assert {(one / "theirs").stat().st_mode & 0o777 for one in (shared, project)} == {0o644}


def test_down_leaves_no_open_directory_either(tmp_path: Path) -> None:
    """A command that only looks must not make the place with rights for all before `up` does."""
    state = StateDir(tmp_path / "state")
    with stack_lock(state):
        assert open_to_others(state.root) == []
