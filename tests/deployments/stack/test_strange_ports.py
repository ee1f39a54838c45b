"""Somebody else on a port of the stack: named, told nothing of ours, and never taken for the part."""

import os
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
import pytest

from deployments.commands.approve import approve
from deployments.prefect_api.client import PrefectDoor
from deployments.prefect_server.server_settings import ServerSettings, keep
from deployments.stack.last_triage import last_triage
from deployments.stack.live_status import gather_status
from deployments.stack.local_http import answers
from deployments.stack.parts import Part
from deployments.stack.ports import DEFAULTS, SERVER
from deployments.stack.stack_file import PartRecord, StackRecord, write_stack
from deployments.stack.starting import Starting
from deployments.stack.state_dir import StateDir
from deployments.views.status import status_lines
from tasks.clients.process.marks import STACK_MARK
from tasks.clients.process.port_holders import stranger_in, stranger_to
from tasks.clients.process.processes import identify
from tasks.model.errors import Code, RunbookError
from tests.fakes.polling import eventually
from tests.fakes.ports import free_port

pytestmark = pytest.mark.live

OWN = f"pid={os.getpid()} "
HEARD: list[str | None] = []


class Friendly(BaseHTTPRequestHandler):
    """A stranger who answers everything with yes, and notes who told it a password."""

    def do_GET(self) -> None:
        """Say yes."""
        HEARD.append(self.headers["Authorization"])
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"true")

    def do_POST(self) -> None:
        """Say yes."""
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def strange_port() -> Iterator[int]:
    """Put a stranger on a port."""
    HEARD.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Friendly)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def strange_stack(strange_port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StateDir:
    """Give a stack whose Prefect server is gone, with a stranger on its port."""
    state, own = StateDir(tmp_path / "state"), identify(os.getpid())
    assert own
    keep(state, ServerSettings.asked(server_auth="runbook:opensesame"))
    ports = {name: free_port() for name in DEFAULTS} | {SERVER: strange_port}
    worker = PartRecord(name="worker", identity=own, log=tmp_path / "log")
    since = datetime.now(UTC) - timedelta(hours=1)
    stack = StackRecord(mark="mark", started_at=since, starter=None, ports=ports, parts={"worker": worker})
    write_stack(state.stack_file, stack)
    monkeypatch.setenv("RUNBOOK_STATE_DIR", str(state.root))
    return state


def part(folder: Path, program: str, port: int) -> Part:
    """Describe a part that answers on a port, as its health question says."""
    url = f"http://127.0.0.1:{port}"
    command = (sys.executable, "-c", program)
    return Part("part", command, folder / "part.log", folder, lambda: answers(f"{url}/health"), url)


def begun(folder: Path) -> Starting:
    """Begin the start of a stack."""
    return Starting(StackRecord(mark="m", started_at=datetime.now(UTC), starter=None, ports={}), folder / "s.json")


@pytest.mark.parametrize("program", ["raise SystemExit(1)", "import time; time.sleep(60)"], ids=["dead", "alive"])
def test_a_part_is_not_up_because_somebody_else_answers(program: str, strange_port: int, tmp_path: Path) -> None:
    """Our own server had died of the taken address, and its worker then worked for a stranger's."""
    starting = Starting(
        StackRecord(mark="m", started_at=datetime.now(UTC), starter=None, ports={}), tmp_path / "s.json"
    )
    try:
        with pytest.raises(RunbookError) as refused:
            starting.launch(part(tmp_path, program, strange_port))
    finally:
        for one in starting.processes:
            one.kill()
            one.wait()

    assert refused.value.code is Code.PORT_TAKEN
    assert f"port={strange_port} for part was held by {OWN}" in refused.value.detail
    assert "\n" not in refused.value.detail


def test_a_part_that_answers_itself_is_up(tmp_path: Path) -> None:
    """The very process that was started listens."""
    port = free_port()
    starting = Starting(
        StackRecord(mark="m", started_at=datetime.now(UTC), starter=None, ports={}), tmp_path / "s.json"
    )
    serve = "import http.server as h; h.test(h.SimpleHTTPRequestHandler, port={port}, bind='127.0.0.1')"
    (tmp_path / "health").write_text("ok", "utf-8")
    try:
        starting.launch(part(tmp_path, serve.format(port=port), port))
        assert stranger_to(port, starting.processes[0].pid) is None
    finally:
        starting.processes[0].kill()
        starting.processes[0].wait()


def test_a_port_of_the_stack_is_known_by_the_mark_of_who_listens(strange_port: int, tmp_path: Path) -> None:
    """A part that a flow restarted has another pid, and the same mark."""
    port = free_port()
    starting = Starting(
        StackRecord(mark="m", started_at=datetime.now(UTC), starter=None, ports={}), tmp_path / "s.json"
    )
    serve = f"import http.server as h; h.test(h.SimpleHTTPRequestHandler, port={port}, bind='127.0.0.1')"
    marked = Part("part", (sys.executable, "-c", serve), tmp_path / "log", tmp_path, lambda: True)
    os.environ[STACK_MARK] = "mark"
    try:
        starting.launch(marked)
        eventually(lambda: stranger_in(port, "another"))
        assert stranger_in(port, "mark") is None
        assert (stranger_in(strange_port, "mark") or "").startswith(OWN)
        assert stranger_in(free_port(), "mark") is None
    finally:
        del os.environ[STACK_MARK]
        starting.processes[0].kill()
        starting.processes[0].wait()


def test_status_does_not_take_a_stranger_for_prefect_and_tells_it_no_password(strange_stack: StateDir) -> None:
    """*ok* beside a dead server sends the person paged everywhere but there."""
    status = gather_status(strange_stack)
    told = "\n".join(status_lines(status))

    assert status["prefect"]["health"] is None
    assert status["prefect"]["held_by"].startswith(OWN)
    assert "NOT OURS" in told
    assert f"its port is held by {OWN}" in told
    assert not any(HEARD)


def test_a_missing_prefect_is_not_an_overdue_triage(strange_stack: StateDir) -> None:
    """*OVERDUE, none finished yet* was said of a service that had been looked at every minute."""
    status = gather_status(strange_stack)
    told = "\n".join(status_lines(status))

    assert status["triage"] == {"last": None, "next_at": None, "overdue": False, "known": False}
    assert "OVERDUE" not in told
    assert "none finished" not in told
    assert "none scheduled" not in told
    assert "unknown: Prefect cannot be asked" in told


def test_no_triage_is_told_from_no_answer(strange_port: int) -> None:
    """An empty list is an answer; nobody there, a refusal and a page of something else are none."""
    for url in (f"http://127.0.0.1:{strange_port}/api", f"http://127.0.0.1:{free_port()}/api"):
        with pytest.raises(RunbookError) as refused:
            last_triage(PrefectDoor(url))
        assert refused.value.code is Code.PREFECT_UNREACHABLE


def test_an_answer_to_a_plan_goes_to_the_own_server_alone(strange_stack: StateDir) -> None:
    """The password would be told to whoever sits on the port."""
    with pytest.raises(RunbookError) as refused:
        approve()

    assert refused.value.code is Code.PREFECT_UNREACHABLE
    assert f"held by {OWN}" in refused.value.detail
    assert not any(HEARD)
    assert strange_stack.stack_file.exists()


def test_a_worker_of_a_stack_works_for_no_stranger(strange_port: int) -> None:
    """It would do the runs of whoever sits there, with the rights to halt all trading."""
    from deployments.worker import refuse_stranger  # noqa: PLC0415 - imports Prefect

    api = f"http://127.0.0.1:{strange_port}/api"
    with pytest.raises(RunbookError) as refused:
        refuse_stranger(api, "mark")

    assert refused.value.code is Code.PORT_TAKEN
    refuse_stranger(api, None)
    refuse_stranger(f"http://127.0.0.1:{free_port()}/api", "mark")
    assert not HEARD


def test_a_server_that_begins_to_listen_while_we_look_is_no_stranger(
    strange_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker asks while its server starts: nobody was seen, then somebody answered, and that was the server."""
    seen = [None, psutil.Process()]
    monkeypatch.setattr("tasks.clients.process.port_holders.port_owner", lambda _: seen.pop(0))

    assert stranger_to(strange_port, os.getpid()) is None
    assert seen == []


def test_who_is_not_seen_by_either_look_is_a_stranger(strange_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is ours we may see."""
    monkeypatch.setattr("tasks.clients.process.port_holders.port_owner", lambda _: None)

    assert stranger_to(strange_port, os.getpid()) == "a process of another user"
