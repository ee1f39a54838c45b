"""Foreign files are opened only where they are files, and what we write of them is its owner's alone."""

import os
import socket
import stat
from pathlib import Path

import pytest

from tasks.clients.evidence.history import looks_between
from tasks.clients.evidence.snapshot import take_snapshot
from tasks.clients.evidence.store import load_run
from tasks.clients.files.atomic import read_whole, write_whole
from tasks.clients.files.regular_file import open_regular, read_regular
from tasks.clients.logs.scan_logs import scan_new_lines
from tasks.clients.process.releases_root import current_release_folder, release_history
from tasks.model.errors import CannotObserve
from tasks.settings import ServiceSettings
from tests.fakes.incident.observations import NOW
from tests.tasks.logs.writing import question


@pytest.fixture(params=["fifo", "socket", "folder", "device"])
def odd(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A path that leads to no regular file."""
    path = tmp_path / "odd"
    match request.param:
        case "fifo":
            os.mkfifo(path)
        case "socket":
            with socket.socket(socket.AF_UNIX) as server:
                server.bind(str(path))
        case "folder":
            path.mkdir()
        case _:
            path.symlink_to("/dev/zero")
    return path


def test_what_is_no_file_is_not_opened(odd: Path) -> None:
    """Opening a FIFO waits until somebody writes it, and reading a device never ends."""
    with pytest.raises(OSError, match=r"regular|directory|No such device"):
        open_regular(odd)


def test_a_state_file_that_is_no_file_is_unreadable_at_once(odd: Path) -> None:
    """A FIFO under the state directory held up every run for ever."""
    with pytest.raises(CannotObserve):
        read_whole(odd)
    with pytest.raises(CannotObserve):
        load_run(odd)


def test_a_release_folder_of_odd_files_tells_nothing(odd: Path, tmp_path: Path) -> None:
    """Where its releases lie is written by the service."""
    (tmp_path / "current").symlink_to(odd)
    (tmp_path / "history.jsonl").symlink_to(odd)
    service = ServiceSettings(releases_root=tmp_path)

    assert current_release_folder(service) is None
    assert release_history(service) == b""
    (tmp_path / "past.jsonl").symlink_to(odd)
    assert looks_between(tmp_path / "past.jsonl", NOW, NOW) == ()


def test_a_file_is_read_up_to_its_bound(tmp_path: Path) -> None:
    """A state file of gigabytes must not fill our memory."""
    (tmp_path / "a").write_bytes(b"0123456789")

    assert read_regular(tmp_path / "a", 4) == b"0123"
    assert read_regular(tmp_path / "a", 10) == b"0123456789"
    assert read_regular(tmp_path / "a", 400) == b"0123456789"


def mode_of(path: Path) -> int:
    """The permissions of a file or folder."""
    return stat.S_IMODE(path.stat().st_mode)


def test_what_is_kept_is_its_owner_s_alone(tmp_path: Path) -> None:
    """Evidence holds what a service says of itself; nobody else on the host may read it, whatever the umask."""
    before = os.umask(0o022)
    try:
        write_whole(tmp_path / "state" / "a.json", b"{}")
        log = tmp_path / "service.log"
        log.write_text("ERROR boom password=Hunter-two-x\n", "utf-8")
        scan_new_lines(log, tmp_path / "logs", question())
        take_snapshot(ServiceSettings(log_files=(log,)), tmp_path / "evidence" / "one", deadline_s=10)
    finally:
        os.umask(before)
    folders = [tmp_path / "state", tmp_path / "logs" / "log-checkpoints", tmp_path / "evidence" / "one"]
    files = [file for folder in folders for file in folder.iterdir() if file.suffix in (".json", ".log", ".txt")]

    assert [mode_of(folder) for folder in folders] == [0o700] * 3
    assert files
    assert {mode_of(file) for file in files} == {0o600}
    assert all(b"Hunter" not in file.read_bytes() for file in files)
