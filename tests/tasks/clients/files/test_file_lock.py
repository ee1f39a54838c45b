"""The lock of a file: its owner's alone, bounded, and with a name for whoever holds it."""

import os
import stat
from pathlib import Path

import pytest
from filelock import FileLock

from tasks.clients.files.file_lock import LockHeld, file_locked
from tasks.clients.locks.host_lock import release, take


def test_no_other_user_can_hold_the_lock_of_the_ledger(tmp_path: Path) -> None:
    """With a lock file that all may open, any local user stopped every page and restart with one `flock`."""
    path = tmp_path / "incidents.jsonl"

    with file_locked(path, 1.0):
        assert stat.S_IMODE((tmp_path / "incidents.jsonl.lock").stat().st_mode) == 0o600


def test_no_other_user_can_hold_the_lock_of_a_service(tmp_path: Path) -> None:
    """The same for the lock before every action."""
    release(tmp_path, take(tmp_path, "svc", "a test"))

    assert stat.S_IMODE((tmp_path / "locks" / "svc.lock").stat().st_mode) == 0o600


def test_a_lock_file_of_the_earlier_version_is_closed_to_others(tmp_path: Path) -> None:
    """It was readable by all; the next one who takes it, or waits for it, makes it private."""
    lock = tmp_path / "incidents.jsonl.lock"
    lock.touch()
    lock.chmod(0o644)

    with FileLock(lock), pytest.raises(LockHeld), file_locked(tmp_path / "incidents.jsonl", 0.0):
        raise AssertionError("nobody else has it")

    assert stat.S_IMODE(lock.stat().st_mode) == 0o600


@pytest.mark.skipif(not Path("/proc/locks").exists(), reason="the kernel names lock holders on Linux alone")
def test_who_holds_a_lock_for_too_long_is_named(tmp_path: Path) -> None:
    """The page says which process to look at."""
    path = tmp_path / "incidents.jsonl"

    with FileLock(f"{path}.lock"), pytest.raises(LockHeld) as caught, file_locked(path, 0.1):
        raise AssertionError("nobody else has it")

    assert caught.value.strerror.startswith("locked for 0.1 s by")
    assert f"pid {os.getpid()} (" in caught.value.strerror or "does not name" in caught.value.strerror
