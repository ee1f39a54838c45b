"""Whatever stands in place of one of our files: nothing waits for it, ends in a traceback or loses what people read."""

import os
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from deployments.prefect_server.server_settings import ServerSettings, generated_login, kept
from deployments.stack.stack_file import read_stack
from deployments.stack.starting import _last_words
from deployments.stack.state_dir import StateDir
from tasks.clients.evidence.history import (
    finished_at,
    last_observation_at,
    looks_between,
    recall_observations,
    remember_observation,
)
from tasks.clients.files.atomic import write_whole
from tasks.clients.files.settings_file import read_table
from tasks.clients.incidents.ledger import append_or_keep, read_ledger, tidy
from tasks.clients.incidents.ledger_spool import let_out, memory_folder
from tasks.clients.incidents.mode import current_mode, set_mode
from tasks.clients.locks import host_lock
from tasks.clients.messages.local_file import LocalSink, read_deliveries
from tasks.clients.messages.outbox import Outbox
from tasks.clients.process.commands import HERE, last_lines, spawn, start_output
from tasks.model.errors import CannotAct, Code, RunbookError
from tasks.model.incidents.incident import LedgerRecord, Source
from tasks.model.incidents.ledger_file import LedgerPlace
from tasks.model.incidents.modes import Mode
from tasks.model.messages.messages import Audience, Message
from tasks.model.probes.history import PastObservation
from tasks.settings import RunbookSettings
from tasks.work.postmortem.accepted_checks import list_checks
from tests.fakes.incident.observations import NOW

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="pipes and devices as files of POSIX"),
    pytest.mark.timeout(20),
]


def _bind(path: Path) -> None:
    # The path of a socket is bounded by the kernel; a temporary folder's may be longer.
    here = Path.cwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path.name)
    finally:
        os.chdir(here)


def _link_to_device(path: Path) -> None:
    # A node of our own: a test that links to the machine's devices would have them replaced by what it tests.
    node = path.with_name(f"{path.name}.zero")
    try:
        os.mknod(node, stat.S_IFCHR | 0o600, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("only root makes a device")
    path.symlink_to(node)


def _sparse(path: Path) -> None:
    path.touch()
    os.truncate(path, 1 << 40)


ODD: dict[str, Callable[[Path], object]] = {
    "fifo": os.mkfifo,
    "socket": _bind,
    "folder": Path.mkdir,
    "device": _link_to_device,
    "loop": lambda path: path.symlink_to(path.name),
    "below a file": lambda path: path.symlink_to("/etc/hostname/nothing"),
    "sparse": _sparse,
    "nul": lambda path: path.write_bytes(b"\0" * 5000),
    "not utf-8": lambda path: path.write_bytes(b"\xff\xfe\xc3\x28" * 50),
    "nesting": lambda path: path.write_bytes(b"[" * 100_000),
    "digits": lambda path: path.write_bytes(b"a = " + b"9" * 10_000),
}


@pytest.fixture(params=list(ODD))
def put_odd(request: pytest.FixtureRequest) -> Callable[[Path], Path]:
    """Put something that is no file of ours where one is expected."""

    def put(path: Path) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        ODD[request.param](path)
        return path

    return put


def raises_only(code: Code, step: Callable[[], object]) -> bool:
    """Say whether a step says that it cannot; that is the one way in which it may not succeed."""
    found: list[Code] = []
    try:
        step()
    except RunbookError as error:
        found.append(error.code)
    assert set(found) <= {code}
    return bool(found)


def fail_on(waited: bytes) -> None:
    """Write what waits to a full disk."""
    assert waited
    raise OSError("full")


def test_a_mode_switch_that_is_no_file_says_observe(put_odd: Callable[[Path], Path], tmp_path: Path) -> None:
    """Nobody knows what the person wanted: then nothing acts."""
    settings = RunbookSettings(state_dir=tmp_path, mode=Mode.ACT)
    put_odd(tmp_path / "mode")

    assert current_mode(settings) is Mode.OBSERVE


def test_a_mode_is_set_beside_what_a_killed_writer_left(put_odd: Callable[[Path], Path], tmp_path: Path) -> None:
    """A person who switches to observe is never held up: it is done, or said to be impossible."""
    settings = RunbookSettings(state_dir=tmp_path, mode=Mode.ACT)
    put_odd(tmp_path / ".mode.new")
    is_blocked = (tmp_path / ".mode.new").is_dir()
    told = raises_only(Code.SINK_UNWRITABLE, lambda: set_mode(settings, Mode.OBSERVE))

    assert told or current_mode(settings) is Mode.OBSERVE
    if not is_blocked:
        set_mode(settings, Mode.OBSERVE)
        assert current_mode(settings) is Mode.OBSERVE


@pytest.mark.parametrize("text", ["act" + " " * 200 + "observe", "act\nobserve", "ACT", "act;", "äct", "act\0"])
def test_only_a_word_that_is_a_mode_is_one(tmp_path: Path, text: str) -> None:
    """A switch is read whole: what begins with `act` may go on otherwise."""
    (tmp_path / "mode").write_text(text, "utf-8")

    assert current_mode(RunbookSettings(state_dir=tmp_path, mode=Mode.ACT)) is Mode.OBSERVE


def test_a_device_is_never_replaced_by_a_file(tmp_path: Path) -> None:
    """As root, a state file that is a link to a device had the machine's own device replaced by our file."""
    path = tmp_path / "state.json"
    _link_to_device(path)

    assert raises_only(Code.SINK_UNWRITABLE, lambda: write_whole(path, b"{}"))
    assert stat.S_ISCHR(path.stat().st_mode)


def test_settings_that_are_no_file_are_told_in_one_line(put_odd: Callable[[Path], Path], tmp_path: Path) -> None:
    """A pipe under the name of the settings held every command up; a number of 5,000 digits was a traceback."""
    with pytest.raises(RunbookError) as caught:
        read_table(put_odd(tmp_path / "runbook.toml"), "RUNBOOK_CONFIG")

    assert caught.value.code is Code.BAD_SETTING


def test_a_stack_that_is_no_file_is_told_in_one_line(put_odd: Callable[[Path], Path], tmp_path: Path) -> None:
    """What it named may still run, so it is never taken for no stack."""
    state = StateDir(tmp_path)
    put_odd(state.server_file)
    for read in (lambda: read_stack(put_odd(state.stack_file)), lambda: kept(state)):
        with pytest.raises(CannotAct) as caught:
            read()
        assert caught.value.code is Code.FILE_UNREADABLE


def test_a_login_that_is_no_file_is_made_anew(put_odd: Callable[[Path], Path], tmp_path: Path) -> None:
    """A stack never starts without a login, and never waits for one."""
    state = StateDir(tmp_path)
    path = put_odd(state.login_file)
    if path.is_dir() and not path.is_symlink():
        with pytest.raises((RunbookError, OSError)):
            generated_login(state)
        return

    assert ServerSettings(server_auth=generated_login(state)).server_auth == generated_login(state)


def test_a_run_that_cannot_read_the_past_goes_on_without_it(put_odd: Callable[[Path], Path], tmp_path: Path) -> None:
    """Its history makes a triage wiser, and must never hold one up."""
    path = put_odd(tmp_path / "looks" / "order-service.jsonl")
    put_odd(tmp_path / "looks" / "order-service.finished")

    assert recall_observations(path, NOW) == ()
    assert last_observation_at(path, NOW, timedelta(hours=1)) is None
    assert finished_at(path, NOW, timedelta(hours=1)) is None
    assert looks_between(path, NOW, NOW) == ()
    assert remember_observation(path, PastObservation(at=NOW, status="healthy")) in (True, False)


def test_a_message_is_kept_and_sent_whatever_stands_in_the_queue(
    put_odd: Callable[[Path], Path], tmp_path: Path
) -> None:
    """A page is worth more than a file in its way."""
    box = Outbox(tmp_path)
    page = Message(audience=Audience.TIER_1, text="down", incident_id="I1", key="one")
    put_odd(box._entry_path("one"))
    put_odd(tmp_path / "outbox" / "blocked.json")

    assert box.put("order-service", page, NOW).message == page
    assert [one.message for one in box.waiting()] == [page]
    assert box.blocked() == {}
    box.save_blocked({})


def test_a_file_of_messages_that_is_none_is_told(put_odd: Callable[[Path], Path], tmp_path: Path) -> None:
    """The local file is the last channel: what it cannot take is not counted as told."""
    path = put_odd(tmp_path / "notifications.jsonl")
    page = Message(audience=Audience.TIER_1, text="down", incident_id="I1", key="one")
    if path.is_file() and path.stat().st_size < 1 << 30:
        LocalSink(path).keep(page, "local", NOW, delivered=True)
        assert LocalSink(path).delivered("one")
        return

    assert not LocalSink(path).delivered("one")


def test_the_lock_of_a_service_needs_no_note(put_odd: Callable[[Path], Path], tmp_path: Path) -> None:
    """Who holds the lock is told for people: a note that cannot be written neither blocks nor keeps the lock."""
    put_odd(tmp_path / "locks" / "order-service.holder")
    lease = host_lock.take(tmp_path, "order-service", "one", NOW)
    host_lock.release(tmp_path, lease)
    again = host_lock.take(tmp_path, "order-service", "two", NOW)
    host_lock.release(tmp_path, again)

    assert lease.taken
    assert again.taken


def test_records_are_kept_where_the_ledger_is_no_file(put_odd: Callable[[Path], Path], tmp_path: Path) -> None:
    """What tightens is done and recorded, whatever stands where the ledger should."""
    place = LedgerPlace(path=put_odd(tmp_path / "incidents.jsonl"), state_dir=tmp_path / "state")
    one = LedgerRecord(timestamp=NOW, type="note", service="order-service", source=Source.OPERATOR, summary="x")
    raises_only(Code.LEDGER_UNREADABLE, lambda: read_ledger(place))
    raises_only(Code.LEDGER_UNREADABLE, lambda: tidy(place, timedelta(days=1), NOW))
    recorded = append_or_keep(place, [one], 0.2)

    assert recorded.appended or recorded.kept


def test_what_waits_for_a_ledger_is_not_held_up_by_it(put_odd: Callable[[Path], Path], tmp_path: Path) -> None:
    """A writer that was killed left a note of what was on its way; the ledger became a pipe since."""
    place = LedgerPlace(path=put_odd(tmp_path / "incidents.jsonl"), state_dir=tmp_path / "state")
    folder = memory_folder(place)
    assert folder is not None
    write_whole(folder / "kept-1.jsonl", b"{}\n")
    write_whole(folder / "moving", b'{"offset": 0, "names": ["kept-1.jsonl"]}')
    with pytest.raises(OSError, match=r"full|No such device|regular"), let_out(place) as waited:
        fail_on(waited)

    assert (folder / "kept-1.jsonl").exists()


def test_a_check_that_is_no_file_hides_no_other(put_odd: Callable[[Path], Path], tmp_path: Path) -> None:
    """It is named, and the others are held against the evidence."""
    put_odd(tmp_path / "checks" / "a.json")

    assert len(list_checks(tmp_path)[1]) == 1


def test_a_service_starts_whatever_its_log_is(put_odd: Callable[[Path], Path], tmp_path: Path) -> None:
    """The service was stopped before: a pipe or a folder in place of its log must not leave it so."""
    log = put_odd(tmp_path / "start.log")
    with start_output(log, "ab") as output:
        process = spawn([sys.executable, "-c", "print('up')"], HERE, output)
    assert process.wait(10) == 0
    with start_output(log, "a+b") as output:
        assert subprocess.run(["true"], stdout=output, check=True, timeout=10).returncode == 0

    assert isinstance(last_lines(log), str)
    assert isinstance(_last_words(log), list)


def test_messages_are_read_whatever_holds_them(put_odd: Callable[[Path], Path], tmp_path: Path) -> None:
    """The status shows what was reported; a file of a terabyte of nothing must not end it."""
    path = put_odd(tmp_path / "notifications.jsonl")

    assert read_deliveries(path) == ()
